//! The life of a finding across scans, and what people do to it.

use bartizan_domain::id::FindingId;
use bartizan_domain::{Error, FindingStatus, ResolutionReason, Severity};
use bartizan_services::assets::{self, NewAsset};
use bartizan_services::findings::{
    self, BulkResult, EventKind, Finding, FindingFilter, FindingSort, Selection, StatusChange,
};
use bartizan_services::scans::NewScan;
use bartizan_services::{OpContext, Page, SortDir, scans};
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::support::{App, closed, host, new_scan, silent, unreachable};

on_both_databases!(
    identity_is_stable_and_triage_is_kept,
    a_pass_resolves_and_a_time_out_does_not,
    a_closed_port_resolves_even_accepted_risk,
    seen_again_reopens_except_what_was_void,
    lists_are_filtered_and_counted_alike,
    accepted_risk_needs_a_reason_and_expires,
    bulk_says_what_became_of_each,
    removing_the_asset_resolves,
    another_organisation_gets_not_found,
);

async fn all(app: &App, cx: &OpContext, filter: &FindingFilter) -> Vec<Finding> {
    let sort = (FindingSort::Severity, SortDir::Desc);
    findings::list(cx, &app.services, filter, sort, Page::first(100)).await.unwrap().rows
}

async fn telnet(app: &App, cx: &OpContext) -> Finding {
    let filter = FindingFilter { checks: vec!["svc.telnet".to_owned()], ..FindingFilter::default() };
    let mut found = all(app, cx, &filter).await;
    assert_eq!(found.len(), 1, "one record for one identity");
    found.remove(0)
}

fn change(status: FindingStatus, note: Option<&str>) -> StatusChange {
    StatusChange { status, note: note.map(str::to_owned), resolution_reason: None, accepted_until: None }
}

async fn scan(
    app: &App,
    cx: &OpContext,
    evidence: bartizan_domain::evidence::HostEvidence,
) -> bartizan_domain::id::ScanId {
    app.clock.advance(TimeDelta::hours(1));
    app.script.record([evidence]);
    app.scanned(cx, &["shop.example"]).await
}

async fn identity_is_stable_and_triage_is_kept(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let first = scan(&app, &cx, host("shop.example", "198.51.100.7", "telnet", "1.0")).await;
    let before = telnet(&app, &cx).await;
    let ack = change(FindingStatus::Acknowledged, Some("on it"));
    findings::update(&cx, &app.services, before.id, ack).await.unwrap();
    // Another address, another banner: the same finding.
    let second = scan(&app, &cx, host("shop.example", "203.0.113.9", "telnet", "1.7")).await;
    let after = telnet(&app, &cx).await;
    assert_eq!(
        (after.id, after.fingerprint, after.status),
        (before.id, before.fingerprint, FindingStatus::Acknowledged)
    );
    assert_eq!(after.status_note.as_deref(), Some("on it"));
    assert_eq!((after.occurrences, after.first_scan_id, after.last_scan_id), (2, first, second));
    assert!(after.first_seen_at == before.first_seen_at && after.last_seen_at > before.last_seen_at);
    assert_eq!(after.evidence["version"], "1.7");
    let detail = findings::get(&cx, &app.services, after.id).await.unwrap();
    let kinds: Vec<EventKind> = detail.history.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::StatusChanged, EventKind::Created]);
    assert_eq!(detail.sightings.iter().map(|seen| seen.scan_id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(detail.sightings[1].evidence["version"], "1.0", "each scan keeps its facts");
    assert_eq!(detail.controls, ["nis2:21.2.i"]);
    worker.stopped().await;
}

async fn a_pass_resolves_and_a_time_out_does_not(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    scan(&app, &cx, host("shop.example", "198.51.100.7", "telnet", "1.0")).await;
    for evidence in [silent("shop.example", "198.51.100.7"), unreachable("shop.example")] {
        scan(&app, &cx, evidence).await;
        let kept = telnet(&app, &cx).await;
        assert_eq!((kept.status, kept.occurrences), (FindingStatus::Open, 1), "no answer says nothing");
    }
    let last = scan(&app, &cx, host("shop.example", "198.51.100.7", "ssh", "1.0")).await;
    let gone = telnet(&app, &cx).await;
    assert_eq!((gone.status, gone.resolution_reason), (FindingStatus::Resolved, Some(ResolutionReason::Fixed)));
    assert_eq!(gone.resolved_scan_id, Some(last));
    let detail = findings::get(&cx, &app.services, gone.id).await.unwrap();
    assert_eq!((detail.history[0].kind, detail.history[0].scan_id), (EventKind::AutoResolved, Some(last)));
    // The other check still fails there and is untouched.
    let open = FindingFilter { statuses: vec![FindingStatus::Open], ..FindingFilter::default() };
    let open = all(&app, &cx, &open).await;
    assert_eq!(open.iter().map(|f| (f.check_id.as_str(), f.occurrences)).collect::<Vec<_>>(), [("svc.old", 2)]);
    worker.stopped().await;
}

async fn a_closed_port_resolves_even_accepted_risk(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    scan(&app, &cx, host("shop.example", "198.51.100.7", "telnet", "1.0")).await;
    let id = telnet(&app, &cx).await.id;
    let accept = change(FindingStatus::AcceptedRisk, Some("isolated"));
    findings::update(&cx, &app.services, id, accept).await.unwrap();
    scan(&app, &cx, host("shop.example", "198.51.100.7", "telnet", "1.0")).await;
    assert_eq!(telnet(&app, &cx).await.status, FindingStatus::AcceptedRisk);
    scan(&app, &cx, closed("shop.example", "198.51.100.7")).await;
    let found = all(&app, &cx, &FindingFilter::default()).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|finding| finding.status == FindingStatus::Resolved), "{found:#?}");
    worker.stopped().await;
}

async fn seen_again_reopens_except_what_was_void(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let bad = || host("shop.example", "198.51.100.7", "telnet", "1.0");
    scan(&app, &cx, bad()).await;
    let id = telnet(&app, &cx).await.id;
    findings::update(&cx, &app.services, id, change(FindingStatus::Resolved, None)).await.unwrap();
    assert_eq!(telnet(&app, &cx).await.resolution_reason, Some(ResolutionReason::Fixed));
    let again = scan(&app, &cx, bad()).await;
    let back = telnet(&app, &cx).await;
    assert_eq!((back.status, back.reopened, back.occurrences, back.last_scan_id), (FindingStatus::Open, 1, 2, again));
    assert_eq!((back.resolution_reason, back.resolved_at), (None, None));
    let void = StatusChange {
        resolution_reason: Some(ResolutionReason::FalsePositive),
        ..change(FindingStatus::Resolved, None)
    };
    findings::update(&cx, &app.services, id, void).await.unwrap();
    scan(&app, &cx, bad()).await;
    let still = telnet(&app, &cx).await;
    assert_eq!((still.status, still.reopened, still.occurrences), (FindingStatus::Resolved, 1, 3));
    worker.stopped().await;
}

async fn lists_are_filtered_and_counted_alike(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let names: Vec<String> = (1..=6).map(|n| format!("h{n}.example")).collect();
    app.script.record(names.iter().map(|name| host(name, "198.51.100.7", "telnet", "1.0")));
    let targets: Vec<&str> = names.iter().map(String::as_str).collect();
    let id = app.scanned(&cx, &targets).await;
    let high = FindingFilter { severities: vec![Severity::High], ..FindingFilter::default() };
    let of_scan = FindingFilter { scan: Some(id), q: Some("H3.EX".to_owned()), ..FindingFilter::default() };
    let none = FindingFilter { scan: Some(bartizan_domain::id::ScanId(id.0 + 1)), ..FindingFilter::default() };
    let asset = FindingFilter { asset: Some("h2.example".to_owned()), ..FindingFilter::default() };
    for (filter, count) in [(FindingFilter::default(), 12), (high.clone(), 6), (of_scan, 2), (none, 0), (asset, 2)] {
        assert_eq!(all(&app, &cx, &filter).await.len(), count);
        assert_eq!(findings::stats(&cx, &app.services, &filter).await.unwrap().total, count as u64);
    }
    let stats = findings::stats(&cx, &app.services, &high).await.unwrap();
    assert_eq!((stats.by_severity.high, stats.by_severity.medium), (6, 6), "a facet leaves its own filter out");
    assert_eq!(stats.by_check, [("svc.telnet".to_owned(), 6)]);
    assert_eq!(stats.by_status, [("open".to_owned(), 6)]);
    assert_eq!(stats.by_category, [("service".to_owned(), 6)]);
    let sorted = all(&app, &cx, &FindingFilter::default()).await;
    assert!(sorted.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
    worker.stopped().await;
}

async fn accepted_risk_needs_a_reason_and_expires(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    scan(&app, &cx, host("shop.example", "198.51.100.7", "telnet", "1.0")).await;
    let id = telnet(&app, &cx).await.id;
    let until = cx.now() + TimeDelta::days(1);
    let accept = StatusChange { accepted_until: Some(until), ..change(FindingStatus::AcceptedRisk, Some("legacy")) };
    for bad in [
        change(FindingStatus::AcceptedRisk, Some("  ")),
        StatusChange { accepted_until: Some(cx.now()), ..accept.clone() },
        StatusChange { accepted_until: Some(until), ..change(FindingStatus::Open, None) },
        StatusChange { resolution_reason: Some(ResolutionReason::Fixed), ..change(FindingStatus::Open, None) },
        change(FindingStatus::Open, Some(&"x".repeat(2_001))),
    ] {
        assert!(matches!(findings::update(&cx, &app.services, id, bad).await, Err(Error::Invalid(_))));
    }
    let detail = findings::update(&cx, &app.services, id, accept).await.unwrap();
    assert_eq!(detail.finding.accepted_by, cx.actor().user_id());
    worker.stopped().await;
    app.clock.advance(TimeDelta::days(1));
    // Housekeeping runs at the start of a worker.
    let worker = app.work("w2");
    let reopened = async {
        while telnet(&app, &cx).await.status != FindingStatus::Open {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), reopened).await.unwrap();
    let detail = findings::get(&cx, &app.services, id).await.unwrap();
    assert_eq!(detail.history[0].kind, EventKind::AcceptanceExpired);
    assert_eq!((detail.finding.accepted_until, detail.finding.accepted_by), (None, None));
    worker.stopped().await;
}

async fn bulk_says_what_became_of_each(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    scan(&app, &cx, host("shop.example", "198.51.100.7", "telnet", "1.0")).await;
    let ids: Vec<FindingId> = all(&app, &cx, &FindingFilter::default()).await.iter().map(|f| f.id).collect();
    let stranger = FindingId(Uuid::from_u128(1));
    let ack = || change(FindingStatus::Acknowledged, None);
    findings::update(&cx, &app.services, ids[0], ack()).await.unwrap();
    let chosen = Selection::Ids(vec![ids[0], ids[1], stranger]);
    let items = findings::bulk(&cx, &app.services, chosen, ack()).await.unwrap();
    let result = |id| items.iter().find(|item| item.id == id).unwrap().result;
    assert_eq!(
        (result(ids[0]), result(ids[1]), result(stranger)),
        (BulkResult::Unchanged, BulkResult::Updated, BulkResult::NotFound)
    );
    let filtered = |expected| Selection::Filter { filter: Box::default(), expected };
    let done = change(FindingStatus::Resolved, None);
    assert!(matches!(findings::bulk(&cx, &app.services, filtered(3), done.clone()).await, Err(Error::Conflict(_))));
    assert_eq!(findings::bulk(&cx, &app.services, filtered(2), done.clone()).await.unwrap().len(), 2);
    assert!(all(&app, &cx, &FindingFilter::default()).await.iter().all(|f| f.status == FindingStatus::Resolved));
    for bad in [Vec::new(), (0..501).map(|n| FindingId(Uuid::from_u128(n))).collect()] {
        let refused = findings::bulk(&cx, &app.services, Selection::Ids(bad), done.clone()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    worker.stopped().await;
}

async fn removing_the_asset_resolves(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let new = NewAsset { target_value: "shop.example".to_owned(), ..NewAsset::default() };
    let asset = assets::create(&cx, &app.services, new).await.unwrap().asset.id;
    app.script.record([host("shop.example", "198.51.100.7", "telnet", "1.0")]);
    // Named as a target, it is found to be the asset.
    let id =
        scans::create(&cx, &app.services, NewScan { ..new_scan(&["https://shop.example"]) }).await.unwrap().scan.id;
    app.ended(&cx, id).await;
    assert_eq!(telnet(&app, &cx).await.asset_id, Some(asset));
    assets::delete(&cx, &app.services, asset).await.unwrap();
    let gone = telnet(&app, &cx).await;
    assert_eq!((gone.status, gone.resolution_reason), (FindingStatus::Resolved, Some(ResolutionReason::AssetRemoved)));
    assert_eq!(gone.asset_id, None);
    worker.stopped().await;
}

async fn another_organisation_gets_not_found(database: &TestDatabase) {
    use bartizan_storage::organizations::{self, Organization};
    let app = App::new(database).await;
    let cx = app.admin().await;
    let worker = app.work("w1");
    let scan = scan(&app, &cx, host("shop.example", "198.51.100.7", "telnet", "1.0")).await;
    let id = telnet(&app, &cx).await.id;
    let theirs = Organization { id: cx.new_id(), name: "other".to_owned(), created_at: cx.now() };
    let tx = app.store.begin().await.unwrap();
    organizations::insert(tx.db(), &theirs).await.unwrap();
    tx.commit().await.unwrap();
    let other = app.services.system("test", theirs.id);
    let missing = |error: Error| matches!(error, Error::NotFound { .. });
    assert!(missing(findings::get(&other, &app.services, id).await.unwrap_err()));
    let open = change(FindingStatus::Acknowledged, None);
    assert!(missing(findings::update(&other, &app.services, id, open.clone()).await.unwrap_err()));
    let items = findings::bulk(&other, &app.services, Selection::Ids(vec![id]), open).await.unwrap();
    assert_eq!(items[0].result, BulkResult::NotFound);
    assert!(missing(scans::get(&other, &app.services, scan).await.unwrap_err()));
    assert!(missing(scans::document(&other, &app.services, scan).await.unwrap_err()));
    assert!(missing(scans::cancel(&other, &app.services, scan).await.unwrap_err()));
    assert!(missing(scans::delete(&other, &app.services, scan).await.unwrap_err()));
    assert!(missing(scans::subscribe(&other, &app.services, scan).await.unwrap_err()));
    assert!(all(&app, &other, &FindingFilter::default()).await.is_empty());
    assert_eq!(telnet(&app, &cx).await.status, FindingStatus::Open);
    worker.stopped().await;
}
