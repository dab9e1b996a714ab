//! Hosts that may be asked only so often.
//!
//! Whatever drops questions above a rate lets the same number of them through however many come. Repetitions that go out
//! together then mostly knock at a closed door, and any number of attempts is soon used up. Chance loses a share of the
//! questions instead, and each round of repetitions brings that much less than the one before. So the attempts that a late
//! answer took tell one from the other, and behind a limit repetitions go out as often as answers came.

use std::time::{Duration, Instant};

use crate::congestion::could_be_chance;

/// Attempts at a port of such a host, as long as repetitions bring something.
pub const MOST_ATTEMPTS: u8 = 32;
/// Late answers from which on they tell something, and how many attempts were lost before each of them: more than chance takes
/// on a path that is of any use.
const LEAST_LATE: u32 = 8;
const LOST_EACH: u32 = 2;
/// So many rounds without an answer after one another are the end of it: one may just have come at a bad time.
const QUIET_ROUNDS: u8 = 2;
/// A rate is not taken from fewer answers.
const LEAST_ANSWERS: u32 = 8;
/// Where a round of repetitions brings less than one in so many, what is left is hardly silent for a limit, and no time is
/// spent on it.
const LEAST_SHARE: usize = 32;
/// Bounds of the time between two repetitions.
const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_secs(1);

/// What answers to repetitions tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Losses {
    answers: u32,
    /// Of these, to repetitions, and attempts at these ports that had been lost.
    late: u32,
    lost: u32,
}

impl Losses {
    /// A port answered after so many attempts in vain.
    pub fn answered(&mut self, in_vain: u8) {
        self.answers += 1;
        self.late += u32::from(in_vain > 0);
        self.lost = self.lost.saturating_add(u32::from(in_vain));
    }

    /// Whether so much gets lost that so many questions in vain say nothing.
    #[expect(clippy::cast_precision_loss, reason = "a share does not need more than 24 bits")]
    pub fn explain_silence(&self, attempts: u8) -> bool {
        let share = self.lost as f32 / (self.lost.saturating_add(self.answers)).max(1) as f32;
        could_be_chance(share, attempts)
    }

    /// Whether answers took more attempts than chance explains.
    pub const fn suggest_a_limit(&self) -> bool {
        self.late >= LEAST_LATE && self.lost >= self.late.saturating_mul(LOST_EACH)
    }
}

/// What the answers of a host tell of how often it may be asked.
#[derive(Debug, Default)]
pub struct Allowance {
    losses: Losses,
    /// Answers, and since when they are counted.
    answers: u32,
    since: Option<Instant>,
    /// Answers to repetitions beyond those that were asked for, in this round.
    fresh: usize,
    /// Rounds without any, after one another.
    quiet: u8,
    /// Between two answers, where they came as fast as ever.
    apart: Option<Duration>,
}

/// What a round of repetitions brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// A limit, and not chance, still lets answers through.
    pub is_limited: bool,
    /// Between two repetitions of the next round.
    pub apart: Option<Duration>,
}

impl Allowance {
    /// A port stayed silent.
    pub fn silent(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// A port answered after so many attempts in vain; `is_extra` beyond those that were asked for.
    pub fn answered(&mut self, in_vain: u8, is_extra: bool) {
        // What came before the first silence was let through at once.
        self.answers += u32::from(self.since.is_some());
        self.losses.answered(in_vain);
        self.fresh += usize::from(is_extra);
    }

    /// A round is over that left so many ports silent.
    pub fn round(&mut self, left: usize, now: Instant) -> Round {
        let fresh = std::mem::take(&mut self.fresh);
        if let Some(since) = self.since.filter(|_| self.answers >= LEAST_ANSWERS) {
            // The rate of the limit is the highest that was seen: there may be little left that answers.
            let apart = now.saturating_duration_since(since) / self.answers;
            self.apart = Some(self.apart.map_or(apart, |before| before.min(apart)));
            (self.answers, self.since) = (0, Some(now));
        }
        self.quiet = if fresh > 0 { 0 } else { self.quiet.saturating_add(1) };
        let is_limited = self.quiet < QUIET_ROUNDS && self.losses.suggest_a_limit();
        let is_worth_it = is_limited && fresh * LEAST_SHARE >= left;
        // A little faster than answers came, so that a limit that lets more through is noticed.
        let apart = self.apart.filter(|_| is_worth_it).map(|apart| (apart * 4 / 5).clamp(SHORTEST, LONGEST));
        Round { is_limited, apart }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of answers after so many attempts in vain, 50 ms apart, when 100 ports stay silent.
    fn round(in_vain: impl IntoIterator<Item = u8>) -> Round {
        let (mut allowance, mut now) = (Allowance::default(), Instant::now());
        allowance.silent(now);
        for in_vain in in_vain {
            now += Duration::from_millis(50);
            allowance.answered(in_vain, in_vain >= 2);
        }
        allowance.round(100, now)
    }

    #[test]
    fn a_limit_is_told_from_chance_by_the_attempts_that_answers_took() {
        let paced = Round { is_limited: true, apart: Some(Duration::from_millis(40)) };
        assert_eq!(round((1..6).cycle().take(50)), paced);
        let free = Round { is_limited: false, apart: None };
        // Half of all questions lost by chance.
        assert_eq!(round((1..7).flat_map(|lost| vec![lost; 64 >> lost])), free);
        assert_eq!(round([5; 7]), free, "too few to tell");
        assert_eq!(round([0; 100]), free);
    }

    #[test]
    fn silence_says_something_where_little_gets_lost() {
        let losses = |in_vain: &[u8]| {
            let mut losses = Losses::default();
            in_vain.iter().for_each(|in_vain| losses.answered(*in_vain));
            losses
        };
        assert!(!losses(&[]).explain_silence(3));
        assert!(!losses(&[0; 99]).explain_silence(3));
        assert!(!losses(&[[0; 19], [1; 19]].concat()[..20]).explain_silence(3), "one in twenty");
        assert!(losses(&[1; 50]).explain_silence(3), "half");
        assert!(losses(&[5; 50]).explain_silence(3));
    }

    #[test]
    fn a_round_that_brings_little_is_not_waited_for_and_two_that_bring_nothing_are_the_last() {
        let (mut allowance, now) = (Allowance::default(), Instant::now());
        allowance.silent(now);
        (0..40).for_each(|_| allowance.answered(5, true));
        let now = now + Duration::from_secs(2);
        assert_eq!(allowance.round(500, now).apart, Some(Duration::from_millis(40)));
        (0..10).for_each(|_| allowance.answered(6, true));
        let now = now + Duration::from_secs(20);
        let slower = Round { is_limited: true, apart: Some(Duration::from_millis(40)) };
        assert_eq!(allowance.round(300, now), slower, "fewer are left that answer");
        allowance.answered(7, true);
        let quickly = Round { is_limited: true, apart: None };
        assert_eq!((allowance.round(300, now), allowance.round(300, now)), (quickly, quickly));
        assert_eq!(allowance.round(300, now), Round { is_limited: false, apart: None });
    }
}
