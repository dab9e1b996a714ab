//! How long to wait for a host: its own round-trip time, smoothed (RFC 6298), within the caller's bound.

use std::time::Duration;

/// Shortest wait of a first attempt. Below it, a busy machine would call its own scheduling delay silence.
const FLOOR: Duration = Duration::from_millis(200);
/// Shortest wait of the last attempt: the answer that decides between filtered and open may be a slow one.
const LAST_FLOOR: Duration = Duration::from_millis(1000);

/// Round-trip estimate of one host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rtt {
    smoothed_us: u32,
    variation_us: u32,
}

impl Rtt {
    /// Takes in a measured round trip.
    pub fn observe(&mut self, rtt: Duration) {
        let sample = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).max(1);
        if self.smoothed_us == 0 {
            (self.smoothed_us, self.variation_us) = (sample, sample / 2);
        } else {
            let difference = self.smoothed_us.abs_diff(sample);
            self.variation_us = self.variation_us - self.variation_us / 4 + difference / 4;
            self.smoothed_us = self.smoothed_us - self.smoothed_us / 8 + sample / 8;
        }
    }

    /// How long to wait for the answer to an attempt. A host that never answered gets the whole of `limit`.
    #[must_use]
    pub fn wait(&self, is_last: Attempt, limit: Duration) -> Duration {
        if self.smoothed_us == 0 {
            return limit;
        }
        let adaptive = Duration::from_micros(u64::from(self.smoothed_us) + 4 * u64::from(self.variation_us));
        let floor = match is_last {
            Attempt::Earlier => FLOOR,
            Attempt::Last => LAST_FLOOR,
        };
        adaptive.max(floor).min(limit)
    }
}

/// Which of the attempts at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Another one follows if it stays silent.
    Earlier,
    /// Silence is final.
    Last,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_follow_the_host_within_the_bounds() {
        let limit = Duration::from_millis(1500);
        let mut rtt = Rtt::default();
        assert_eq!(rtt.wait(Attempt::Earlier, limit), limit);
        for _ in 0..50 {
            rtt.observe(Duration::from_micros(300));
        }
        assert_eq!(rtt.wait(Attempt::Earlier, limit), FLOOR);
        assert_eq!(rtt.wait(Attempt::Last, limit), LAST_FLOOR);
        for _ in 0..50 {
            rtt.observe(Duration::from_millis(900));
        }
        let wait = rtt.wait(Attempt::Earlier, limit);
        assert!(wait > Duration::from_millis(850) && wait <= limit, "{wait:?}");
        rtt.observe(Duration::from_secs(100_000));
        assert_eq!(rtt.wait(Attempt::Last, limit), limit);
    }
}
