//! The clock of a run: microseconds since its start, which no adjustment of the time of day disturbs.
//!
//! The kernel stamps packets with the time of day. Its distance from this clock is measured anew for each look at a ring,
//! so a packet is dated wrongly only if the time of day is adjusted in the milliseconds between its arrival and that look.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Counts from its creation.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

/// The distance between the time of day and a [`Clock`], as it was a moment ago.
#[derive(Debug, Clone, Copy)]
pub struct Offset(u64);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn now_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The time of day at the start of this clock, by what both say now.
    pub fn offset(&self) -> Offset {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Offset(u64::try_from(since.as_micros()).unwrap_or(u64::MAX).saturating_sub(self.now_us()))
    }
}

impl Offset {
    /// A time of day, in microseconds since 1970, on the clock.
    pub const fn of_day(self, at_us: u64) -> u64 {
        at_us.saturating_sub(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_put_on_the_clock() {
        let clock = Clock::start();
        let offset = clock.offset();
        let day = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let on_clock = offset.of_day(u64::try_from(day.as_micros()).unwrap());
        assert!(on_clock <= clock.now_us() + 1000, "{on_clock}");
        assert_eq!(offset.of_day(0), 0, "before the start is the start");
    }
}
