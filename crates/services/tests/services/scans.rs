//! Scans from start to end, through the real engine and a scripted network.

use std::time::Duration;

use bartizan_domain::id::{AssetId, ScanId};
use bartizan_domain::{AssetKind, Error, ScanStatus};
use bartizan_services::assets::{self, NewAsset};
use bartizan_services::compliance::RowStatus;
use bartizan_services::scans::{self, HostFilter, HostSort, HostStatus, NewScan, ScanFilter, ScanSort};
use bartizan_services::settings::{self, ScanSettings};
use bartizan_services::{Page, ServicesConfig, SortDir, compliance, demo, summary};
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::support::{App, closed, host, new_scan, start, unreachable};

on_both_databases!(
    a_scan_finds_scores_and_fills_the_matrix,
    bad_scans_are_refused,
    private_targets_need_the_setting,
    a_killed_scan_goes_on_where_it_stopped,
    a_stopped_server_gives_its_scan_back,
    a_running_scan_is_cancelled_and_keeps_its_results,
    a_waiting_scan_is_cancelled_at_once,
    a_scan_without_a_worker_is_failed_in_the_end,
    a_deleted_scan_takes_its_results_along,
    demonstration_data_is_marked,
);

async fn a_scan_finds_scores_and_fills_the_matrix(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let new = NewAsset { criticality: Some(1), ..asset("192.0.2.0/30") };
    let net = assets::create(&cx, &app.services, new).await.unwrap().asset.id;
    let shop = NewAsset { criticality: Some(5), target_type: Some(AssetKind::Domain), ..asset("shop.example") };
    let shop = assets::create(&cx, &app.services, shop).await.unwrap().asset.id;
    app.script.record([
        host("shop.example", "198.51.100.7", "telnet", "1.0"),
        host("192.0.2.1", "192.0.2.1", "ssh", "2.0"),
        closed("192.0.2.2", "192.0.2.2"),
    ]);
    let wanted = NewScan { asset_ids: vec![net, shop], ..new_scan(&[]) };
    let id = scans::create(&cx, &app.services, wanted).await.unwrap().scan.id;
    let end = app.ended(&cx, id).await;
    assert_eq!((end.status, end.hosts_stored), (ScanStatus::Completed, 5));
    assert_eq!((end.progress.findings.high, end.progress.findings.medium), (1, 1));

    let view = scans::get(&cx, &app.services, id).await.unwrap();
    // shop: 100 - 15 - 5, capped at 79, weight 5; 192.0.2.1: 100, weight 1; the others were not evaluated.
    assert_eq!(view.scan.score, Some(82.5));
    let by_letter = |letter: &str| view.matrix.iter().find(|row| row.letter == letter).unwrap();
    assert_eq!(by_letter("a").status, RowStatus::ManualRequired);
    assert_eq!((by_letter("i").status, by_letter("i").open_findings), (RowStatus::OpenFindings, 1));
    assert_eq!(by_letter("e").annex_points, ["eu:6.6"]);

    let page = |filter: HostFilter, sort| {
        let services = &app.services;
        let cx = &cx;
        async move { scans::hosts(cx, services, id, &filter, (sort, SortDir::Asc), Page::first(10)).await.unwrap() }
    };
    let all = page(HostFilter::default(), HostSort::Asset).await;
    assert_eq!(all.total, 5);
    let shop_host = all.rows.iter().find(|row| row.asset == "shop.example").unwrap();
    assert_eq!((shop_host.asset_id, shop_host.result.score, shop_host.findings.high), (Some(shop), Some(79), 1));
    assert_eq!(all.rows.iter().filter(|row| row.asset_id == Some(net)).count(), 4);
    let reached =
        page(HostFilter { reached: Some(true), q: Some("192.".to_owned()), ..HostFilter::default() }, HostSort::Score)
            .await;
    assert_eq!(reached.rows.iter().map(|row| row.asset.as_str()).collect::<Vec<_>>(), ["192.0.2.1", "192.0.2.2"]);

    let document = scans::document(&cx, &app.services, id).await.unwrap();
    assert_eq!((document.hosts.len(), document.findings.len()), (5, 2));
    assert_eq!(document.findings[0].check_id.as_str(), "svc.telnet");
    assert_eq!(document.score.value, Some(82.5));
    let asset = assets::get(&cx, &app.services, shop).await.unwrap();
    assert_eq!((asset.asset.score, asset.stale, asset.open_findings.high), (Some(79), false, 1));
    let overview = summary::overview(&cx, &app.services).await.unwrap();
    assert_eq!((overview.total_assets, overview.open_findings.total(), overview.new_24h), (2, 2, 2));
    assert_eq!(overview.latest_scan.unwrap().id, id);
    worker.stopped().await;
}

async fn bad_scans_are_refused(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let create = |new| scans::create(&cx, &app.services, new);
    let base = new_scan(&["shop.example"]);
    for (new, field) in [
        (new_scan(&[]), "asset_ids"),
        (new_scan(&["10.0.0.0/8"]), "targets"),
        (new_scan(&["foo"]), "targets"),
        (NewScan { concurrency: Some(0), ..base.clone() }, "concurrency"),
        (NewScan { concurrency: Some(201), ..base.clone() }, "concurrency"),
        (NewScan { timeout_seconds: Some(121), ..base.clone() }, "timeout_seconds"),
        (NewScan { ports: Some("0".to_owned()), ..base.clone() }, "ports"),
        (NewScan { checks: vec!["no.such".to_owned()], ..base.clone() }, "checks"),
    ] {
        let Err(Error::Invalid(fields)) = create(new).await else { panic!("{field} was accepted") };
        assert_eq!(fields[0].field, format!("body -> {field}"), "{}", fields[0].message);
    }
    let stranger = NewScan { asset_ids: vec![AssetId(Uuid::from_u128(1))], ..base };
    assert!(matches!(create(stranger).await, Err(Error::NotFound { noun: "asset", .. })));
    let all = (ScanSort::Id, SortDir::Asc);
    let listed = scans::list(&cx, &app.services, &ScanFilter::default(), all, Page::first(10)).await.unwrap();
    assert_eq!(listed.total, 0, "nothing half-written");
    assert!(matches!(scans::get(&cx, &app.services, ScanId(1)).await, Err(Error::NotFound { .. })));
}

async fn private_targets_need_the_setting(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let before = settings::scan(&cx, &app.services).await.unwrap();
    let off = ScanSettings { allow_private: false };
    settings::set_scan(&cx, &app.services, off, Some(before.version)).await.unwrap();
    assert!(matches!(settings::set_scan(&cx, &app.services, off, Some(before.version)).await, Err(Error::Conflict(_))));
    for target in ["127.0.0.1", "10.0.0.0/24", "192.168.1.1-9"] {
        let refused = scans::create(&cx, &app.services, new_scan(&[target])).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{target}");
    }
    settings::set_scan(&cx, &app.services, ScanSettings { allow_private: true }, None).await.unwrap();
    app.scan(&cx, &["127.0.0.1"]).await;
    let metadata = scans::create(&cx, &app.services, new_scan(&["169.254.169.254"])).await;
    assert!(matches!(metadata, Err(Error::Invalid(_))), "metadata addresses are refused always");
}

const HOSTS: [&str; 4] = ["a.example", "b.example", "c.example", "d.example"];

fn hosts() -> Vec<bartizan_domain::evidence::HostEvidence> {
    HOSTS.iter().map(|name| host(name, "198.51.100.7", "telnet", "1.0")).collect()
}

/// Starts a scan of four hosts one after the other and waits until it hangs on the third.
async fn hanging_scan(app: &App, cx: &bartizan_services::OpContext) -> ScanId {
    app.script.record(hosts());
    *app.script.hangs_on.lock().unwrap() = Some("c.example".to_owned());
    let new = NewScan { concurrency: Some(1), ..new_scan(&HOSTS) };
    scans::create(cx, &app.services, new).await.unwrap().scan.id
}

async fn stored(app: &App, cx: &bartizan_services::OpContext, id: ScanId, count: u64) {
    let waiting = async {
        while scans::get(cx, &app.services, id).await.unwrap().scan.hosts_finished < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
}

async fn a_killed_scan_goes_on_where_it_stopped(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let id = hanging_scan(&app, &cx).await;
    // A runtime that is shut down in the middle leaves everything as a killed process does: nothing is told or undone.
    let process = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let doomed = App::with(database, ServicesConfig::default(), 1 << 32).await;
    doomed.script.record(hosts());
    *doomed.script.hangs_on.lock().unwrap() = Some("c.example".to_owned());
    let script = std::sync::Arc::clone(&doomed.script);
    process.spawn(async move {
        let worker = doomed.work("doomed");
        std::future::pending::<()>().await;
        drop(worker);
    });
    tokio::time::timeout(Duration::from_secs(60), script.hanging.notified()).await.unwrap();
    stored(&app, &cx, id, 2).await;
    process.shutdown_background();

    *app.script.hangs_on.lock().unwrap() = None;
    // On PostgreSQL another process might be alive, so its lease is waited for.
    app.clock.advance(TimeDelta::minutes(2));
    let worker = app.work("w2");
    let end = app.ended(&cx, id).await;
    assert_eq!((end.status, end.partial, end.hosts_stored), (ScanStatus::Completed, false, 4));
    let asked = app.script.asked.lock().unwrap().clone();
    assert_eq!(asked.keys().collect::<Vec<_>>(), ["c.example", "d.example"], "finished hosts are not scanned again");
    let view = scans::get(&cx, &app.services, id).await.unwrap();
    assert_eq!((view.scan.findings.high, view.scan.started_at), (4, Some(start())));
    worker.stopped().await;
}

async fn a_stopped_server_gives_its_scan_back(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let id = hanging_scan(&app, &cx).await;
    tokio::time::timeout(Duration::from_secs(60), app.script.hanging.notified()).await.unwrap();
    stored(&app, &cx, id, 2).await;
    worker.stopped().await;
    let view = scans::get(&cx, &app.services, id).await.unwrap();
    assert_eq!((view.scan.status, view.scan.hosts_finished), (ScanStatus::Pending, 2));
    *app.script.hangs_on.lock().unwrap() = None;
    let worker = app.work("w2");
    let end = app.ended(&cx, id).await;
    assert_eq!((end.status, end.hosts_stored), (ScanStatus::Completed, 4));
    worker.stopped().await;
}

async fn a_running_scan_is_cancelled_and_keeps_its_results(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let id = hanging_scan(&app, &cx).await;
    tokio::time::timeout(Duration::from_secs(60), app.script.hanging.notified()).await.unwrap();
    stored(&app, &cx, id, 2).await;
    scans::cancel(&cx, &app.services, id).await.unwrap();
    let end = app.ended(&cx, id).await;
    assert_eq!((end.status, end.partial), (ScanStatus::Cancelled, true));
    let view = scans::get(&cx, &app.services, id).await.unwrap();
    assert!(view.scan.partial_reasons.iter().any(|reason| reason.contains("cancelled")), "{:?}", view.scan);
    assert_eq!(view.scan.findings.high, 2);
    let sort = (HostSort::Position, SortDir::Asc);
    let hosts = scans::hosts(&cx, &app.services, id, &HostFilter::default(), sort, Page::first(10)).await.unwrap();
    assert_eq!(hosts.rows[0].status, HostStatus::Finished);
    assert_eq!(hosts.rows.last().unwrap().status, HostStatus::Interrupted);
    assert!(matches!(scans::cancel(&cx, &app.services, id).await, Err(Error::Conflict(_))));
    worker.stopped().await;
}

async fn a_waiting_scan_is_cancelled_at_once(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let id = app.scan(&cx, &["shop.example"]).await;
    assert!(matches!(scans::delete(&cx, &app.services, id).await, Err(Error::Conflict(_))));
    let view = scans::cancel(&cx, &app.services, id).await.unwrap();
    assert_eq!((view.scan.status, view.scan.score), (ScanStatus::Cancelled, None));
    assert!(view.matrix.iter().all(|row| matches!(row.status, RowStatus::NotAssessed | RowStatus::ManualRequired)));
}

async fn a_scan_without_a_worker_is_failed_in_the_end(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let id = app.scan(&cx, &["shop.example"]).await;
    // Its job is lost, which no path of ours does; the scan must not wait for ever all the same.
    let tx = app.store.begin().await.unwrap();
    let now = cx.now();
    bartizan_storage::jobs::request_cancel(tx.db(), "scan", &id.to_string(), now).await.unwrap();
    tx.commit().await.unwrap();
    app.clock.advance(TimeDelta::minutes(11));
    // Housekeeping runs at the start of a worker.
    let worker = app.work("w1");
    let end = app.ended(&cx, id).await;
    assert_eq!(end.status, ScanStatus::Failed);
    worker.stopped().await;
}

async fn a_deleted_scan_takes_its_results_along(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    app.script.record([host("shop.example", "198.51.100.7", "telnet", "1.0")]);
    let id = app.scanned(&cx, &["shop.example"]).await;
    scans::delete(&cx, &app.services, id).await.unwrap();
    assert!(matches!(scans::get(&cx, &app.services, id).await, Err(Error::NotFound { .. })));
    let overview = summary::overview(&cx, &app.services).await.unwrap();
    assert_eq!(overview.open_findings.total(), 2, "findings stay");
    app.script.record([unreachable("shop.example")]);
    let next = app.scanned(&cx, &["shop.example"]).await;
    assert!(next > id, "numbers are not used again");
    let view = scans::get(&cx, &app.services, next).await.unwrap();
    assert_eq!(view.scan.score, None, "nothing assessed is never 100");
    worker.stopped().await;
}

async fn demonstration_data_is_marked(database: &TestDatabase) {
    use bartizan_domain::document::ScanSummary;
    use bartizan_evidence::file::{Header, Writer};
    let app = App::new(database).await;
    let cx = app.admin().await;
    let summary = ScanSummary {
        id: None,
        targets: vec!["demo.example".to_owned()],
        profile: bartizan_domain::ScanProfile::Full,
        status: ScanStatus::Completed,
        partial: false,
        partial_reasons: Vec::new(),
        started_at: start(),
        finished_at: Some(start()),
        tool_version: "0".to_owned(),
        catalogue: "x".to_owned(),
        demo: true,
    };
    let options = bartizan_engine::ScanOptions::default();
    let settings = bartizan_services::ScanSettings::resolve(crate::support::catalog(), &options).unwrap();
    let settings = serde_json::to_value(settings).unwrap();
    let mut file = Writer::new(Vec::new(), &Header::new(summary.clone(), settings)).unwrap();
    let evidence = host("demo.example", "198.51.100.7", "telnet", "1.0");
    let coverage = bartizan_domain::coverage::Coverage {
        asset: evidence.asset.clone(),
        catalogue: "x".to_owned(),
        closed_ports: bartizan_domain::PortSet::default(),
        entries: Vec::new(),
    };
    file.append(&bartizan_evidence::encode(&evidence).unwrap(), &coverage).unwrap();
    let bytes = file.finish(summary).unwrap();
    let id = demo::load_from(&cx, &app.services, bytes.as_slice()).await.unwrap();
    assert_eq!(demo::load_from(&cx, &app.services, bytes.as_slice()).await.unwrap(), id, "once is enough");
    let overview = summary::overview(&cx, &app.services).await.unwrap();
    assert!(overview.demo && overview.top_findings.iter().all(|finding| finding.demo));
    assert!(overview.scores.mean.is_some() && overview.open_findings.high == 1);
    let real = asset("shop.example");
    assets::create(&cx, &app.services, real).await.unwrap();
    let overview = summary::overview(&cx, &app.services).await.unwrap();
    assert!(!overview.demo && overview.top_findings.is_empty() && overview.recent_scans.is_empty());
    assert_eq!((overview.scores.mean, overview.total_assets, overview.open_findings.high), (None, 1, 0));
    assert!(compliance::matrix(&cx, &app.services).await.unwrap().is_none(), "a real matrix needs a real scan");
    let view = scans::get(&cx, &app.services, id).await.unwrap();
    assert_eq!((view.scan.demo, view.scan.status, view.scan.findings.high), (true, ScanStatus::Completed, 1));
    assert!(scans::document(&cx, &app.services, id).await.unwrap().scan.demo);
}

fn asset(value: &str) -> NewAsset {
    NewAsset { target_value: value.to_owned(), ..NewAsset::default() }
}
