//! What the kernel may still repeat of the questions to a host.
//!
//! Each repetition is paid for when its question goes out, and is sent seconds later. Where questions are suddenly not repeated
//! any more, because the host turned out to be near, those that follow would come on top of the repetitions of those before. So
//! they go on at the price of those, until the last of them is over.

use crate::connect::patience::Schedule;

/// Of the questions of one worker to one host.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Repetitions {
    /// Repetitions of questions that are out.
    out: u32,
    /// The most of one of these.
    each: u8,
    fewer: Fewer,
}

/// Whether questions are repeated less often than others before them.
#[derive(Debug, Clone, Copy, Default)]
enum Fewer {
    #[default]
    Never,
    /// They are, and the repetitions of those before are over at this time.
    Until(u64),
    /// They have been for long enough. If there are others again, so were those that paid for them.
    Settled,
}

impl Repetitions {
    /// How many repetitions a question is to pay for that has `own` of them.
    pub(super) fn price(&mut self, own: u8, now_us: u64, schedule: Schedule) -> u8 {
        if self.out == 0 || own >= self.each {
            return own;
        }
        if matches!(self.fewer, Fewer::Never) {
            let longest = u64::try_from(schedule.sent_at(self.each).as_micros()).unwrap_or(u64::MAX);
            self.fewer = Fewer::Until(now_us.saturating_add(longest));
        }
        match self.fewer {
            Fewer::Until(until_us) if now_us < until_us => self.each,
            _ => {
                self.fewer = Fewer::Settled;
                own
            }
        }
    }

    /// A question went out that may be repeated so often.
    pub(super) fn began(&mut self, repetitions: u8) {
        self.out += u32::from(repetitions);
        self.each = self.each.max(repetitions);
    }

    /// It ended.
    pub(super) fn ended(&mut self, repetitions: u8) {
        self.out = self.out.saturating_sub(u32::from(repetitions));
        if self.out == 0 {
            self.each = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::limits::Ceiling;

    /// When packets go out to a host that may get a hundred a second, of a clock of our own: how often each question is repeated
    /// tells `repetitions`, and how long it is out tells the kernel.
    fn sent(repetitions: impl Fn(u64) -> u8) -> Vec<u64> {
        let schedule = Schedule::read();
        let (mut ceiling, mut repeated) = (Ceiling::new(100), Repetitions::default());
        let (mut sent, mut out) = (Vec::new(), VecDeque::new());
        for now_us in (0..12_000_000).step_by(500) {
            let at = |repetition| u64::try_from(schedule.sent_at(repetition).as_micros()).unwrap();
            while let Some((began, times)) =
                out.front().copied().filter(|(began, times)| began + at(times + 1) <= now_us)
            {
                out.pop_front();
                sent.extend((1..=times).map(|repetition| began + at(repetition)));
                repeated.ended(times);
            }
            while ceiling.free_at(now_us) <= now_us {
                let times = repetitions(now_us);
                ceiling.taken_at(now_us);
                ceiling.reserve(repeated.price(times, now_us, schedule));
                repeated.began(times);
                sent.push(now_us);
                if times > 0 {
                    out.push_back((now_us, times));
                }
            }
        }
        sent
    }

    fn in_a_second(sent: &[u64], from_us: u64) -> usize {
        sent.iter().filter(|at_us| (from_us..from_us + 1_000_000).contains(*at_us)).count()
    }

    #[test]
    fn a_ceiling_holds_when_questions_are_suddenly_not_repeated_any_more() {
        for times in [1, 2] {
            let sent = sent(|now_us| if now_us < 5_500_000 { times } else { 0 });
            let most = (0..10_000_000).step_by(50_000).map(|from| in_a_second(&sent, from)).max();
            assert!(most.is_some_and(|most| (95..=103).contains(&most)), "{most:?} in a second");
            assert!(in_a_second(&sent, 10_000_000) >= 95, "and is reached in the end");
        }
    }

    #[test]
    fn a_host_that_is_asked_in_both_ways_for_ever_is_not_slowed_for_ever() {
        let (mut repeated, schedule) = (Repetitions::default(), Schedule::read());
        repeated.began(2);
        assert_eq!(repeated.price(0, 0, schedule), 2);
        assert_eq!(repeated.price(0, 60_000_000, schedule), 0);
        repeated.began(2);
        assert_eq!(repeated.price(0, 61_000_000, schedule), 0);
    }
}
