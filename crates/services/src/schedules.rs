//! Schedules: scans that are launched again and again.
//!
//! An instant of a schedule is acted on in one transaction: the scan and its job, the run in the history, and the next
//! instant. The transaction holds the schedule's row, so however many servers look, each instant is acted on once; and
//! a server that dies in the middle leaves the instant to the next one. Start reading at [`create`]; what happens when
//! the time has come is in `schedule_fires`.

use std::time::Duration;

use bartizan_domain::id::{AssetId, OrganizationId, ScanId, ScheduleId};
use bartizan_domain::schedule::{CatchUp, DayRule, Overlap, RunCause, RunOutcome};
use bartizan_domain::{Error, Permission, Result};
use bartizan_jobs::{CronSchedule, time_zone};
use bartizan_storage::schedules::{self as storage, ScheduleRun as StoredRun};
pub use bartizan_storage::schedules::{Schedule, ScheduleFilter, ScheduleRun, ScheduleSort};
use bartizan_storage::{Db, Listed, Page, SortDir, StorageError, assets};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::mutation::{Change, Mutation};
use crate::scans::{self, Launch, NewScan};
use crate::validate::Fields;
use crate::{OpContext, Services};

/// Longest deliberate delay.
pub const MAX_JITTER: Duration = Duration::from_secs(24 * 3600);

/// Instants a preview shows at most.
pub const PREVIEW_LIMIT: usize = 50;

/// A schedule to be made, or everything about one that people may change.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSchedule {
    /// Name, unique in the organisation.
    pub name: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Cron expression of five fields.
    pub cron: String,
    /// What two restricted days mean.
    pub day_rule: DayRule,
    /// IANA name of the time zone.
    pub time_zone: String,
    /// Seconds by which it may be late on purpose, at most [`MAX_JITTER`].
    pub jitter_seconds: u32,
    /// What happens with instants that were missed.
    pub catch_up: CatchUp,
    /// What happens while the scan before still runs.
    pub overlap: Overlap,
    /// The scan it launches.
    pub scan: NewScan,
}

/// A schedule with its stored parts read.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleView {
    /// The schedule.
    pub schedule: Schedule,
    /// The scan it launches.
    pub scan: NewScan,
    /// Its expression in words.
    pub cadence: String,
}

/// The next instants of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The expression in words.
    pub cadence: String,
    /// The next instants, without jitter.
    pub next: Vec<DateTime<Utc>>,
}

/// What a cron expression means.
///
/// # Errors
/// [`Error::Invalid`] naming what cannot be understood.
pub fn preview(cx: &OpContext, cron: &str, days: DayRule, zone: &str, count: usize) -> Result<Preview> {
    cx.require(Permission::SchedulesView)?;
    let mut fields = Fields::default();
    let parsed = parse(&mut fields, cron, days, zone);
    fields.finish()?;
    let Some(schedule) = parsed else { unreachable!("no broken rule means that it was parsed") };
    let mut next = Vec::new();
    let mut at = cx.now();
    while next.len() < count.min(PREVIEW_LIMIT)
        && let Some(instant) = schedule.next(at)
    {
        next.push(instant);
        at = instant;
    }
    Ok(Preview { cadence: schedule.describe(), next })
}

/// One page of schedules.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(
    cx: &OpContext,
    services: &Services,
    filter: &ScheduleFilter,
    sort: (ScheduleSort, SortDir),
    page: Page,
) -> Result<Listed<ScheduleView>> {
    let organization = cx.require(Permission::SchedulesView)?;
    let listed = storage::list(services.store.read(), organization, filter, sort, page).await?;
    let rows = listed.rows.into_iter().map(view).collect::<Result<_>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// One schedule.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such schedule.
pub async fn get(cx: &OpContext, services: &Services, id: ScheduleId) -> Result<ScheduleView> {
    let organization = cx.require(Permission::SchedulesView)?;
    view(found(services.store.read(), organization, id).await?)
}

/// One page of the history of a schedule, newest first.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such schedule.
pub async fn runs(cx: &OpContext, services: &Services, id: ScheduleId, page: Page) -> Result<Listed<ScheduleRun>> {
    let organization = cx.require(Permission::SchedulesView)?;
    let db = services.store.read();
    found(db, organization, id).await?;
    Ok(storage::runs(db, organization, id, page).await?)
}

/// A schedule that is on launches scans: it is switched on by who may launch them himself. Pausing one, or writing one
/// that is paused, needs no more than `schedules.manage`.
fn may_launch(cx: &OpContext, new: &NewSchedule) -> Result<()> {
    if new.enabled {
        cx.require(Permission::ScansRun)?;
    }
    Ok(())
}

/// Makes a schedule. It is the organisation's from then on: it goes on when the account of who made it is closed.
///
/// # Errors
/// [`Error::Forbidden`] without `scans.run` for a schedule that is on, [`Error::Invalid`] for input that breaks a rule, [`Error::NotFound`] for an asset that is not the organisation's,
/// [`Error::Conflict`] for a name that is taken.
pub async fn create(cx: &OpContext, services: &Services, new: NewSchedule) -> Result<ScheduleView> {
    may_launch(cx, &new)?;
    let (organization, change) = Mutation::begin(cx, services, Permission::SchedulesManage).await?;
    let now = cx.now();
    let mut schedule = Schedule {
        id: cx.new_id(),
        organization_id: organization,
        name: String::new(),
        enabled: false,
        cron: String::new(),
        day_rule: DayRule::Or,
        time_zone: String::new(),
        jitter_seconds: 0,
        jitter_offset_seconds: 0,
        catch_up: CatchUp::default(),
        overlap: Overlap::default(),
        scan: Value::Null,
        next_fire_at: None,
        due_at: None,
        waiting_fire_at: None,
        last_run_at: None,
        last_outcome: None,
        last_scan_id: None,
        created_by: cx.actor().user_id(),
        created_by_name: cx.actor().name().to_owned(),
        created_at: now,
        updated_at: now,
        version: 0,
    };
    apply(cx, services, change.db(), &mut schedule, new).await?;
    named_once(storage::insert(change.db(), &schedule).await, &schedule.name)?;
    let entry = Change::new("schedule.create", "schedule", schedule.id).after(for_audit(&schedule));
    change.commit(entry).await?;
    view(schedule)
}

/// Replaces everything about a schedule that people may change. With `expected`, only if it is still at that version.
///
/// # Errors
/// As [`create`], [`Error::NotFound`], and [`Error::Conflict`] if somebody else changed it meanwhile.
pub async fn update(
    cx: &OpContext,
    services: &Services,
    id: ScheduleId,
    new: NewSchedule,
    expected: Option<i64>,
) -> Result<ScheduleView> {
    may_launch(cx, &new)?;
    let (organization, change) = Mutation::begin(cx, services, Permission::SchedulesManage).await?;
    let mut schedule = locked(change.db(), organization, id).await?;
    if expected.is_some_and(|version| version != schedule.version) {
        return Err(Error::Conflict("The schedule was changed meanwhile; read it again".to_owned()));
    }
    let before = for_audit(&schedule);
    apply(cx, services, change.db(), &mut schedule, new).await?;
    named_once(storage::update(change.db(), &schedule).await, &schedule.name)?;
    let entry = Change::new("schedule.update", "schedule", id).before(before).after(for_audit(&schedule));
    change.commit(entry).await?;
    view(schedule)
}

/// Removes a schedule with its history. Scans it launched stay.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such schedule.
pub async fn delete(cx: &OpContext, services: &Services, id: ScheduleId) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::SchedulesManage).await?;
    let schedule = found(change.db(), organization, id).await?;
    storage::remove(change.db(), organization, id).await?;
    change.commit(Change::new("schedule.delete", "schedule", id).before(for_audit(&schedule))).await
}

/// Launches the scan of a schedule now, paused or not, whatever else runs. Its next instant stays.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Invalid`] if none of its targets can be scanned any more.
pub async fn run_now(cx: &OpContext, services: &Services, id: ScheduleId) -> Result<ScanId> {
    cx.require(Permission::SchedulesView)?;
    let (organization, change) = Mutation::begin(cx, services, Permission::ScansRun).await?;
    let mut schedule = locked(change.db(), organization, id).await?;
    let (new, lacking) = present_scan(change.db(), &schedule).await?;
    let scan = scans::launch(cx, services, change.db(), organization, &new, Launch::asked()).await?;
    let run = StoredRun {
        id: cx.new_id(),
        fire_at: cx.now(),
        at: cx.now(),
        cause: RunCause::Manual,
        outcome: RunOutcome::Started,
        reason: lacking,
        scan_id: Some(scan.id),
    };
    record(change.db(), &mut schedule, run).await?;
    storage::update(change.db(), &schedule).await?;
    change.commit(Change::new("schedule.run", "schedule", id).after(json!({ "scan_id": scan.id }))).await?;
    scans::announce(services, &scan);
    Ok(scan.id)
}

/// Writes a run into the history and into the schedule.
pub(crate) async fn record(db: Db<'_>, schedule: &mut Schedule, run: StoredRun) -> Result<()> {
    storage::add_run(db, schedule.organization_id, schedule.id, &run).await?;
    schedule.last_run_at = Some(run.at);
    schedule.last_outcome = Some(run.outcome);
    if run.scan_id.is_some() {
        schedule.last_scan_id = run.scan_id;
    }
    Ok(())
}

/// The scan of a schedule without the assets that are gone, and a word about those.
pub(crate) async fn present_scan(db: Db<'_>, schedule: &Schedule) -> Result<(NewScan, Option<String>)> {
    let mut new = scan_of(schedule)?;
    let known: Vec<AssetId> =
        assets::many(db, schedule.organization_id, &new.asset_ids).await?.into_iter().map(|asset| asset.id).collect();
    let before = new.asset_ids.len();
    new.asset_ids.retain(|id| known.contains(id));
    let gone = before - new.asset_ids.len();
    let word = (gone > 0).then(|| format!("{gone} of its assets no longer exist"));
    if new.asset_ids.is_empty() && new.targets.is_empty() {
        return Err(Error::invalid("body -> asset_ids", "none of the assets of this schedule exists any more"));
    }
    Ok((new, word))
}

/// The expression of a stored schedule.
pub(crate) fn cron_of(schedule: &Schedule) -> Result<CronSchedule> {
    let zone = time_zone(&schedule.time_zone).map_err(Error::internal)?;
    CronSchedule::parse(&schedule.cron, schedule.day_rule, zone).map_err(Error::internal)
}

/// Sets the next instant of the expression after `after`, and with it when it is due.
pub(crate) fn set_next(schedule: &mut Schedule, cron: &CronSchedule, after: DateTime<Utc>) {
    schedule.next_fire_at = if schedule.enabled { cron.next(after) } else { None };
    let offset = TimeDelta::seconds(i64::from(schedule.jitter_offset_seconds));
    schedule.due_at = schedule.next_fire_at.map(|instant| instant + offset);
}

fn scan_of(schedule: &Schedule) -> Result<NewScan> {
    serde_json::from_value(schedule.scan.clone()).map_err(Error::internal)
}

fn view(schedule: Schedule) -> Result<ScheduleView> {
    Ok(ScheduleView { scan: scan_of(&schedule)?, cadence: cron_of(&schedule)?.describe(), schedule })
}

async fn found(db: Db<'_>, organization: OrganizationId, id: ScheduleId) -> Result<Schedule> {
    storage::get(db, organization, id).await?.ok_or_else(|| Error::not_found("schedule", id))
}

async fn locked(db: Db<'_>, organization: OrganizationId, id: ScheduleId) -> Result<Schedule> {
    let before = found(db, organization, id).await?;
    match storage::lock(db, organization, before.id).await? {
        Some(schedule) => Ok(schedule),
        None => Err(Error::Conflict("The schedule is being run or changed at this moment; try again".to_owned())),
    }
}

fn named_once(stored: Result<(), StorageError>, name: &str) -> Result<()> {
    match stored {
        Err(StorageError::Unique(_)) => Err(Error::Conflict(format!("A schedule named `{name}` exists already"))),
        other => Ok(other?),
    }
}

fn parse(fields: &mut Fields, cron: &str, days: DayRule, zone: &str) -> Option<CronSchedule> {
    let zone = match time_zone(zone) {
        Ok(zone) => Some(zone),
        Err(message) => {
            fields.error("time_zone", message);
            None
        }
    };
    match CronSchedule::parse(cron, days, zone.unwrap_or_default()) {
        Ok(schedule) => zone.map(|_| schedule),
        Err(error) => {
            fields.error("cron", error.to_string());
            None
        }
    }
}

async fn apply(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    schedule: &mut Schedule,
    new: NewSchedule,
) -> Result<()> {
    let mut fields = Fields::default();
    let name = fields.text("name", &new.name, 200);
    let cron = parse(&mut fields, new.cron.trim(), new.day_rule, &new.time_zone);
    if u64::from(new.jitter_seconds) > MAX_JITTER.as_secs() {
        let message = format!("jitter_seconds must be at most {}, not {}", MAX_JITTER.as_secs(), new.jitter_seconds);
        fields.error("jitter_seconds", message);
    }
    let now = cx.now();
    if let Some(cron) = &cron
        && cron.next(now).is_none()
    {
        fields.error("cron", format!("`{}` never comes", new.cron.trim()));
    }
    fields.finish()?;
    let Some(cron) = cron else { unreachable!("no broken rule means that it was parsed") };
    scans::check(services, db, schedule.organization_id, &new.scan).await.map_err(below_scan)?;

    let jitter = i32::try_from(new.jitter_seconds).map_err(Error::internal)?;
    let same_times = schedule.cron == new.cron.trim()
        && schedule.day_rule == new.day_rule
        && schedule.time_zone == new.time_zone
        && schedule.jitter_seconds == jitter
        && schedule.enabled == new.enabled;
    schedule.name = name;
    schedule.enabled = new.enabled;
    schedule.cron = new.cron.trim().to_owned();
    schedule.day_rule = new.day_rule;
    schedule.time_zone = new.time_zone;
    schedule.jitter_seconds = jitter;
    schedule.jitter_offset_seconds = offset_of(schedule.id, jitter);
    schedule.catch_up = new.catch_up;
    schedule.overlap = new.overlap;
    schedule.scan = serde_json::to_value(&new.scan).map_err(Error::internal)?;
    schedule.updated_at = now;
    schedule.version += 1;
    // A change of something else must not lose an instant that is due but not acted on yet.
    if !same_times {
        set_next(schedule, &cron, now);
        schedule.waiting_fire_at = None;
    }
    Ok(())
}

/// The scan stands in the field `scan` of a schedule.
fn below_scan(error: Error) -> Error {
    match error {
        Error::Invalid(errors) => Error::Invalid(
            errors
                .into_iter()
                .map(|mut error| {
                    error.field = error.field.replacen("body -> ", "body -> scan -> ", 1);
                    error
                })
                .collect(),
        ),
        other => other,
    }
}

/// By how much a schedule is late on purpose: drawn once from its id, so that the next run can be told exactly.
fn offset_of(id: ScheduleId, jitter_seconds: i32) -> i32 {
    let digest = Sha256::digest(id.0.as_bytes());
    let drawn = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    match u32::try_from(jitter_seconds) {
        Ok(bound) if bound > 0 => i32::try_from(drawn % bound).unwrap_or(0),
        _ => 0,
    }
}

fn for_audit(schedule: &Schedule) -> Value {
    json!({ "name": schedule.name, "enabled": schedule.enabled, "cron": schedule.cron, "day_rule": schedule.day_rule,
        "time_zone": schedule.time_zone, "jitter_seconds": schedule.jitter_seconds, "catch_up": schedule.catch_up,
        "overlap": schedule.overlap, "scan": schedule.scan })
}
