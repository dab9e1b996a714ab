//! Lists and counts of findings: counts that are kept agree with counts of rows, and every row is on exactly one page.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use bartizan_domain::id::{FindingId, OrganizationId, ScanId};
use bartizan_domain::{AssetRef, CheckId, Confidence, FindingStatus, Fingerprint, Location, Severity};
use bartizan_storage::findings::{self, Facet, Finding, FindingFilter, FindingSort};
use bartizan_storage::organizations::{self, Organization};
use bartizan_storage::{Page, SortDir, Store};
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

on_both_databases!(
    kept_counts_agree_with_the_rows,
    every_row_is_on_one_page_and_behind_one_cursor,
    a_text_is_found_wherever_it_is,
    what_came_and_went_adds_up_to_what_is_there,
);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

async fn open(database: &TestDatabase) -> (Store, OrganizationId) {
    let store = match database.sqlite_file() {
        Some(file) => Store::sqlite(&file).await.unwrap(),
        None => Store::postgres(database.postgres_url().unwrap()).await.unwrap(),
    };
    let id = OrganizationId(Uuid::from_u128(1));
    let tx = store.begin().await.unwrap();
    organizations::insert(tx.db(), &Organization { id, name: "Org".to_owned(), created_at: at(0) }).await.unwrap();
    tx.commit().await.unwrap();
    (store, id)
}

/// A finding whose every column follows from its number.
fn finding(organization_id: OrganizationId, number: u64) -> Finding {
    let check_id = CheckId::parse(&format!("group.check_{}", number % 7)).unwrap();
    let asset = format!("h{}.example", number % 113);
    let location = Location::from_stored(format!("tcp/{number}"));
    let severity = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let status = [FindingStatus::Open, FindingStatus::Acknowledged, FindingStatus::Resolved];
    let seen = at(i64::try_from(number % 1_000).unwrap());
    let status = status[usize::try_from(number % 3).unwrap()];
    Finding {
        id: FindingId(Uuid::from_u128(number.into())),
        organization_id,
        fingerprint: Fingerprint::of(&check_id, &AssetRef::from_canonical(&asset), &location),
        title: format!("Title {}", number % 7),
        category: format!("group-{}", number % 3),
        check_id,
        severity: severity[usize::try_from(number % 5).unwrap()],
        confidence: Confidence::Confirmed,
        asset,
        asset_id: None,
        location,
        status,
        resolution_reason: None,
        status_note: None,
        status_changed_at: seen,
        accepted_until: None,
        accepted_by: None,
        evidence: json!({}),
        first_seen_at: seen,
        last_seen_at: seen,
        first_scan_id: ScanId(1),
        last_scan_id: ScanId(1),
        occurrences: number % 11,
        reopened: 0,
        resolved_at: (status == FindingStatus::Resolved).then_some(seen + TimeDelta::seconds(300)),
        resolved_scan_id: None,
        demo: number.is_multiple_of(10),
        updated_at: seen,
    }
}

async fn write(store: &Store, rows: &[Finding]) {
    let tx = store.begin().await.unwrap();
    findings::upsert(tx.db(), rows).await.unwrap();
    tx.commit().await.unwrap();
}

/// The same question asked so that rows have to be counted.
fn by_rows(filter: &FindingFilter) -> FindingFilter {
    FindingFilter { first_seen_after: Some(at(-1)), ..filter.clone() }
}

fn filters() -> Vec<FindingFilter> {
    let all = FindingFilter::default;
    vec![
        all(),
        FindingFilter { severities: vec![Severity::Critical, Severity::High], ..all() },
        FindingFilter { statuses: vec![FindingStatus::Open], demo: Some(false), ..all() },
        FindingFilter { categories: vec!["group-1".to_owned()], severities: vec![Severity::Low], ..all() },
        FindingFilter { checks: vec!["group.check_3".to_owned()], ..all() },
        FindingFilter { statuses: vec![FindingStatus::AcceptedRisk], ..all() },
    ]
}

async fn compare(store: &Store, organization: OrganizationId) {
    let db = store.read();
    for filter in filters() {
        let rows = by_rows(&filter);
        let counted = findings::count(db, organization, &rows).await.unwrap();
        assert_eq!(findings::count(db, organization, &filter).await.unwrap(), counted, "{filter:?}");
        assert_eq!(
            findings::by_severity(db, organization, &filter).await.unwrap(),
            findings::by_severity(db, organization, &rows).await.unwrap()
        );
        for facet in [Facet::Severity, Facet::Status, Facet::Category, Facet::Check] {
            assert_eq!(
                findings::facet(db, organization, &filter, facet).await.unwrap(),
                findings::facet(db, organization, &rows, facet).await.unwrap(),
                "{filter:?} by {facet:?}"
            );
        }
    }
    let mut open: BTreeMap<CheckId, (Severity, u64)> = BTreeMap::new();
    let unresolved = [FindingStatus::Open, FindingStatus::Acknowledged, FindingStatus::InProgress];
    let filter = by_rows(&FindingFilter { statuses: unresolved.to_vec(), ..FindingFilter::default() });
    let sort = (FindingSort::Check, SortDir::Asc);
    for row in findings::list(db, organization, &filter, sort, Page::first(10_000)).await.unwrap().rows {
        let (worst, count) = open.entry(row.check_id).or_insert((row.severity, 0));
        *worst = (*worst).max(row.severity);
        *count += 1;
    }
    let kept = findings::open_by_check(db, organization).await.unwrap();
    let kept: BTreeMap<CheckId, (Severity, u64)> = kept.into_iter().map(|(check, s, n)| (check, (s, n))).collect();
    assert_eq!(kept, open);
}

async fn compact(store: &Store) {
    let tx = store.begin().await.unwrap();
    findings::compact(tx.db()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn kept_counts_agree_with_the_rows(database: &TestDatabase) {
    let (store, organization) = open(database).await;
    compare(&store, organization).await;
    let mut rows: Vec<Finding> = (1..=400).map(|number| finding(organization, number)).collect();
    write(&store, &rows).await;
    compare(&store, organization).await;
    // The same again, changed in every way that counts, and changed in ways that do not.
    for (index, row) in rows.iter_mut().enumerate() {
        match index % 5 {
            0 => row.status = FindingStatus::AcceptedRisk,
            1 => row.severity = Severity::Info,
            2 => row.category = "another".to_owned(),
            3 => row.demo = false,
            _ => row.last_seen_at += TimeDelta::hours(1),
        }
    }
    rows.extend((401..=450).map(|number| finding(organization, number)));
    write(&store, &rows).await;
    compare(&store, organization).await;
    compact(&store).await;
    compare(&store, organization).await;
    // Undone, it was never counted.
    let tx = store.begin().await.unwrap();
    findings::upsert(tx.db(), &[finding(organization, 999)]).await.unwrap();
    drop(tx);
    let tx = store.begin().await.unwrap();
    assert!(findings::remove_demo(tx.db(), organization).await.unwrap() > 0);
    tx.commit().await.unwrap();
    compare(&store, organization).await;
    compact(&store).await;
    compact(&store).await;
    compare(&store, organization).await;
    // Two at once, with the same counts to change.
    let (one, two): (Vec<_>, Vec<_>) = (500..900).map(|number| finding(organization, number)).partition(|f| f.demo);
    tokio::join!(write(&store, &one), write(&store, &two), compact(&store));
    compare(&store, organization).await;
}

async fn every_row_is_on_one_page_and_behind_one_cursor(database: &TestDatabase) {
    let (store, organization) = open(database).await;
    let rows: Vec<Finding> = (1..=7_000).map(|number| finding(organization, number)).collect();
    write(&store, &rows).await;
    let sorts = [FindingSort::Severity, FindingSort::LastSeen, FindingSort::Title, FindingSort::Occurrences];
    let all_but_info = vec![Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let narrow = FindingFilter { severities: all_but_info, ..FindingFilter::default() };
    let gaps = FindingFilter { severities: vec![Severity::Info, Severity::High], ..FindingFilter::default() };
    let checks = ["group.check_1", "group.check_4"].map(str::to_owned);
    let one_check = FindingFilter { checks: checks[..1].to_vec(), ..narrow.clone() };
    let two_checks = FindingFilter { checks: checks.to_vec(), ..FindingFilter::default() };
    for sort in sorts {
        for (filter, dir) in [
            (FindingFilter::default(), SortDir::Desc),
            (narrow.clone(), SortDir::Asc),
            (gaps.clone(), SortDir::Desc),
            (one_check.clone(), SortDir::Desc),
            (two_checks.clone(), SortDir::Asc),
        ] {
            let mut paged: Vec<FindingId> = Vec::new();
            for number in 1.. {
                let page = Page { number, size: 1_500 };
                let listed = findings::list(store.read(), organization, &filter, (sort, dir), page).await.unwrap();
                if listed.rows.is_empty() {
                    assert_eq!(paged.len() as u64, listed.total);
                    break;
                }
                paged.extend(listed.rows.iter().map(|row| row.id));
            }
            let first = Page::first(1_500);
            let mut listed = findings::list(store.read(), organization, &filter, (sort, dir), first).await.unwrap();
            let mut walked: Vec<FindingId> = Vec::new();
            while let Some(last) = listed.rows.last().cloned() {
                walked.extend(listed.rows.iter().map(|row| row.id));
                let after = (&last, 1_500);
                listed = findings::list_after(store.read(), organization, &filter, (sort, dir), after).await.unwrap();
                assert_eq!(listed.total, paged.len() as u64);
            }
            assert!(walked == paged, "by {sort:?} {dir:?}: {} on pages, {} by cursor", paged.len(), walked.len());
            walked.sort();
            walked.dedup();
            assert_eq!(walked.len(), paged.len(), "by {sort:?} {dir:?}");
        }
    }
}

async fn what_came_and_went_adds_up_to_what_is_there(database: &TestDatabase) {
    let (store, organization) = open(database).await;
    let mut rows: Vec<Finding> = (1..=900).map(|number| finding(organization, number)).collect();
    for row in rows.iter_mut().filter(|row| row.severity == Severity::High).step_by(4) {
        (row.status, row.resolved_at) = (FindingStatus::AcceptedRisk, None);
    }
    write(&store, &rows).await;
    for (demo, since) in [(false, at(400)), (true, at(400)), (false, at(-1)), (false, at(5_000))] {
        let moved = findings::movements(store.read(), organization, demo, since).await.unwrap();
        let counted: Vec<&Finding> =
            rows.iter().filter(|row| row.demo == demo && row.status != FindingStatus::AcceptedRisk).collect();
        let count = |passes: &dyn Fn(&Finding) -> bool| -> BTreeMap<Severity, u64> {
            let mut counts = BTreeMap::new();
            for row in counted.iter().filter(|row| passes(row)) {
                *counts.entry(row.severity).or_default() += 1;
            }
            counts
        };
        let of_days = |days: &[findings::DayCount]| -> BTreeMap<Severity, u64> {
            let mut counts = BTreeMap::new();
            for day in days {
                *counts.entry(day.severity).or_default() += day.count;
            }
            counts
        };
        let late = |time: Option<DateTime<Utc>>| time.is_some_and(|time| time >= since);
        let before = count(&|row| row.first_seen_at < since && (row.resolved_at.is_none() || late(row.resolved_at)));
        let mut expected = bartizan_storage::SeverityCounts::default();
        for (severity, count) in before {
            expected.add(severity, count);
        }
        assert_eq!(moved.before, expected, "demo {demo}, since {since}");
        assert_eq!(of_days(&moved.appeared), count(&|row| row.first_seen_at >= since));
        assert_eq!(of_days(&moved.resolved), count(&|row| late(row.resolved_at)));
    }
}

/// What a walk over all of them finds.
fn holding<'a>(rows: &'a [Finding], needle: &str) -> Vec<&'a Finding> {
    let holds = |text: &str| text.to_lowercase().contains(&needle.to_lowercase());
    let fields = |row: &Finding| {
        [row.title.clone(), row.asset.clone(), row.check_id.to_string(), row.location.as_str().to_owned()]
    };
    rows.iter().filter(|row| fields(row).iter().any(|field| holds(field))).collect()
}

async fn search(store: &Store, organization: OrganizationId, rows: &[Finding], needle: &str) {
    let db = store.read();
    let text = FindingFilter { q: Some(needle.to_owned()), ..FindingFilter::default() };
    let high = FindingFilter { severities: vec![Severity::High], ..text.clone() };
    let one_check = FindingFilter { checks: vec!["group.check_3".to_owned()], ..text.clone() };
    for filter in [text, high, one_check] {
        let passes = |row: &&Finding| {
            (filter.severities.is_empty() || filter.severities.contains(&row.severity))
                && (filter.checks.is_empty() || filter.checks.contains(&row.check_id.to_string()))
        };
        let mut expected: Vec<FindingId> = holding(rows, needle).into_iter().filter(passes).map(|row| row.id).collect();
        expected.sort();
        let total = expected.len() as u64;
        assert_eq!(findings::count(db, organization, &filter).await.unwrap(), total, "{filter:?}");
        let sort = (FindingSort::Severity, SortDir::Desc);
        let listed = findings::list(db, organization, &filter, sort, Page::first(10_000)).await.unwrap();
        assert!(listed.rows.is_sorted_by(|a, b| (a.severity, a.id) >= (b.severity, b.id)));
        let mut found: Vec<FindingId> = listed.rows.iter().map(|row| row.id).collect();
        found.sort();
        assert!(found == expected, "{filter:?}: {} instead of {}", found.len(), expected.len());
        if let Some(middle) = listed.rows.get(listed.rows.len() / 2) {
            let rest = findings::list_after(db, organization, &filter, sort, (middle, 10_000)).await.unwrap();
            assert_eq!(rest.total, total);
            assert_eq!(rest.rows, listed.rows[listed.rows.len() / 2 + 1..], "{filter:?}");
        }
        assert_eq!(findings::ids(db, organization, &filter, 10_000).await.unwrap(), expected);
        let by_severity = findings::facet(db, organization, &filter, Facet::Severity).await.unwrap();
        assert_eq!(by_severity.iter().map(|(_, count)| count).sum::<u64>(), total, "{filter:?}");
        let mut of_checks: BTreeMap<String, u64> = BTreeMap::new();
        for row in holding(rows, needle).into_iter().filter(passes) {
            *of_checks.entry(row.check_id.to_string()).or_default() += 1;
        }
        let mut of_checks: Vec<(String, u64)> = of_checks.into_iter().collect();
        of_checks.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        assert_eq!(findings::facet(db, organization, &filter, Facet::Check).await.unwrap(), of_checks, "{filter:?}");
    }
}

async fn a_text_is_found_wherever_it_is(database: &TestDatabase) {
    let (store, organization) = open(database).await;
    let mut rows: Vec<Finding> = (1..=7_000).map(|number| finding(organization, number)).collect();
    rows[0].location = Location::from_stored(format!("tcp/443/{}%_end", "long".repeat(700)));
    write(&store, &rows).await;
    let other = OrganizationId(Uuid::from_u128(2));
    let tx = store.begin().await.unwrap();
    organizations::insert(tx.db(), &Organization { id: other, name: "Other".to_owned(), created_at: at(0) })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut theirs = finding(other, 8_000);
    theirs.asset = "elsewhere.example".to_owned();
    write(&store, &[theirs.clone()]).await;
    let needles = [
        "h11",
        "H11.EX",
        "example",
        "check_3",
        "title 3",
        "TCP/70",
        "tcp/7000",
        "3",
        "1",
        "%_END",
        "_",
        "elsewhere",
        "nowhere",
        "",
    ];
    for needle in needles {
        search(&store, organization, &rows, needle).await;
    }
    search(&store, other, &[theirs], "elsewhere").await;

    // A check with several titles, and one that has changed its only one.
    for row in &mut rows {
        if row.check_id.as_str() == "group.check_4" || (row.check_id.as_str() == "group.check_5" && row.demo) {
            row.title = "Another name".to_owned();
        }
    }
    write(&store, &rows).await;
    for needle in ["another", "title 4", "title 5", "check_5"] {
        search(&store, organization, &rows, needle).await;
    }
}
