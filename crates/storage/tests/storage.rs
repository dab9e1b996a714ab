//! The storage layer on both real databases.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_domain::id::{AssetId, JobId, OrganizationId, UserId};
use bartizan_domain::{AssetKind, RiskZone};
use bartizan_storage::assets::{self, Asset, AssetFilter, AssetSeen, AssetSort, Seen};
use bartizan_storage::idempotency::{self, IdempotencyKey, StoredResponse};
use bartizan_storage::jobs::{self, Attempt, AttemptEnd, CancelOutcome, Job, JobStatus, Renewal};
use bartizan_storage::organizations::{self, Organization};
use bartizan_storage::passwords::{self, PasswordReset};
use bartizan_storage::settings::{self, Setting};
use bartizan_storage::users::{self, User};
use bartizan_storage::{Page, SortDir, StorageError, Store};
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

on_both_databases!(
    migrations_run_from_empty_and_again,
    a_dropped_transaction_leaves_nothing,
    assets_are_filtered_sorted_and_paged,
    search_takes_wildcards_literally,
    the_lowest_score_of_a_network_stands,
    another_organisation_sees_nothing,
    settings_are_changed_by_one_at_a_time,
    a_key_taken_over_is_its_former_attempts_no_more,
    a_link_for_a_new_password_is_used_once_and_in_time,
    jobs_are_claimed_once_in_order,
    jobs_are_counted_by_kind,
    a_lost_lease_is_taken_over,
    organisations_take_turns,
    live_jobs_with_one_key_are_one,
    jobs_are_cancelled_waiting_and_running,
);

async fn open(database: &TestDatabase) -> Store {
    match database.sqlite_file() {
        Some(file) => Store::sqlite(&file).await.unwrap(),
        None => Store::postgres(database.postgres_url().unwrap()).await.unwrap(),
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

async fn organization(store: &Store, number: u128) -> OrganizationId {
    let id = OrganizationId(Uuid::from_u128(number));
    let tx = store.begin().await.unwrap();
    organizations::insert(tx.db(), &Organization { id, name: format!("org {number}"), created_at: at(0) })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

fn asset(organization: OrganizationId, number: u128, name: &str) -> Asset {
    Asset {
        id: AssetId(Uuid::from_u128(number)),
        organization_id: organization,
        name: name.to_owned(),
        target_type: AssetKind::Domain,
        target_value: format!("h{number}.example"),
        hostname: None,
        os_distro: None,
        os_version: None,
        risk_zone: RiskZone::Dev,
        criticality: 3,
        scope_confirmed_at: None,
        last_seen_at: None,
        last_scan_id: None,
        score: None,
        demo: false,
        created_at: at(0),
        updated_at: at(0),
        tags: Vec::new(),
    }
}

async fn add(store: &Store, assets: &[Asset]) {
    let tx = store.begin().await.unwrap();
    assets::insert(tx.db(), assets).await.unwrap();
    tx.commit().await.unwrap();
}

async fn names(store: &Store, organization: OrganizationId, filter: AssetFilter) -> Vec<String> {
    let sort = (AssetSort::Name, SortDir::Asc);
    let listed = assets::list(store.read(), organization, &filter, sort, Page::first(500)).await.unwrap();
    assert_eq!(listed.total, listed.rows.len() as u64);
    assert_eq!(assets::count(store.read(), organization, &filter).await.unwrap(), listed.total);
    listed.rows.into_iter().map(|asset| asset.name).collect()
}

async fn migrations_run_from_empty_and_again(database: &TestDatabase) {
    let store = open(database).await;
    let id = organization(&store, 1).await;
    store.close().await.unwrap();
    let again = open(database).await;
    assert_eq!(organizations::get(again.read(), id).await.unwrap().unwrap().name, "org 1");
    assert_eq!(organizations::count(again.read()).await.unwrap(), 1);
    again.ping().await.unwrap();
}

async fn a_dropped_transaction_leaves_nothing(database: &TestDatabase) {
    let store = open(database).await;
    let id = organization(&store, 1).await;
    let tx = store.begin().await.unwrap();
    assets::insert(tx.db(), &[asset(id, 1, "one")]).await.unwrap();
    assert_eq!(assets::count(tx.db(), id, &AssetFilter::default()).await.unwrap(), 1);
    drop(tx);
    assert_eq!(assets::count(store.read(), id, &AssetFilter::default()).await.unwrap(), 0);
}

async fn assets_are_filtered_sorted_and_paged(database: &TestDatabase) {
    let store = open(database).await;
    let id = organization(&store, 1).await;
    let mut many: Vec<Asset> = (1..=1_203).map(|n| asset(id, n, &format!("n{:04}", n))).collect();
    many[0].tags = vec!["pci".to_owned(), "web".to_owned()];
    many[1].tags = vec!["web".to_owned()];
    many[2].risk_zone = RiskZone::Dmz;
    many[3].last_seen_at = Some(at(100));
    many[4].last_seen_at = Some(at(50));
    add(&store, &many).await;

    let tagged = |tag: &str| AssetFilter { tags: vec![tag.to_owned()], ..AssetFilter::default() };
    assert_eq!(names(&store, id, tagged("web")).await, ["n0001", "n0002"]);
    assert_eq!(names(&store, id, tagged("pci")).await, ["n0001"]);
    let zone = AssetFilter { risk_zones: vec![RiskZone::Dmz], ..AssetFilter::default() };
    assert_eq!(names(&store, id, zone).await, ["n0003"]);
    let since = AssetFilter { seen: Some(Seen::Since(at(60))), ..AssetFilter::default() };
    assert_eq!(names(&store, id, since).await, ["n0004"]);
    let stale = AssetFilter { seen: Some(Seen::NotSince(at(60))), ..AssetFilter::default() };
    assert_eq!(assets::count(store.read(), id, &stale).await.unwrap(), 1_202);

    // Every row stands on exactly one page, rows that are equal in the sorted column included.
    let sort = (AssetSort::RiskZone, SortDir::Desc);
    let mut seen = Vec::new();
    for number in 1..=5 {
        let page = Page { number, size: 300 };
        let listed = assets::list(store.read(), id, &AssetFilter::default(), sort, page).await.unwrap();
        assert_eq!(listed.total, 1_203);
        seen.extend(listed.rows.into_iter().map(|asset| asset.id));
    }
    assert_eq!(seen.len(), 1_203);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1_203);

    // Rows without a value come last in either direction.
    for (dir, first) in [(SortDir::Asc, "n0005"), (SortDir::Desc, "n0004")] {
        let sort = (AssetSort::LastSeen, dir);
        let listed = assets::list(store.read(), id, &AssetFilter::default(), sort, Page::first(3)).await.unwrap();
        assert_eq!(listed.rows[0].name, first);
    }
    let tags = async |begin: &str, page| assets::tags(store.read(), id, begin, page).await.unwrap();
    let all = tags("", Page::first(10)).await;
    assert_eq!((all.rows, all.total), (vec![("web".to_owned(), 2), ("pci".to_owned(), 1)], 2));
    let second = tags("", Page { number: 2, size: 1 }).await;
    assert_eq!((second.rows, second.total), (vec![("pci".to_owned(), 1)], 2));
    assert_eq!(tags("W", Page::first(10)).await.total, 1);
    assert_eq!(tags("_eb", Page::first(10)).await.total, 0);
    let twin = Asset { id: AssetId(Uuid::from_u128(9_999)), ..many[0].clone() };
    let tx = store.begin().await.unwrap();
    assert!(matches!(assets::insert(tx.db(), &[twin]).await, Err(StorageError::Unique(_))));
}

async fn search_takes_wildcards_literally(database: &TestDatabase) {
    let store = open(database).await;
    let id = organization(&store, 1).await;
    add(&store, &[asset(id, 1, "100% Shop"), asset(id, 2, "under_score"), asset(id, 3, "back\\slash")]).await;
    let q = |text: &str| AssetFilter { q: Some(text.to_owned()), ..AssetFilter::default() };
    assert_eq!(names(&store, id, q("0% s")).await, ["100% Shop"]);
    assert_eq!(names(&store, id, q("SHOP")).await, ["100% Shop"]);
    assert_eq!(names(&store, id, q("r_s")).await, ["under_score"]);
    assert_eq!(names(&store, id, q("k\\s")).await, ["back\\slash"]);
    assert_eq!(names(&store, id, q("%%")).await, Vec::<String>::new());
    assert_eq!(names(&store, id, q("h2.ex")).await, ["under_score"]);
}

async fn the_lowest_score_of_a_network_stands(database: &TestDatabase) {
    let store = open(database).await;
    let id = organization(&store, 1).await;
    let one = asset(id, 1, "net");
    add(&store, std::slice::from_ref(&one)).await;
    let scan = bartizan_domain::id::ScanId;
    let steps = [
        (scan(1), Some(80), Some(80)),
        (scan(1), Some(60), Some(60)),
        (scan(1), Some(90), Some(60)),
        (scan(1), None, Some(60)),
        (scan(2), None, None),
        (scan(2), Some(95), Some(95)),
        (scan(3), Some(97), Some(97)),
    ];
    for (scan, score, expected) in steps {
        let tx = store.begin().await.unwrap();
        assets::note_scan(tx.db(), id, one.id, AssetSeen { scan, seen_at: None, score }).await.unwrap();
        tx.commit().await.unwrap();
        let now = assets::get(store.read(), id, one.id).await.unwrap().unwrap();
        assert_eq!((now.last_scan_id, now.score), (Some(scan), expected), "{score:?}");
    }
}

async fn another_organisation_sees_nothing(database: &TestDatabase) {
    let store = open(database).await;
    let (ours, theirs) = (organization(&store, 1).await, organization(&store, 2).await);
    let one = asset(ours, 1, "ours");
    add(&store, std::slice::from_ref(&one)).await;
    assert!(assets::get(store.read(), theirs, one.id).await.unwrap().is_none());
    assert!(names(&store, theirs, AssetFilter::default()).await.is_empty());
    let tx = store.begin().await.unwrap();
    assert!(!assets::remove(tx.db(), theirs, one.id).await.unwrap());
    assert_eq!(assets::set_zone(tx.db(), theirs, &[one.id], RiskZone::Dmz, at(1)).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(assets::get(store.read(), ours, one.id).await.unwrap().unwrap(), one);
    // The same target may be an asset of both.
    add(&store, &[Asset { id: AssetId(Uuid::from_u128(2)), organization_id: theirs, ..one }]).await;
}

async fn settings_are_changed_by_one_at_a_time(database: &TestDatabase) {
    let store = open(database).await;
    let id = organization(&store, 1).await;
    let setting = |version, value: i64| Setting {
        key: "k".to_owned(),
        value: json!(value),
        version,
        updated_at: at(0),
        updated_by: None,
    };
    let tx = store.begin().await.unwrap();
    assert!(settings::put(tx.db(), id, &setting(1, 1)).await.unwrap());
    assert!(!settings::put(tx.db(), id, &setting(1, 2)).await.unwrap());
    assert!(settings::put(tx.db(), id, &setting(2, 3)).await.unwrap());
    assert!(!settings::put(tx.db(), id, &setting(2, 4)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(settings::get(store.read(), id, "k").await.unwrap().unwrap().value, json!(3));
}

fn job(number: u128, priority: i32, key: Option<&str>) -> Job {
    Job {
        id: JobId(Uuid::from_u128(number)),
        organization_id: None,
        kind: "k".to_owned(),
        dedupe_key: key.map(str::to_owned),
        priority,
        rank: 0,
        payload: json!({ "n": number as u64 }),
        status: JobStatus::Queued,
        attempts: 0,
        max_attempts: 3,
        run_at: at(0),
        owner: None,
        lease_until: None,
        cancel_requested: false,
        progress: None,
        error: None,
        created_at: at(0),
        started_at: None,
        finished_at: None,
    }
}

async fn enqueue(store: &Store, job: &Job) -> bool {
    let tx = store.begin().await.unwrap();
    let added = jobs::insert(tx.db(), job).await.unwrap();
    tx.commit().await.unwrap();
    added
}

async fn claim(store: &Store, owner: &str, now: DateTime<Utc>, limit: u64) -> Vec<u128> {
    let tx = store.begin().await.unwrap();
    let lease = now + TimeDelta::seconds(60);
    let claimed = jobs::claim(tx.db(), "k", owner, (now, lease), limit).await.unwrap();
    tx.commit().await.unwrap();
    claimed.into_iter().map(|job| job.id.0.as_u128()).collect()
}

fn attempt(job_number: u128, owner: &str, number: i32) -> Attempt<'_> {
    Attempt { job: job(job_number, 0, None).id, owner, number }
}

async fn jobs_are_claimed_once_in_order(database: &TestDatabase) {
    let store = open(database).await;
    for (number, priority) in [(1, 0), (2, 5), (3, 0)] {
        assert!(enqueue(&store, &job(number, priority, None)).await);
    }
    assert!(enqueue(&store, &Job { run_at: at(500), ..job(4, 9, None) }).await);
    assert!(enqueue(&store, &Job { kind: "other".to_owned(), ..job(5, 9, None) }).await);
    assert_eq!(claim(&store, "a", at(1), 2).await, [2, 1]);
    assert_eq!(claim(&store, "b", at(1), 9).await, [3]);
    assert!(claim(&store, "c", at(1), 9).await.is_empty());
    let tx = store.begin().await.unwrap();
    assert!(!jobs::end(tx.db(), attempt(2, "b", 1), &AttemptEnd::Done, at(2)).await.unwrap());
    assert!(jobs::end(tx.db(), attempt(2, "a", 1), &AttemptEnd::Done, at(2)).await.unwrap());
    let retry = AttemptEnd::Retry(at(10), "why".to_owned());
    assert!(jobs::end(tx.db(), attempt(1, "a", 1), &retry, at(2)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(claim(&store, "a", at(9), 9).await.is_empty());
    assert_eq!(claim(&store, "a", at(10), 9).await, [1]);
    let again = jobs::get(store.read(), job(1, 0, None).id).await.unwrap().unwrap();
    assert_eq!((again.attempts, again.started_at, again.error.as_deref()), (2, Some(at(1)), Some("why")));
}

async fn jobs_are_counted_by_kind(database: &TestDatabase) {
    let store = open(database).await;
    let (ours, theirs) = (organization(&store, 1).await, organization(&store, 2).await);
    assert_eq!(jobs::queues(store.read(), None).await.unwrap(), []);
    let of = |id| Some(id);
    for job in [
        Job { created_at: at(20), run_at: at(20), organization_id: of(ours), ..job(1, 0, None) },
        Job { created_at: at(10), run_at: at(90), organization_id: of(ours), ..job(2, 0, None) },
        Job { created_at: at(5), status: JobStatus::Running, ..job(3, 0, None) },
        Job { created_at: at(1), status: JobStatus::Done, ..job(4, 0, None) },
        Job { created_at: at(2), status: JobStatus::Cancelled, kind: "ended".to_owned(), ..job(5, 0, None) },
        Job { status: JobStatus::Failed, kind: "a".to_owned(), organization_id: of(theirs), ..job(6, 0, None) },
    ] {
        assert!(enqueue(&store, &job).await);
    }
    let waiting = jobs::Queue {
        kind: "k".to_owned(),
        waiting: 2,
        waiting_since: Some(at(10)),
        next_due_at: Some(at(20)),
        ..jobs::Queue::default()
    };
    let failed = jobs::Queue { kind: "a".to_owned(), failed: 1, ..jobs::Queue::default() };
    let all = jobs::queues(store.read(), None).await.unwrap();
    assert_eq!(all, [failed.clone(), jobs::Queue { running: 1, ..waiting.clone() }]);
    assert_eq!(jobs::queues(store.read(), Some(ours)).await.unwrap(), [waiting]);
    assert_eq!(jobs::queues(store.read(), Some(theirs)).await.unwrap(), [failed]);
}

async fn a_lost_lease_is_taken_over(database: &TestDatabase) {
    let store = open(database).await;
    assert!(enqueue(&store, &job(1, 0, None)).await);
    assert_eq!(claim(&store, "a", at(0), 1).await, [1]);
    assert_eq!(release_lost(&store, at(60)).await, 0, "the lease holds to its end");
    assert!(claim(&store, "b", at(60), 1).await.is_empty());
    assert_eq!(release_lost(&store, at(61)).await, 1);
    assert_eq!(claim(&store, "b", at(61), 1).await, [1]);
    let tx = store.begin().await.unwrap();
    let renew = |owner, number| {
        let progress = Some(json!({ "done": 1 }));
        jobs::renew(tx.db(), attempt(1, owner, number), at(200), progress)
    };
    assert_eq!(renew("a", 1).await.unwrap(), Renewal::Lost);
    assert_eq!(renew("b", 1).await.unwrap(), Renewal::Lost, "an earlier attempt of the same owner is over");
    assert_eq!(renew("b", 2).await.unwrap(), Renewal::Held);
    tx.commit().await.unwrap();
    let tx = store.begin().await.unwrap();
    assert_eq!(jobs::release_all(tx.db()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(claim(&store, "c", at(62), 1).await, [1], "given back, it is claimable at once");
}

async fn release_lost(store: &Store, now: DateTime<Utc>) -> u64 {
    let tx = store.begin().await.unwrap();
    let released = jobs::release_lost(tx.db(), now).await.unwrap();
    tx.commit().await.unwrap();
    released
}

async fn organisations_take_turns(database: &TestDatabase) {
    let store = open(database).await;
    let (busy, quiet) = (organization(&store, 901).await, organization(&store, 902).await);
    let of = |id: OrganizationId, number: u128| Job { organization_id: Some(id), ..job(number, 0, None) };
    for number in 1..=6 {
        assert!(enqueue(&store, &of(busy, number)).await);
    }
    assert_eq!(claim(&store, "a", at(1), 2).await, [1, 2]);
    for number in 11..=13 {
        assert!(enqueue(&store, &of(quiet, number)).await);
    }
    // Who came late with few waits for as many as it has itself, not for all.
    assert_eq!(claim(&store, "a", at(1), 6).await, [3, 11, 4, 12, 5, 13]);
    assert_eq!(claim(&store, "a", at(1), 6).await, [6]);
    // Priority orders an organisation's own jobs and pushes nobody else aside.
    for number in [14, 15, 16] {
        assert!(enqueue(&store, &of(busy, number)).await);
    }
    for number in [17, 18] {
        assert!(enqueue(&store, &Job { priority: 9, ..of(busy, number) }).await);
    }
    for number in [21, 22] {
        assert!(enqueue(&store, &of(quiet, number)).await);
    }
    assert_eq!(claim(&store, "a", at(1), 4).await, [17, 21, 18, 22]);
    assert_eq!(claim(&store, "a", at(1), 9).await, [14, 15, 16]);
    assert!(jobs::stop_requests(store.read(), "a").await.unwrap().is_empty());
    let tx = store.begin().await.unwrap();
    assert!(jobs::holds(tx.db(), attempt(21, "a", 1)).await.unwrap());
    assert!(!jobs::holds(tx.db(), attempt(21, "b", 1)).await.unwrap());
    assert_eq!(jobs::cancel_one(tx.db(), job(21, 0, None).id, at(2)).await.unwrap(), CancelOutcome::Running);
    tx.commit().await.unwrap();
    assert_eq!(jobs::stop_requests(store.read(), "a").await.unwrap(), [job(21, 0, None).id]);
}

async fn live_jobs_with_one_key_are_one(database: &TestDatabase) {
    let store = open(database).await;
    assert!(enqueue(&store, &job(1, 0, Some("x"))).await);
    assert!(!enqueue(&store, &job(2, 0, Some("x"))).await);
    assert!(enqueue(&store, &job(3, 0, Some("y"))).await);
    assert_eq!(claim(&store, "a", at(0), 1).await, [1]);
    assert!(!enqueue(&store, &job(4, 0, Some("x"))).await, "running counts as live");
    let tx = store.begin().await.unwrap();
    assert!(jobs::end(tx.db(), attempt(1, "a", 1), &AttemptEnd::Done, at(1)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(enqueue(&store, &job(5, 0, Some("x"))).await, "ended is not live");
    let tx = store.begin().await.unwrap();
    assert!(jobs::record_fire(tx.db(), "timer", at(0)).await.unwrap());
    assert!(!jobs::record_fire(tx.db(), "timer", at(0)).await.unwrap());
}

async fn jobs_are_cancelled_waiting_and_running(database: &TestDatabase) {
    let store = open(database).await;
    assert!(enqueue(&store, &job(1, 0, Some("x"))).await);
    let cancel = async |key: &str| {
        let tx = store.begin().await.unwrap();
        let outcome = jobs::request_cancel(tx.db(), "k", key, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        outcome
    };
    assert_eq!(cancel("x").await, CancelOutcome::WasWaiting);
    assert_eq!(cancel("x").await, CancelOutcome::NoJob);
    assert!(enqueue(&store, &job(2, 0, Some("x"))).await);
    assert_eq!(claim(&store, "a", at(1), 1).await, [2]);
    assert_eq!(cancel("x").await, CancelOutcome::Running);
    let tx = store.begin().await.unwrap();
    assert_eq!(jobs::renew(tx.db(), attempt(2, "a", 1), at(9), None).await.unwrap(), Renewal::StopAsked);
}

/// Does one thing in a transaction of its own.
macro_rules! within {
    ($store:expr, $tx:ident => $work:expr) => {{
        let $tx = $store.begin().await.unwrap();
        let done = $work.await.unwrap();
        $tx.commit().await.unwrap();
        done
    }};
}

async fn a_key_taken_over_is_its_former_attempts_no_more(database: &TestDatabase) {
    let store = open(database).await;
    let organization_id = organization(&store, 1).await;
    let text = |text: &str| text.to_owned();
    let key = IdempotencyKey { organization_id, principal: text("ada"), path: text("POST /x"), key: text("k") };
    let answer = StoredResponse { status: 201, headers: json!({}), body: b"made".to_vec() };
    let (first, second) = (at(0), at(300));
    assert!(within!(store, tx => idempotency::claim(tx.db(), &key, b"hash", first)));
    assert!(!within!(store, tx => idempotency::claim(tx.db(), &key, b"hash", second)));
    assert!(within!(store, tx => idempotency::take_over(tx.db(), &key, first, second)));
    assert!(!within!(store, tx => idempotency::take_over(tx.db(), &key, first, at(301))), "of two, one");
    assert!(!within!(store, tx => idempotency::apply(tx.db(), &key, first, "late")), "the slow one is too late");
    within!(store, tx => idempotency::complete(tx.db(), &key, first, &answer));
    within!(store, tx => idempotency::release(tx.db(), &key, first));
    let found = idempotency::get(store.read(), &key).await.unwrap().unwrap();
    assert_eq!((found.response, found.applied, found.leased_at, found.created_at), (None, None, second, first));
    assert!(within!(store, tx => idempotency::apply(tx.db(), &key, second, "asset.create 1")));
    assert!(!within!(store, tx => idempotency::take_over(tx.db(), &key, second, at(900))), "it was carried out");
    within!(store, tx => idempotency::release(tx.db(), &key, second));
    within!(store, tx => idempotency::complete(tx.db(), &key, second, &answer));
    let found = idempotency::get(store.read(), &key).await.unwrap().unwrap();
    assert_eq!((found.response, found.applied.as_deref()), (Some(answer), Some("asset.create 1")));
}

async fn a_link_for_a_new_password_is_used_once_and_in_time(database: &TestDatabase) {
    let store = open(database).await;
    let user = User {
        id: UserId(Uuid::from_u128(9)),
        username: "ada".to_owned(),
        email: "ada@example.test".to_owned(),
        password_hash: None,
        auth_provider: "internal".to_owned(),
        is_active: true,
        theme_preference: "system".to_owned(),
        created_at: at(0),
        updated_at: at(0),
        last_login_at: None,
    };
    within!(store, tx => users::insert(tx.db(), &user));
    let reset = |number: u8| PasswordReset {
        token_hash: vec![number; 32],
        user_id: user.id,
        created_at: at(i64::from(number)),
        expires_at: at(3600 + i64::from(number)),
        used_at: None,
    };
    for number in 1..=3 {
        within!(store, tx => passwords::insert_reset(tx.db(), &reset(number)));
    }
    assert_eq!(passwords::count_resets(store.read(), user.id, at(2)).await.unwrap(), 2);
    assert!(!within!(store, tx => passwords::use_reset(tx.db(), &[1; 32], at(3601))), "too late");
    assert!(within!(store, tx => passwords::use_reset(tx.db(), &[2; 32], at(3601))));
    assert!(!within!(store, tx => passwords::use_reset(tx.db(), &[2; 32], at(3601))), "once");
    within!(store, tx => passwords::use_resets(tx.db(), user.id, at(3601)));
    let used = passwords::reset(store.read(), &[3; 32]).await.unwrap().unwrap();
    assert_eq!(used.used_at, Some(at(3601)));
    within!(store, tx => passwords::remove_old(tx.db(), at(3603)));
    assert_eq!(passwords::reset(store.read(), &[1; 32]).await.unwrap(), None);
    assert!(passwords::reset(store.read(), &[3; 32]).await.unwrap().is_some());
}
