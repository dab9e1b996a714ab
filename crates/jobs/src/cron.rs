//! Cron expressions, and timers: jobs that are added again and again.

use std::str::FromStr as _;

use bartizan_domain::id::JobId;
use bartizan_domain::schedule::DayRule;
use bartizan_storage::{StorageError, Store, jobs};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::queue::{NewJob, enqueue};

/// A cron expression that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{expression}` is not a cron expression: {why}")]
pub struct BadSchedule {
    expression: String,
    why: String,
}

/// Longest cron expression, in bytes.
const MAX_EXPRESSION: usize = 200;

/// A cron expression of five fields (minute, hour, day of the month, month, day of the week) in a time zone.
///
/// Days of the week are 0 to 7, both ends being Sunday, or names. `L`, `W` and `#` are understood. `@daily` and its like
/// are, too. Where clocks are set forward, a fixed time that does not exist is run at the first one that does, and a pattern
/// with a star in minute or hour goes by the clock, which has no such time; where they are set back, a fixed time runs once.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    cron: Cron,
    zone: Tz,
}

impl CronSchedule {
    /// Reads an expression.
    ///
    /// # Errors
    /// If it has not five fields or one of them cannot be understood, or if it never fires.
    pub fn parse(expression: &str, days: DayRule, zone: Tz) -> Result<Self, BadSchedule> {
        let bad = |why: String| BadSchedule { expression: expression.chars().take(MAX_EXPRESSION).collect(), why };
        if expression.len() > MAX_EXPRESSION {
            return Err(bad(format!("it has more than {MAX_EXPRESSION} bytes")));
        }
        let expression = if expression.eq_ignore_ascii_case("@midnight") { "@daily" } else { expression };
        check_fields(expression).map_err(bad)?;
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .dom_and_dow(days == DayRule::And)
            .build();
        let cron = parser.parse(expression).map_err(|error| bad(error.to_string()))?;
        Ok(Self { cron, zone })
    }

    /// The first instant after `after`; `None` if there is none any more, as for 30 February.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.cron.find_next_occurrence(&after.with_timezone(&self.zone), false).ok()?;
        Some(next.with_timezone(&Utc))
    }

    /// The expression in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let words = self.cron.describe();
        let last_weekday = self.cron.pattern.to_string().to_ascii_uppercase().contains("LW");
        if last_weekday { words.replace("last day of the month", "last weekday of the month") } else { words }
    }
}

/// Names of the fields, and the most that a step can be in each.
const FIELDS: [(&str, u32); 5] =
    [("minute", 59), ("hour", 23), ("day of the month", 31), ("month", 12), ("weekday", 7)];

/// What the parser lets through although nobody can mean it: empty parts of lists, steps that are wider than their field,
/// and ranges that run backwards, which it refuses without saying why.
fn check_fields(expression: &str) -> Result<(), String> {
    if expression.starts_with('@') {
        return Ok(());
    }
    for (field, (name, most)) in expression.split_whitespace().zip(FIELDS) {
        for part in field.split(',') {
            if part.is_empty() {
                return Err(format!("the {name} `{field}` has an empty part"));
            }
            let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            if let Some(step) = step.and_then(|step| step.parse::<u32>().ok())
                && step > most
            {
                return Err(format!("the step {step} of the {name} is larger than the field, which ends at {most}"));
            }
            if let Some((from, to)) = range.split_once('-')
                && let (Ok(from), Ok(to)) = (from.parse::<u32>(), to.parse::<u32>())
                && from > to
            {
                return Err(format!("the range {range} of the {name} runs backwards: write two ranges with a comma"));
            }
        }
    }
    Ok(())
}

/// Reads the IANA name of a time zone: `Europe/Berlin`.
///
/// # Errors
/// If there is no such zone; the text says so.
pub fn time_zone(name: &str) -> Result<Tz, String> {
    let shown: String = name.chars().take(64).collect();
    name.parse().map_err(|_| format!("`{shown}` is not the IANA name of a time zone, such as Europe/Berlin"))
}

/// A job that is added at every instant of a cron expression. However many servers run the same timer, each instant
/// adds one job.
#[derive(Debug, Clone)]
pub struct Timer {
    name: &'static str,
    schedule: Cron,
    job: NewJob,
    at_start: bool,
}

impl Timer {
    /// A timer. The name must be the same on every server.
    ///
    /// # Errors
    /// If the expression cannot be parsed.
    pub fn new(name: &'static str, expression: &str, job: NewJob) -> Result<Self, BadSchedule> {
        let schedule = Cron::from_str(expression)
            .map_err(|error| BadSchedule { expression: expression.to_owned(), why: error.to_string() })?;
        Ok(Self { name, schedule, job, at_start: false })
    }

    /// Adds the job when a runner starts, too, whatever the time is.
    #[must_use]
    pub const fn at_start(mut self) -> Self {
        self.at_start = true;
        self
    }

    /// The first instant after `after`; `None` if there is none any more.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule.find_next_occurrence(&after, false).ok()
    }

    /// Adds the job if it is wanted at the start of a runner.
    pub(crate) async fn start(&self, store: &Store, now: DateTime<Utc>, id: JobId) -> Result<(), StorageError> {
        if self.at_start {
            let tx = store.begin().await?;
            enqueue(tx.db(), id, self.job.clone(), now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Adds the job for `fire_at` unless another server has. Says whether it was added.
    pub(crate) async fn fire(
        &self,
        store: &Store,
        fire_at: DateTime<Utc>,
        now: DateTime<Utc>,
        id: JobId,
    ) -> Result<bool, StorageError> {
        let tx = store.begin().await?;
        let first = jobs::record_fire(tx.db(), self.name, fire_at).await?;
        let added = first && enqueue(tx.db(), id, self.job.clone(), now).await?;
        tx.commit().await?;
        Ok(added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(expression: &str, days: DayRule, zone: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = CronSchedule::parse(expression, days, time_zone(zone).unwrap()).unwrap();
        let mut at: DateTime<Utc> = after.parse().unwrap();
        let mut found = Vec::new();
        for _ in 0..count {
            at = schedule.next(at).unwrap();
            found.push(at.format("%Y-%m-%dT%H:%MZ").to_string());
        }
        found
    }

    #[test]
    fn seven_and_zero_are_sunday() {
        // 2026-11-22 is a Sunday.
        for day in ["7", "0", "SUN", "sun"] {
            let found = fires(&format!("0 2 * * {day}"), DayRule::Or, "UTC", "2026-11-20T00:00:00Z", 2);
            assert_eq!(found, ["2026-11-22T02:00Z", "2026-11-29T02:00Z"], "{day}");
        }
        assert_eq!(
            fires("0 2 * * 5-7", DayRule::Or, "UTC", "2026-11-20T03:00:00Z", 2),
            ["2026-11-21T02:00Z", "2026-11-22T02:00Z"]
        );
        assert_eq!(fires("0 2 * * 1", DayRule::Or, "UTC", "2026-11-22T00:00:00Z", 1), ["2026-11-23T02:00Z"]);
    }

    #[test]
    fn two_days_are_either_or_both() {
        // Friday the 13th of November 2026; other Fridays are the 20th and 27th.
        assert_eq!(
            fires("0 0 13 * 5", DayRule::Or, "UTC", "2026-11-12T00:00:00Z", 3),
            ["2026-11-13T00:00Z", "2026-11-20T00:00Z", "2026-11-27T00:00Z"]
        );
        assert_eq!(
            fires("0 0 13 * 5", DayRule::And, "UTC", "2026-11-12T00:00:00Z", 2),
            ["2026-11-13T00:00Z", "2027-08-13T00:00Z"]
        );
    }

    #[test]
    fn clocks_that_change_neither_lose_nor_double_a_run() {
        // Berlin: 2026-03-29 02:00 becomes 03:00; 2026-10-25 03:00 becomes 02:00.
        assert_eq!(
            fires("30 2 * * *", DayRule::Or, "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]
        );
        assert_eq!(
            fires("30 2 * * *", DayRule::Or, "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]
        );
        // Every hour is every hour: five instants in five hours of real time.
        assert_eq!(
            fires("0 * * * *", DayRule::Or, "Europe/Berlin", "2026-10-24T22:30:00Z", 5),
            ["2026-10-24T23:00Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z", "2026-10-25T03:00Z"]
        );
    }

    #[test]
    fn what_is_no_expression_is_refused_by_name() {
        let utc = || time_zone("UTC").unwrap();
        for bad in ["", "* * * *", "* * * * * *", "60 * * * *", "* * * * 8", "0 0 0 * *", "a b c d e", "0 0 * 13 *"] {
            let error = CronSchedule::parse(bad, DayRule::Or, utc()).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{bad}` is not")), "{error}");
        }
        assert!(CronSchedule::parse(&"*".repeat(9999), DayRule::Or, utc()).is_err());
        for (bad, why) in [
            ("1,,2 * * * *", "empty part"),
            ("0-59/99 * * * *", "larger than the field"),
            ("0 22-6 * * *", "runs backwards"),
            ("0 0 * * 7-2", "runs backwards"),
        ] {
            let error = CronSchedule::parse(bad, DayRule::Or, utc()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(CronSchedule::parse("@daily", DayRule::Or, utc()).is_ok());
        assert!(CronSchedule::parse("@midnight", DayRule::Or, utc()).is_ok());
        let last = CronSchedule::parse("0 0 LW * *", DayRule::Or, utc()).unwrap();
        assert!(last.describe().contains("last weekday of the month"), "{}", last.describe());
        let never = CronSchedule::parse("0 0 30 2 *", DayRule::Or, utc()).unwrap();
        assert_eq!(never.next("2026-01-01T00:00:00Z".parse().unwrap()), None);
        assert!(time_zone("Mars/Olympus").unwrap_err().contains("Mars/Olympus"));
        assert!(CronSchedule::parse("0 2 * * 1", DayRule::Or, utc()).unwrap().describe().contains("Monday"));
    }
}
