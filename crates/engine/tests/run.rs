//! Whole scans on recorded evidence: what is gathered, what is said about what is not, bounds, stopping, resuming.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bartizan_domain::evidence::Observation;
use bartizan_domain::scan::FeatureToggles;
use bartizan_domain::{AssetRef, Outcome, ScanStatus, Severity};
use bartizan_engine::{Count, ScanOptions, ScanSettings, Settled, document};
use common::{Hang, Told, Watched, catalog, redis_host, request, scan, settings};
use tokio_util::sync::CancellationToken;

async fn scan_redis(targets: &[&str], change: impl FnOnce(&mut ScanOptions)) -> (Told, Arc<Watched>) {
    let probes = Arc::new(Watched::new([redis_host("192.0.2.1")]));
    let told = scan(request(targets, settings(change)), Arc::clone(&probes), CancellationToken::new()).await;
    (told, probes)
}

#[tokio::test(start_paused = true)]
async fn a_host_is_gathered_judged_and_counted() {
    let (told, _) = scan_redis(&["192.0.2.1"], |_| {}).await;
    assert_eq!(told.planned, (1, 2));
    assert_eq!(told.outcome.status, ScanStatus::Completed);
    assert!(!told.outcome.partial, "{:?}", told.outcome.partial_reasons);
    assert_eq!(told.outcome.findings.high, 1);
    assert_eq!(told.outcome.worst(), Some(Severity::High));
    let host = &told.hosts[0];
    assert_eq!(host.verdicts.iter().filter(|v| v.outcome == Outcome::Fail).count(), 1);
    let web = host.verdicts.iter().find(|v| v.check_id.as_str() == "web.plain").unwrap();
    assert_eq!(web.outcome, Outcome::NotApplicable, "the port scan was complete and found no web site");
    assert_eq!(host.result.score, Some(79));
    assert_eq!(bartizan_evidence::decode(&host.blob.bytes).unwrap(), host.evidence);
    assert_eq!(host.coverage.entries.len(), 2);
    let last = told.progress.last().unwrap();
    assert_eq!(last.hosts, Count { done: 1, total: 1 });
    assert_eq!(last.checks, Count { done: 2, total: 2 });
    assert_eq!(last.ports, Count { done: 4, total: 4 });
    assert_eq!(last.findings.high, 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_host_has_no_score_and_is_a_gap() {
    let (told, _) = scan_redis(&["192.0.2.1", "192.0.2.9"], |_| {}).await;
    let silent = told.hosts.iter().find(|host| host.result.asset.to_string() == "192.0.2.9").unwrap();
    assert!(!silent.result.reached);
    assert_eq!(silent.result.score, None);
    assert!(silent.verdicts.iter().all(|v| matches!(v.outcome, Outcome::Error | Outcome::NotTested)));
    assert!(told.outcome.partial);
    assert!(
        told.outcome.partial_reasons[0].starts_with("not reached: 192.0.2.9"),
        "{:?}",
        told.outcome.partial_reasons
    );
    assert_eq!(told.outcome.score.value, Some(79.0));
}

#[tokio::test(start_paused = true)]
async fn a_network_with_one_live_address_is_reached() {
    let (told, _) = scan_redis(&["192.0.2.0/30"], |_| {}).await;
    assert_eq!(told.hosts.len(), 4);
    assert!(!told.outcome.partial, "{:?}", told.outcome.partial_reasons);
    let (told, _) = scan_redis(&["198.51.100.0/30"], |_| {}).await;
    assert!(told.outcome.partial);
    assert_eq!(told.outcome.score.value, None);
}

#[tokio::test(start_paused = true)]
async fn a_port_in_the_target_narrows_the_ports() {
    let (_, probes) = scan_redis(&["192.0.2.1:6379", "192.0.2.1:22", "192.0.2.2"], |_| {}).await;
    let called = probes.called();
    assert!(called.contains(&"ports 192.0.2.1 22,6379".to_owned()), "{called:?}");
    assert!(called.contains(&"ports 192.0.2.2 22,80,443,6379".to_owned()), "{called:?}");
}

#[tokio::test(start_paused = true)]
async fn overlapping_targets_are_scanned_once() {
    let (told, _) = scan_redis(&["192.0.2.1:80", "192.0.2.0/30", "192.0.2.1"], |_| {}).await;
    assert_eq!(told.hosts.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn without_the_port_scan_web_checks_try_the_web_ports() {
    let off = FeatureToggles { port_scan: false, ..FeatureToggles::default() };
    let (told, probes) = scan_redis(&["192.0.2.1"], |options| options.toggles = off).await;
    assert!(probes.called().contains(&"ports 192.0.2.1 80,443,8080,8443".to_owned()), "{:?}", probes.called());
    let redis = told.hosts[0].verdicts.iter().find(|v| v.check_id.as_str() == "svc.redis").unwrap();
    assert_eq!(redis.outcome, Outcome::NotTested);
    assert_eq!(redis.reason.as_deref(), Some("the port scan is switched off"));
}

#[tokio::test(start_paused = true)]
async fn without_web_checks_no_site_is_visited_and_the_reason_is_kept() {
    let off = FeatureToggles { web_checks: false, ..FeatureToggles::default() };
    let (told, probes) = scan_redis(&["192.0.2.1"], |options| options.toggles = off).await;
    assert!(!probes.called().iter().any(|call| call.starts_with("web ")));
    let web = told.hosts[0].verdicts.iter().find(|v| v.check_id.as_str() == "web.plain").unwrap();
    assert_eq!((web.outcome, web.reason.as_deref()), (Outcome::NotTested, Some("web checks are switched off")));
}

#[tokio::test(start_paused = true)]
async fn only_what_selected_checks_need_is_asked() {
    let probes = Arc::new(Watched::new([redis_host("shop.example.test")]));
    let told =
        scan(request(&["shop.example.test"], settings(|_| {})), Arc::clone(&probes), CancellationToken::new()).await;
    let called = probes.called();
    assert!(called.contains(&"addresses shop.example.test".to_owned()));
    assert!(!called.iter().any(|call| call.starts_with("dns") || call.starts_with("registration")), "{called:?}");
    assert!(
        matches!(&told.hosts[0].evidence.dns, Observation::NotAttempted { reason } if reason.contains("no selected"))
    );
    let only_web = settings(|options| options.checks = vec!["web.plain".into()]);
    assert!(only_web.path_probes, "whoever names checks gets their probes");
}

#[tokio::test(start_paused = true)]
async fn probes_in_flight_stay_within_the_concurrency() {
    let hosts = (0..64_u8).map(|last| redis_host(&format!("192.0.2.{last}")));
    let probes = Arc::new(Watched::new(hosts));
    let settings = settings(|options| options.concurrency = Some(5));
    let told = scan(request(&["192.0.2.0/26"], settings), Arc::clone(&probes), CancellationToken::new()).await;
    assert_eq!(told.hosts.len(), 64);
    assert_eq!(probes.most_in_flight.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn cancelling_finishes_what_is_in_flight_and_marks_it() {
    let hosts = (0..8_u8).map(|last| redis_host(&format!("192.0.2.{last}")));
    let mut probes = Watched::new(hosts);
    probes.hang = Hang::AtServices;
    let probes = Arc::new(probes);
    let cancel = CancellationToken::new();
    let settings = settings(|options| options.concurrency = Some(2));
    let running = tokio::spawn(scan(request(&["192.0.2.0/29"], settings), Arc::clone(&probes), cancel.clone()));
    while !probes.called().iter().any(|call| call.starts_with("service")) {
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    let told = running.await.unwrap();
    assert_eq!(told.outcome.status, ScanStatus::Cancelled);
    assert!(told.outcome.partial);
    assert_eq!(told.outcome.hosts_done, 0);
    assert_eq!(told.hosts.len(), 2, "no new host was begun");
    for host in &told.hosts {
        assert!(host.interrupted);
        assert!(
            host.verdicts.iter().all(|v| !matches!(v.outcome, Outcome::Pass | Outcome::NotApplicable)),
            "{:?}",
            host.verdicts
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_ends_a_scan_that_hangs() {
    let mut probes = Watched::new([redis_host("192.0.2.1")]);
    probes.hang = Hang::AtServices;
    let settings = settings(|options| options.max_time_seconds = Some(30));
    let started = tokio::time::Instant::now();
    let told = scan(request(&["192.0.2.1"], settings), Arc::new(probes), CancellationToken::new()).await;
    assert!(started.elapsed().as_secs() < 40);
    assert_eq!(told.outcome.status, ScanStatus::Completed);
    assert!(told.outcome.partial_reasons[0].contains("30 s"), "{:?}", told.outcome.partial_reasons);
}

#[tokio::test(start_paused = true)]
async fn finished_assets_are_not_scanned_again() {
    let probes = Arc::new(Watched::new([redis_host("192.0.2.1")]));
    let mut request = request(&["192.0.2.0/30"], settings(|_| {}));
    let settled = Settled { reached: true, why_unreached: None, gaps: Vec::new() };
    request.finished.insert(AssetRef::Ip([192, 0, 2, 1].into()), settled);
    let told = scan(request, Arc::clone(&probes), CancellationToken::new()).await;
    assert_eq!(told.hosts.len(), 3);
    assert!(!probes.called().iter().any(|call| call.contains("192.0.2.1 ")), "{:?}", probes.called());
    assert_eq!(told.outcome.hosts_total, 4);
}

#[tokio::test(start_paused = true)]
async fn gaps_of_an_earlier_run_are_gaps_of_the_whole_scan() {
    let targets = ["192.0.2.1", "192.0.2.9"];
    let (whole, _) = scan_redis(&targets, |_| {}).await;
    let mut request = request(&targets, settings(|_| {}));
    let silent = whole.hosts.iter().find(|host| !host.result.reached).unwrap();
    request.finished.insert(silent.result.asset.clone(), Settled::from(&silent.result));
    let told = scan(request, Arc::new(Watched::new([redis_host("192.0.2.1")])), CancellationToken::new()).await;
    assert_eq!(told.hosts.len(), 1);
    assert!(told.outcome.partial);
    assert_eq!(told.outcome.partial_reasons, whole.outcome.partial_reasons);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_a_target_names_and_that_is_not_open_is_a_gap() {
    let (told, _) = scan_redis(&["192.0.2.1:6379", "192.0.2.1:6380"], |_| {}).await;
    assert!(told.hosts[0].result.reached);
    assert_eq!(told.outcome.partial_reasons, ["not open: 192.0.2.1 port 6380"]);
}

#[tokio::test(start_paused = true)]
async fn a_large_network_streams_through() {
    let probes = Arc::new(Watched::new([]));
    let settings = settings(|options| options.concurrency = Some(200));
    let told = scan(request(&["10.0.0.0/22"], settings), Arc::clone(&probes), CancellationToken::new()).await;
    assert_eq!(told.hosts.len(), 1024);
    assert!(probes.most_in_flight.load(Ordering::SeqCst) <= 64, "assets abreast are bounded");
}

#[tokio::test(start_paused = true)]
async fn the_document_does_not_depend_on_the_order_of_finishing() {
    let hosts = (0..16_u8).map(|last| redis_host(&format!("192.0.2.{last}")));
    let probes = Arc::new(Watched::new(hosts));
    let mut told = scan(request(&["192.0.2.0/28"], settings(|_| {})), probes, CancellationToken::new()).await;
    let summary = || bartizan_domain::document::ScanSummary {
        id: None,
        targets: vec!["192.0.2.0/28".into()],
        profile: bartizan_domain::ScanProfile::Quick,
        status: ScanStatus::Completed,
        partial: false,
        partial_reasons: vec![],
        started_at: "2026-11-01T10:00:00Z".parse().unwrap(),
        finished_at: None,
        tool_version: "0".into(),
        catalogue: catalog().version().into(),
        demo: false,
    };
    let build = |hosts: &[bartizan_engine::HostFinished]| {
        document::build(catalog(), summary(), hosts.iter().map(|host| (&host.evidence, host.verdicts.as_slice())))
    };
    let one = serde_json::to_string(&build(&told.hosts)).unwrap();
    told.hosts.reverse();
    assert_eq!(one, serde_json::to_string(&build(&told.hosts)).unwrap());
    let document = build(&told.hosts);
    assert_eq!(document.findings.len(), 16);
    assert_eq!(document.findings[0].title, "A title");
    assert_eq!(document.hosts[3].ports[1].service.as_deref(), Some("redis"));
    assert_eq!(document.coverage.planned, 32);
}

#[test]
fn wishes_that_break_a_rule_name_field_and_value() {
    type Change = fn(&mut ScanOptions);
    let cases: [(&str, &str, Change); 8] = [
        ("ports", "`0`", |options| options.ports = Some("80,0".into())),
        ("checks", "`nope.nope`", |options| options.checks = vec!["nope.nope".into()]),
        ("skip", "`x.*`", |options| options.skip = vec!["x.*".into()]),
        ("checks", "no check is left", |options| options.skip = vec!["*".into()]),
        ("concurrency", "500", |options| options.concurrency = Some(500)),
        ("timeout", "0", |options| options.timeout_seconds = Some(0)),
        ("max_time", "0", |options| options.max_time_seconds = Some(0)),
        ("toggles", "switched off", |options| {
            options.toggles =
                FeatureToggles { port_scan: false, web_checks: false, dns_checks: false, whois_checks: false };
        }),
    ];
    for (field, part, change) in cases {
        let mut options = ScanOptions::default();
        change(&mut options);
        let error = ScanSettings::resolve(catalog(), &options).unwrap_err();
        assert_eq!(error.field, field);
        assert!(error.message.contains(part), "{}", error.message);
    }
}
