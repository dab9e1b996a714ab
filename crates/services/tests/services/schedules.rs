//! Schedules: when they fire, how often, and what happens when they cannot.

use bartizan_domain::id::{ScanId, ScheduleId};
use bartizan_domain::schedule::{CatchUp, DayRule, Overlap, RunCause, RunOutcome};
use bartizan_domain::{Error, ScanStatus};
use bartizan_services::assets::{self, NewAsset};
use bartizan_services::scans::{self, NewScan, ScanFilter, ScanSort};
use bartizan_services::schedules::{self, NewSchedule, ScheduleRun};
use bartizan_services::{OpContext, Page, ServicesConfig, SortDir};
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::TimeDelta;

use crate::support::{App, closed, new_scan};

on_both_databases!(
    a_schedule_fires_at_its_time_and_says_when_next,
    two_servers_fire_once,
    a_missed_run_is_made_up_for_or_not,
    the_scan_before_is_not_overrun,
    a_paused_schedule_waits_and_runs_on_request,
    jitter_is_drawn_once_and_told,
    an_asset_that_is_gone_is_left_out,
    bad_schedules_are_refused,
);

/// Every full hour, scanning one host of the recording.
fn hourly(name: &str) -> NewSchedule {
    NewSchedule {
        name: name.to_owned(),
        enabled: true,
        cron: "0 * * * *".to_owned(),
        day_rule: DayRule::Or,
        time_zone: "UTC".to_owned(),
        jitter_seconds: 0,
        catch_up: CatchUp::Once,
        overlap: Overlap::Skip,
        scan: new_scan(&["192.0.2.1"]),
    }
}

async fn ready(database: &TestDatabase) -> (App, OpContext) {
    let app = App::new(database).await;
    app.script.record([closed("192.0.2.1", "192.0.2.1")]);
    let cx = app.admin().await;
    (app, cx)
}

async fn create(app: &App, cx: &OpContext, new: NewSchedule) -> ScheduleId {
    schedules::create(cx, &app.services, new).await.unwrap().schedule.id
}

async fn history(app: &App, cx: &OpContext, id: ScheduleId) -> Vec<ScheduleRun> {
    schedules::runs(cx, &app.services, id, Page::first(50)).await.unwrap().rows
}

/// Waits until the history has this many runs.
async fn runs(app: &App, cx: &OpContext, id: ScheduleId, count: usize) -> Vec<ScheduleRun> {
    app.until(async || {
        let runs = history(app, cx, id).await;
        (runs.len() >= count).then_some(runs)
    })
    .await
}

async fn scans_of(app: &App, cx: &OpContext) -> Vec<(ScanId, ScanStatus, String)> {
    let sort = (ScanSort::Id, SortDir::Asc);
    let listed = scans::list(cx, &app.services, &ScanFilter::default(), sort, Page::first(100)).await.unwrap();
    listed.rows.into_iter().map(|view| (view.scan.id, view.scan.status, view.scan.started_by_name)).collect()
}

async fn a_schedule_fires_at_its_time_and_says_when_next(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    let id = create(&app, &cx, hourly("Hourly")).await;
    let view = schedules::get(&cx, &app.services, id).await.unwrap();
    let first = view.schedule.due_at.unwrap();
    assert_eq!(first.format("%M:%S").to_string(), "00:00");
    assert!(first > cx.now() && first <= cx.now() + TimeDelta::hours(1));
    let _worker = app.work("w1");
    app.clock.set(first);
    let run = runs(&app, &cx, id, 1).await.remove(0);
    assert_eq!((run.cause, run.outcome, run.fire_at, run.reason), (RunCause::Cron, RunOutcome::Started, first, None));
    let scan = run.scan_id.unwrap();
    app.ended(&cx, scan).await;
    assert_eq!(scans_of(&app, &cx).await, [(scan, ScanStatus::Completed, "Schedule: Hourly".to_owned())]);
    let after = schedules::get(&cx, &app.services, id).await.unwrap().schedule;
    assert_eq!(after.due_at, Some(first + TimeDelta::hours(1)));
    assert_eq!((after.last_scan_id, after.last_outcome), (Some(scan), Some(RunOutcome::Started)));

    app.clock.set(first + TimeDelta::hours(1));
    assert_eq!(runs(&app, &cx, id, 2).await.len(), 2);
    schedules::delete(&cx, &app.services, id).await.unwrap();
    assert!(matches!(schedules::get(&cx, &app.services, id).await, Err(Error::NotFound { .. })));
    assert_eq!(scans_of(&app, &cx).await.len(), 2, "scans stay");
}

async fn two_servers_fire_once(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    let other = App::with(database, ServicesConfig::default(), 1 << 32).await;
    let mut ids = Vec::new();
    for number in 0..10 {
        let overlap = Overlap::Allow;
        ids.push(create(&app, &cx, NewSchedule { overlap, ..hourly(&format!("S{number}")) }).await);
    }
    let due = schedules::get(&cx, &app.services, ids[0]).await.unwrap().schedule.due_at.unwrap();
    let _workers = (app.work("w1"), app.work("w2"), other.work("w3"));
    // Each process has a clock of its own, and they never agree exactly.
    other.clock.set(due + TimeDelta::milliseconds(300));
    app.clock.set(due);
    for id in &ids {
        runs(&app, &cx, *id, 1).await;
    }
    let scans = scans_of(&app, &cx).await;
    assert_eq!(scans.len(), ids.len());
    for (scan, ..) in scans {
        app.ended(&cx, scan).await;
    }
    for id in ids {
        assert_eq!(history(&app, &cx, id).await.len(), 1);
    }
}

async fn a_missed_run_is_made_up_for_or_not(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    let once = create(&app, &cx, hourly("Once")).await;
    let skip = create(&app, &cx, NewSchedule { catch_up: CatchUp::Skip, ..hourly("Skip") }).await;
    let first = schedules::get(&cx, &app.services, once).await.unwrap().schedule.due_at.unwrap();
    // No server runs for three and a half hours.
    app.clock.set(first + TimeDelta::minutes(150));
    let worker = app.work("w1");
    let made_up = runs(&app, &cx, once, 1).await.remove(0);
    assert_eq!((made_up.cause, made_up.outcome), (RunCause::CatchUp, RunOutcome::Started));
    assert_eq!(made_up.fire_at, first + TimeDelta::hours(2));
    assert_eq!(made_up.reason.as_deref(), Some("2 earlier instants passed while no server ran"));
    let missed = runs(&app, &cx, skip, 1).await.remove(0);
    assert_eq!((missed.outcome, missed.scan_id), (RunOutcome::Missed, None));
    for id in [once, skip] {
        let schedule = schedules::get(&cx, &app.services, id).await.unwrap().schedule;
        assert_eq!(schedule.due_at, Some(first + TimeDelta::hours(3)));
        assert_eq!(history(&app, &cx, id).await.len(), 1);
    }
    app.ended(&cx, made_up.scan_id.unwrap()).await;
    worker.stopped().await;

    // Even years of minutes are walked over in a moment.
    let minutes = NewSchedule { cron: "* * * * *".to_owned(), ..hourly("Minutes") };
    let minutes = create(&app, &cx, minutes).await;
    app.clock.set(first + TimeDelta::days(800));
    let _worker = app.work("w2");
    let run = runs(&app, &cx, minutes, 1).await.remove(0);
    assert_eq!(run.outcome, RunOutcome::Started);
    let schedule = schedules::get(&cx, &app.services, minutes).await.unwrap().schedule;
    assert_eq!(schedule.due_at, Some(first + TimeDelta::days(800) + TimeDelta::minutes(1)));
}

async fn the_scan_before_is_not_overrun(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    *app.script.hangs_on.lock().unwrap() = Some("192.0.2.1".to_owned());
    let mut ids = Vec::new();
    for overlap in [Overlap::Skip, Overlap::Queue] {
        ids.push(create(&app, &cx, NewSchedule { overlap, ..hourly(overlap.as_str()) }).await);
    }
    let first = schedules::get(&cx, &app.services, ids[0]).await.unwrap().schedule.due_at.unwrap();
    let _worker = app.work("w1");
    app.clock.set(first);
    let mut running = Vec::new();
    for id in &ids {
        running.push(runs(&app, &cx, *id, 1).await.remove(0).scan_id.unwrap());
    }
    for hour in 1..=2 {
        app.clock.set(first + TimeDelta::hours(hour));
        runs(&app, &cx, ids[0], 1 + usize::try_from(hour).unwrap()).await;
        // Two instants that are due at once are one to a schedule: each must be acted on before the next.
        app.until(async || {
            let view = schedules::get(&cx, &app.services, ids[1]).await.unwrap();
            view.schedule.due_at.filter(|due| *due > first + TimeDelta::hours(hour))
        })
        .await;
    }
    let skipped = history(&app, &cx, ids[0]).await;
    assert_eq!(skipped[0].outcome, RunOutcome::Skipped);
    assert_eq!(skipped[0].reason, Some(format!("scan {} of this schedule has not ended", running[0])));
    // Of the two instants one waits and the other is left out.
    let queued = runs(&app, &cx, ids[1], 2).await;
    assert_eq!(queued[0].outcome, RunOutcome::Skipped);
    assert!(schedules::get(&cx, &app.services, ids[1]).await.unwrap().schedule.waiting_fire_at.is_some());
    assert_eq!(scans_of(&app, &cx).await.len(), 2);

    *app.script.hangs_on.lock().unwrap() = None;
    for scan in running {
        scans::cancel(&cx, &app.services, scan).await.unwrap();
        app.ended(&cx, scan).await;
    }
    let started = runs(&app, &cx, ids[1], 3).await;
    let late = started.iter().find(|run| run.cause == RunCause::Queued).unwrap();
    assert_eq!((late.outcome, late.fire_at), (RunOutcome::Started, first + TimeDelta::hours(1)));
    app.ended(&cx, late.scan_id.unwrap()).await;
    assert_eq!(history(&app, &cx, ids[0]).await.len(), 3, "what was skipped stays skipped");
}

async fn a_paused_schedule_waits_and_runs_on_request(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    let id = create(&app, &cx, NewSchedule { enabled: false, ..hourly("Paused") }).await;
    assert_eq!(schedules::get(&cx, &app.services, id).await.unwrap().schedule.due_at, None);
    let _worker = app.work("w1");
    let scan = schedules::run_now(&cx, &app.services, id).await.unwrap();
    let again = schedules::run_now(&cx, &app.services, id).await.unwrap();
    assert_ne!(scan, again);
    app.ended(&cx, scan).await;
    app.ended(&cx, again).await;
    let history = history(&app, &cx, id).await;
    assert_eq!(history.iter().map(|run| run.cause).collect::<Vec<_>>(), [RunCause::Manual; 2]);
    let resumed = schedules::update(&cx, &app.services, id, hourly("Paused"), None).await.unwrap();
    assert!(resumed.schedule.due_at.is_some_and(|due| due > cx.now()));
    let stale = schedules::update(&cx, &app.services, id, hourly("Paused"), Some(1)).await;
    assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
}

async fn jitter_is_drawn_once_and_told(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    let mut offsets = Vec::new();
    for number in 0..12 {
        let new = NewSchedule { jitter_seconds: 600, ..hourly(&format!("J{number}")) };
        let schedule = schedules::create(&cx, &app.services, new).await.unwrap().schedule;
        let offset = TimeDelta::seconds(schedule.jitter_offset_seconds.into());
        assert_eq!(schedule.due_at, schedule.next_fire_at.map(|at| at + offset));
        assert!((0..600).contains(&schedule.jitter_offset_seconds));
        offsets.push(schedule.jitter_offset_seconds);
    }
    offsets.sort_unstable();
    offsets.dedup();
    assert!(offsets.len() > 8, "{offsets:?}");
}

async fn an_asset_that_is_gone_is_left_out(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    let mut ids = Vec::new();
    for target in ["192.0.2.1", "192.0.2.9"] {
        let new = NewAsset { target_value: target.to_owned(), ..NewAsset::default() };
        ids.push(assets::create(&cx, &app.services, new).await.unwrap().asset.id);
    }
    let scan = NewScan { asset_ids: ids.clone(), ..new_scan(&[]) };
    let id = create(&app, &cx, NewSchedule { scan, ..hourly("Assets") }).await;
    assets::delete(&cx, &app.services, ids[1]).await.unwrap();
    let _worker = app.work("w1");
    let first = schedules::get(&cx, &app.services, id).await.unwrap().schedule.due_at.unwrap();
    app.clock.set(first);
    let run = runs(&app, &cx, id, 1).await.remove(0);
    assert_eq!((run.outcome, run.reason.as_deref()), (RunOutcome::Started, Some("1 of its assets no longer exist")));
    app.ended(&cx, run.scan_id.unwrap()).await;
    assets::delete(&cx, &app.services, ids[0]).await.unwrap();
    app.clock.set(first + TimeDelta::hours(1));
    let run = runs(&app, &cx, id, 2).await.remove(0);
    assert_eq!((run.outcome, run.scan_id), (RunOutcome::Failed, None));
    assert!(run.reason.unwrap().contains("none of the assets"));
}

async fn bad_schedules_are_refused(database: &TestDatabase) {
    let (app, cx) = ready(database).await;
    let bad = NewSchedule {
        name: " ".to_owned(),
        cron: "61 * * * *".to_owned(),
        time_zone: "Europe/Atlantis".to_owned(),
        jitter_seconds: 90_000,
        ..hourly("x")
    };
    let Err(Error::Invalid(errors)) = schedules::create(&cx, &app.services, bad).await else { panic!("accepted") };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["body -> name", "body -> time_zone", "body -> cron", "body -> jitter_seconds"]);
    let never = NewSchedule { cron: "0 0 30 2 *".to_owned(), ..hourly("x") };
    assert!(matches!(schedules::create(&cx, &app.services, never).await, Err(Error::Invalid(_))));
    let nothing = NewSchedule { scan: new_scan(&[]), ..hourly("x") };
    let Err(Error::Invalid(errors)) = schedules::create(&cx, &app.services, nothing).await else { panic!("accepted") };
    assert_eq!(errors[0].field, "body -> scan -> asset_ids");
    create(&app, &cx, hourly("Twice")).await;
    let taken = schedules::create(&cx, &app.services, hourly("TWICE")).await;
    assert!(matches!(taken, Err(Error::Conflict(_))), "{taken:?}");
    assert_eq!(
        schedules::list(
            &cx,
            &app.services,
            &schedules::ScheduleFilter::default(),
            (schedules::ScheduleSort::Name, SortDir::Asc),
            Page::first(9)
        )
        .await
        .unwrap()
        .total,
        1
    );
}
