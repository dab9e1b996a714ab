//! How long to wait for a host: its own round-trip time, smoothed (RFC 6298), within the caller's bound.

use std::time::Duration;

/// Shortest wait of a first attempt. Below it, a busy machine would call its own scheduling delay silence.
const FLOOR: Duration = Duration::from_millis(200);
/// Shortest wait of the last attempt: the answer that decides between filtered and open may be a slow one, of a host whose
/// refusals are quick. Longer, the kernel would repeat the question meanwhile.
const LAST_FLOOR: Duration = Duration::from_millis(800);
/// Wait for the first answer of a host of which nothing is known. The last attempt waits as long as the caller allows, so
/// that a host farther away than this is not missed.
const BLIND: Duration = Duration::from_millis(500);

/// Round-trip estimate of one host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rtt {
    smoothed_us: u32,
    variation_us: u32,
    shortest_us: u32,
}

impl Rtt {
    /// Takes in a measured round trip; returns by how many microseconds it was longer than the shortest.
    pub fn observe(&mut self, rtt: Duration) -> u32 {
        let sample = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).max(1);
        if self.smoothed_us == 0 {
            (self.smoothed_us, self.variation_us, self.shortest_us) = (sample, sample / 2, sample);
        } else {
            let difference = self.smoothed_us.abs_diff(sample);
            self.variation_us = self.variation_us - self.variation_us / 4 + difference / 4;
            self.smoothed_us = self.smoothed_us - self.smoothed_us / 8 + sample / 8;
            self.shortest_us = self.shortest_us.min(sample);
        }
        sample - self.shortest_us
    }

    /// The smoothed round trip in microseconds; 0 if there was none.
    #[must_use]
    pub const fn smoothed_us(&self) -> u32 {
        self.smoothed_us
    }

    /// How long to wait for the answer to an attempt, `limit` at most. `elsewhere` is what was measured of other hosts.
    #[must_use]
    pub fn wait(&self, attempt: Attempt, elsewhere: &Self, limit: Duration) -> Duration {
        let wait = match (self.smoothed_us, attempt) {
            (0, Attempt::Earlier) => BLIND.max(elsewhere.adaptive()),
            (0, Attempt::Last) => limit,
            (_, Attempt::Earlier) => self.adaptive().max(FLOOR),
            (_, Attempt::Last) => self.adaptive().max(LAST_FLOOR),
        };
        wait.min(limit)
    }

    fn adaptive(&self) -> Duration {
        Duration::from_micros(u64::from(self.smoothed_us) + 4 * u64::from(self.variation_us))
    }
}

/// Which of the attempts at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Another one follows if it stays silent.
    Earlier,
    /// Silence may be final.
    Last,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_follow_the_host_within_the_bounds() {
        let limit = Duration::from_millis(1500);
        let nobody = Rtt::default();
        let mut rtt = Rtt::default();
        assert_eq!(rtt.wait(Attempt::Earlier, &nobody, limit), BLIND);
        assert_eq!(rtt.wait(Attempt::Last, &nobody, limit), limit);
        assert_eq!(rtt.wait(Attempt::Earlier, &nobody, Duration::from_millis(100)), Duration::from_millis(100));
        for _ in 0..50 {
            rtt.observe(Duration::from_micros(300));
        }
        assert_eq!(rtt.wait(Attempt::Earlier, &nobody, limit), FLOOR);
        let last = rtt.wait(Attempt::Last, &nobody, limit);
        assert!(last > Duration::from_millis(700), "an open port may be much slower than closed ones: {last:?}");
        assert_eq!(rtt.observe(Duration::from_micros(1300)), 1000);
        for _ in 0..50 {
            rtt.observe(Duration::from_millis(900));
        }
        let wait = rtt.wait(Attempt::Earlier, &nobody, limit);
        assert!(wait > Duration::from_millis(850) && wait <= limit, "{wait:?}");
        assert_eq!(nobody.wait(Attempt::Earlier, &rtt, limit), wait, "others are far away, so may this one be");
        rtt.observe(Duration::from_secs(100_000));
        assert_eq!(rtt.wait(Attempt::Last, &nobody, limit), limit);
    }
}
