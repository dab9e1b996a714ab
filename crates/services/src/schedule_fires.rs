//! What happens when the time of a schedule has come.

use async_trait::async_trait;
use bartizan_domain::id::{OrganizationId, ScheduleId};
use bartizan_domain::schedule::{CatchUp, Overlap, RunCause, RunOutcome};
use bartizan_domain::{Error, Permission, Result};
use bartizan_jobs::Ticker;
use bartizan_storage::schedules::{self as storage, Schedule, ScheduleRun};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::scans::{self, Launch, Scan};
use crate::schedules::{cron_of, present_scan, record, set_next};
use crate::{OpContext, Services};

/// Name of the actor in the audit log.
const ACTOR: &str = "schedule";
/// Schedules acted on at one look.
const AT_ONCE: u64 = 100;
/// An instant acted on within this is on time; after it, it was missed.
const TOLERANCE: TimeDelta = TimeDelta::seconds(60);
/// Scans of one schedule at once, also where they may overlap: beyond it they only ever become more.
const ABREAST: usize = 10;
/// Missed instants that are counted; beyond it the history says "at least".
const COUNTED: u32 = 1_000;

/// Acts on due schedules at every look of a runner.
pub(crate) struct Scheduler {
    services: Services,
}

impl Scheduler {
    pub(crate) const fn new(services: Services) -> Self {
        Self { services }
    }
}

#[async_trait]
impl Ticker for Scheduler {
    async fn tick(&self) {
        if self.services.queue.is_paused() {
            return;
        }
        if let Err(error) = fire_due(&self.services).await {
            let detail = error.internal_context().map_or_else(|| error.to_string(), str::to_owned);
            tracing::error!(error = detail, "schedules cannot be looked at");
        }
    }
}

async fn fire_due(services: &Services) -> Result<()> {
    let now = services.anonymous(crate::Origin::default()).now();
    for (organization, id) in storage::due(services.store.read(), now, AT_ONCE).await? {
        let cx = services.system(ACTOR, organization);
        // One schedule that fails must not keep the others from their turn.
        if let Err(error) = act(&cx, services, organization, id).await {
            let detail = error.internal_context().map_or_else(|| error.to_string(), str::to_owned);
            tracing::error!(schedule = %id, error = detail, "a schedule cannot be acted on");
        }
    }
    Ok(())
}

/// Acts on one schedule, unless another server does at this moment or has done so.
async fn act(cx: &OpContext, services: &Services, organization: OrganizationId, id: ScheduleId) -> Result<()> {
    let (_, change) = Mutation::begin(cx, services, Permission::SchedulesManage).await?;
    let Some(mut schedule) = storage::lock(change.db(), organization, id).await? else { return Ok(()) };
    if !schedule.enabled {
        return Ok(());
    }
    let live = storage::live_scans(change.db(), organization, id).await?;
    let now = cx.now();
    let mut action = Action { at: now, run: None, launched: None, cancel: Vec::new() };
    if schedule.due_at.is_some_and(|due| due <= now) {
        let missed = advance(&mut schedule, now)?;
        let Some(missed) = missed else { return Ok(()) };
        if missed.on_time() || schedule.catch_up == CatchUp::Once {
            let cause = if missed.on_time() { RunCause::Cron } else { RunCause::CatchUp };
            match schedule.overlap {
                Overlap::Skip if !live.is_empty() => {
                    let reason = format!("scan {} of this schedule has not ended", live[0]);
                    action.note(cx, missed.latest, cause, RunOutcome::Skipped, Some(reason));
                }
                Overlap::Allow if live.len() >= ABREAST => {
                    let reason = format!("{} scans of this schedule have not ended", live.len());
                    action.note(cx, missed.latest, cause, RunOutcome::Skipped, Some(reason));
                }
                Overlap::Queue if !live.is_empty() => match schedule.waiting_fire_at {
                    None => schedule.waiting_fire_at = Some(missed.latest),
                    Some(_) => {
                        let reason = "a scan of this schedule waits already".to_owned();
                        action.note(cx, missed.latest, cause, RunOutcome::Skipped, Some(reason));
                    }
                },
                Overlap::Replace => {
                    action.cancel = live;
                    action.launch(cx, services, &change, &schedule, (missed.latest, cause), missed.word()).await?;
                }
                Overlap::Skip | Overlap::Queue | Overlap::Allow => {
                    action.launch(cx, services, &change, &schedule, (missed.latest, cause), missed.word()).await?;
                }
            }
        } else {
            action.note(cx, missed.latest, RunCause::Cron, RunOutcome::Missed, missed.word());
        }
    } else if let Some(fire_at) = schedule.waiting_fire_at.filter(|_| live.is_empty()) {
        schedule.waiting_fire_at = None;
        action.launch(cx, services, &change, &schedule, (fire_at, RunCause::Queued), None).await?;
    } else {
        return Ok(());
    }
    let outcome = action.run.as_ref().map(|run| run.outcome);
    if let Some(run) = action.run {
        record(change.db(), &mut schedule, run).await?;
    }
    storage::update(change.db(), &schedule).await?;
    let scan = action.launched.as_ref().map(|scan| scan.id);
    let entry = Change::new("schedule.fire", "schedule", id).after(json!({ "outcome": outcome, "scan_id": scan }));
    change.commit(entry).await?;
    if let Some(scan) = &action.launched {
        scans::announce(services, scan);
    }
    for scan in action.cancel {
        match scans::cancel(cx, services, scan).await {
            // It may have ended by itself meanwhile.
            Ok(_) | Err(Error::Conflict(_) | Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What is going to be written about one instant.
struct Action {
    at: DateTime<Utc>,
    run: Option<ScheduleRun>,
    launched: Option<Scan>,
    cancel: Vec<bartizan_domain::id::ScanId>,
}

impl Action {
    fn note(
        &mut self,
        cx: &OpContext,
        fire_at: DateTime<Utc>,
        cause: RunCause,
        outcome: RunOutcome,
        reason: Option<String>,
    ) {
        let scan_id = self.launched.as_ref().map(|scan| scan.id);
        self.run = Some(ScheduleRun { id: cx.new_id(), fire_at, at: self.at, cause, outcome, reason, scan_id });
    }

    /// Launches the scan. Input that became invalid since is a failed run, not an error; nothing was written then.
    async fn launch(
        &mut self,
        cx: &OpContext,
        services: &Services,
        change: &Mutation<'_>,
        schedule: &Schedule,
        (fire_at, cause): (DateTime<Utc>, RunCause),
        word: Option<String>,
    ) -> Result<()> {
        let organization = schedule.organization_id;
        let launched = async {
            let (new, lacking) = present_scan(change.db(), schedule).await?;
            let how = Launch::scheduled(&schedule.name);
            let scan = scans::launch(cx, services, change.db(), organization, &new, how).await?;
            Ok::<_, Error>((scan, lacking))
        };
        match launched.await {
            Ok((scan, lacking)) => {
                self.launched = Some(scan);
                let words: Vec<String> = word.into_iter().chain(lacking).collect();
                let reason = (!words.is_empty()).then(|| words.join("; "));
                self.note(cx, fire_at, cause, RunOutcome::Started, reason);
                Ok(())
            }
            Err(Error::Invalid(errors)) => {
                let why = errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ");
                self.note(cx, fire_at, cause, RunOutcome::Failed, Some(why));
                self.cancel.clear();
                Ok(())
            }
            Err(error @ (Error::NotFound { .. } | Error::Conflict(_))) => {
                self.note(cx, fire_at, cause, RunOutcome::Failed, Some(error.to_string()));
                self.cancel.clear();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The instants that passed since the schedule was last acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Passed {
    /// The last of them.
    latest: DateTime<Utc>,
    /// How many there were, at least 1.
    count: u32,
    /// How late the last one is acted on.
    late: TimeDelta,
}

impl Passed {
    fn on_time(&self) -> bool {
        self.late <= TOLERANCE
    }

    /// What the history says about those that are not acted on.
    fn word(&self) -> Option<String> {
        let left_out = self.count - 1;
        match (left_out, self.on_time()) {
            (0, true) => None,
            (0, false) => Some("no server ran at its time".to_owned()),
            (COUNTED.., _) => Some(format!("at least {COUNTED} earlier instants passed while no server ran")),
            (1, _) => Some("1 earlier instant passed while no server ran".to_owned()),
            (more, _) => Some(format!("{more} earlier instants passed while no server ran")),
        }
    }
}

/// Moves the schedule to its next instant after `now`. Tells about those that passed; `None` if there is none, which
/// is so when the offset was changed meanwhile.
fn advance(schedule: &mut Schedule, now: DateTime<Utc>) -> Result<Option<Passed>> {
    let cron = cron_of(schedule)?;
    let offset = TimeDelta::seconds(i64::from(schedule.jitter_offset_seconds));
    let Some(first) = schedule.next_fire_at else { return Ok(None) };
    let mut latest = first;
    let mut count = 1;
    while count <= COUNTED
        && let Some(next) = cron.next(latest).filter(|next| *next + offset <= now)
    {
        latest = next;
        count += 1;
    }
    if count > COUNTED {
        // Too many to walk over one by one: the last one is looked for from shortly before now.
        let from = (now - offset - TimeDelta::days(1)).max(latest);
        let mut at = from;
        while let Some(next) = cron.next(at).filter(|next| *next + offset <= now) {
            latest = next;
            at = next;
        }
    }
    set_next(schedule, &cron, latest.max(now - offset));
    Ok(Some(Passed { latest, count, late: now - offset - latest }))
}
