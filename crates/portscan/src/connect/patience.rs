//! How long one socket waits for an answer, and how often the kernel repeats its question meanwhile.
//!
//! The kernel repeats a SYN that stays without an answer after one second, then after two more, four more and so on (RFC 6298
//! sections 2.1 and 5.5); from Linux 6.5 on the first few repetitions follow each other after one second each
//! (`net.ipv4.tcp_syn_linear_timeouts`). Nobody without privilege can forbid it the first. Such a packet is an attempt like
//! any other in the eyes of the target and of a ceiling. So a socket is closed before, where the answer is expected sooner;
//! and where it may take longer, repetitions of the kernel take the place of attempts of our own: the socket stays open
//! until the next one would follow, and they count.

use std::time::Duration;

/// When the kernel sends its first repetition, and how much earlier a socket is closed to be spared of it; that bridges the
/// time for which this process may have no processor.
const FIRST: Duration = Duration::from_secs(1);
const MARGIN: Duration = Duration::from_millis(200);
/// More are never needed: the longest wait is over before ([`crate::MAX_TIMEOUT`]).
pub const MOST: u8 = 9;

/// When this kernel repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Repetitions that follow each other after a second, beyond the first.
    linear: u8,
}

impl Schedule {
    /// That of the network namespace of this thread.
    pub fn read() -> Self {
        let read = |name| std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}"));
        let linear = match read("tcp_syn_linear_timeouts") {
            Ok(text) => text.trim().parse().unwrap_or(LINEAR_BY_DEFAULT),
            // An older kernel has none of it; where nothing can be read, the shorter times are safe with any.
            Err(_) if read("tcp_syn_retries").is_ok() => 0,
            Err(_) => LINEAR_BY_DEFAULT,
        };
        Self { linear }
    }

    /// When the kernel sends this repetition; the first is 1.
    pub fn sent_at(self, repetition: u8) -> Duration {
        let evenly = repetition.min(self.linear.saturating_add(1));
        let doubled = u32::from((repetition - evenly).min(16));
        FIRST * (u32::from(evenly) + ((2 << doubled) - 2))
    }

    /// How many repetitions the kernel sends while such a wait lasts.
    pub fn needed(self, wait: Duration) -> u8 {
        (0..MOST).find(|sent| wait <= self.sent_at(sent + 1) - MARGIN).unwrap_or(MOST)
    }

    /// How many repetitions the kernel has sent for a socket that stayed without an answer for so long.
    pub fn sent_in(self, open: Duration) -> u8 {
        (0..MOST).find(|sent| open < self.sent_at(sent + 1)).unwrap_or(MOST)
    }

    /// What to expect of a socket for an answer that may take `wait`, with so many repetitions at most.
    pub fn patience(self, wait: Duration, at_most: u8) -> Patience {
        let repetitions = self.needed(wait).min(at_most);
        let wait = match repetitions {
            0 => wait,
            // The last question is waited for as long as the first, if the kernel lets it.
            _ => self.sent_at(repetitions) + wait,
        };
        Patience { wait: wait.min(self.sent_at(repetitions + 1) - MARGIN), repetitions }
    }
}

/// The default of the kernels that have it.
const LINEAR_BY_DEFAULT: u8 = 4;

/// What is expected of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// When it is closed.
    pub wait: Duration,
    /// Repetitions that the kernel may send until then.
    pub repetitions: u8,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_TIMEOUT;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_socket_waits_no_longer_than_its_questions_allow() {
        let wait = |linear, wait, at_most| {
            let patience = Schedule { linear }.patience(ms(wait), at_most);
            (patience.wait.as_millis(), patience.repetitions)
        };
        for linear in [0, 4] {
            assert_eq!(wait(linear, 200, 3), (200, 0), "nothing is repeated");
            assert_eq!(wait(linear, 800, 3), (800, 0));
            assert_eq!(wait(linear, 1500, 0), (800, 0), "once means once");
        }
        assert_eq!(wait(0, 1500, 1), (2500, 1), "the repetition is waited for as long as the first");
        assert_eq!(wait(0, 8000, 1), (2800, 1));
        assert_eq!(wait(0, 8000, 9), (14_800, 3));
        assert_eq!(wait(4, 1500, 1), (1800, 1));
        assert_eq!(wait(4, 1500, 9), (1800, 1));
        assert_eq!(wait(4, 8000, 9), (10_800, 6));
    }

    #[test]
    fn what_the_kernel_sent_follows_from_the_time() {
        let doubling = [(0, 0), (999, 0), (1000, 1), (2999, 1), (3000, 2), (6999, 2), (7000, 3), (15_000, 4)];
        let evenly_at_first = [(999, 0), (1000, 1), (2000, 2), (5999, 5), (6999, 5), (7000, 6), (11_000, 7)];
        for (linear, cases) in [(0, &doubling[..]), (4, &evenly_at_first[..])] {
            for (open, sent) in cases {
                assert_eq!(Schedule { linear }.sent_in(ms(*open)), *sent, "{linear} {open}");
            }
        }
        // Whatever is granted is not exceeded.
        for linear in [0, 1, 4, 127, 255] {
            let schedule = Schedule { linear };
            assert!(schedule.needed(MAX_TIMEOUT) < MOST);
            for wait in (0..8000).step_by(50) {
                for at_most in 0..=MOST {
                    let patience = schedule.patience(ms(wait), at_most);
                    assert!(patience.repetitions <= at_most, "{linear} {wait}");
                    assert_eq!(schedule.sent_in(patience.wait), patience.repetitions, "{linear} {wait}");
                }
            }
        }
    }
}
