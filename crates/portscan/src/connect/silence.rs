//! What is known of a host, and its silent ports before silence counts as a state.
//!
//! Ports that stayed silent wait in lots. A lot is asked again as long as the loss that was seen makes it likely that one
//! of them would have answered; then a few of it, chosen by chance, are asked once more, and if one of those answers
//! after all, so is the whole lot.

use std::time::{Duration, Instant};

use super::answers::{HostIs, Why};
use super::limited::{Allowance, MOST_ATTEMPTS, Round};
use crate::MAX_ATTEMPTS;
use crate::checkpoint::Begun;
use crate::congestion::is_enough;
use crate::timing::Rtt;

/// Silent ports of a host that wait before they are looked at, and of all hosts and workers together.
const LOT: usize = 512;
const LEAST_LOT: usize = 16;
const LOTS: usize = 1 << 19;
/// One of so many silent ports is sampled, and at most so many of a lot.
const SAMPLE_EACH: usize = 64;
const SAMPLE_MOST: usize = 8;
/// Lots of a host that a worker asks again because a sample answered. Each worker has ports of its own and sees lots of its
/// own, so this does not grow with their number in the eyes of a port.
const REPAIRS: u8 = 3;
/// A port that refuses may be a canary for as often as needed, each such number of questions; one that accepts is some
/// service, and is bothered seldom.
const CLOSED_CANARY_EACH: u32 = 64;
const OPEN_CANARY_EACH: u32 = 256;
/// Canaries at open ports of a host, of all workers together.
const OPEN_CANARIES: u8 = 8;

/// Silence is rare if so many times as many ports answer.
const SELDOM: u32 = 8;

/// A port that stayed silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent {
    /// Index of the port.
    pub index: u32,
    /// Attempts at it.
    pub asked: u8,
    pub why: Why,
}

/// A port that is known to answer.
#[derive(Debug, Clone, Copy)]
struct Canary {
    index: u32,
    accepts: bool,
    left: u8,
}

/// What a worker knows of a host.
#[derive(Debug)]
pub struct Host {
    pub rtt: Rtt,
    pub seen: Seen,
    pub allowance: Allowance,
    /// Attempts for the state of its ports that stayed silent.
    pub in_vain: u32,
    /// Whether a port of it answered in an earlier run.
    pub answered_before: bool,
    /// Questions for the state of its ports that this worker has in flight or put off.
    pub out: i32,
    /// Silent ports that nothing was decided about, and whether the host is listed among those that have some.
    pub silent: Vec<Silent>,
    pub is_listed: bool,
    /// Those whose sample is out.
    pub sampled: Vec<Silent>,
    pub samples_out: usize,
    pub sample_answered: bool,
    repairs: u8,
    canary: Option<Canary>,
    since_canary: u32,
    /// How often an open port may be a canary.
    open_canaries: u8,
    /// That it cannot be reached, in the words of a router.
    pub unreachable: Option<Why>,
}

/// Questions that were or should have been answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// Ports that accepted or refused.
    pub answered: u32,
    /// Of these, to a repetition.
    pub late: u32,
    /// Canaries that came back.
    pub good: u32,
    /// Canaries that did not.
    pub lost: u32,
}

impl Seen {
    /// The share of questions that get lost, judged by these and, where they are few, by those of all hosts. Where little
    /// was seen of a host that answers, some loss is assumed.
    #[expect(clippy::cast_precision_loss, reason = "a share does not need more than 24 bits")]
    fn loss(&self, everywhere: &Self) -> f32 {
        const LEAST: f32 = 1e-4;
        let own = self.answered + self.good + self.lost;
        let from = if own < 50 { everywhere } else { self };
        let (lost, all) = (from.late + from.lost, from.answered + from.good + from.lost);
        let share = if self.answered > 0 {
            let assumed = if lost > 0 { 0.5 } else { 0.15 };
            (lost as f32 + assumed) / (all as f32 + 25.0)
        } else if all == 0 {
            LEAST
        } else {
            lost as f32 / all as f32
        };
        share.clamp(LEAST, 0.9)
    }
}

/// What to do with a lot.
#[derive(Debug, Default)]
pub struct Verdict {
    /// To be asked again.
    pub again: Vec<Silent>,
    /// So much time between two of these.
    pub apart: Option<Duration>,
    /// To be asked as a sample; the lot waits for them in [`Host::sampled`].
    pub samples: Vec<Silent>,
    /// Silence is their state.
    pub settled: Vec<Silent>,
}

/// How many silent ports of one host make a lot of a worker, where there are so many hosts and workers.
pub fn lot(hosts: usize, workers: usize) -> usize {
    (LOTS / (hosts * workers).max(1)).clamp(LEAST_LOT, LOT)
}

impl Host {
    /// One of so many workers begins with a host.
    pub fn new(workers: usize) -> Self {
        let workers = u8::try_from(workers.max(1)).unwrap_or(u8::MAX);
        Self {
            rtt: Rtt::default(),
            seen: Seen::default(),
            allowance: Allowance::default(),
            in_vain: 0,
            answered_before: false,
            out: 0,
            silent: Vec::new(),
            is_listed: false,
            sampled: Vec::new(),
            samples_out: 0,
            sample_answered: false,
            repairs: 0,
            canary: None,
            since_canary: 0,
            open_canaries: OPEN_CANARIES.div_ceil(workers),
            unreachable: None,
        }
    }

    pub const fn is(&self) -> HostIs {
        if self.answered_before || self.seen.answered > 0 { HostIs::Answering } else { HostIs::Silent }
    }

    /// Takes over what an earlier run had learned.
    pub fn begun(&mut self, begun: &Begun) {
        self.answered_before = begun.answered;
        if let Some((port, accepts)) = begun.answering {
            self.answers(port, accepts);
        }
    }

    /// A port answered, and may serve as a canary. One that refuses is preferred.
    pub fn answers(&mut self, index: u32, accepts: bool) {
        let keep = match &self.canary {
            None => false,
            Some(canary) => accepts && (!canary.accepts || canary.left > 0),
        };
        if !keep {
            self.canary = Some(Canary { index, accepts, left: self.open_canaries });
        }
    }

    /// The port to ask as a canary now, after one more question; `None` if it is not time, or nothing answers.
    pub const fn canary(&mut self) -> Option<u32> {
        self.since_canary += 1;
        let Some(canary) = &mut self.canary else { return None };
        let each = if canary.accepts { OPEN_CANARY_EACH } else { CLOSED_CANARY_EACH };
        if self.since_canary < each || canary.left == 0 {
            return None;
        }
        self.since_canary = 0;
        if canary.accepts {
            canary.left -= 1;
        }
        Some(canary.index)
    }

    /// Whether silence is so rare that chance explains it. Where it is not, a limit may be in force, and whoever asks more often
    /// learns less.
    pub const fn is_seldom_silent(&self) -> bool {
        self.in_vain.saturating_mul(SELDOM) <= self.seen.answered
    }

    /// Whether so many attempts in vain are enough, by the loss that was seen.
    fn is_enough(&self, asked: u8, everywhere: &Seen) -> bool {
        is_enough(self.seen.loss(everywhere).powi(i32::from(asked)), self.seen.answered)
    }

    /// Whether a port that was silent at so many attempts is asked once more.
    pub fn goes_on_after(&self, asked: u8, everywhere: &Seen) -> bool {
        asked < MAX_ATTEMPTS && !self.is_enough(asked, everywhere)
    }

    /// Decides about the ports that are silent; `random` chooses the sample.
    pub fn judge(&mut self, everywhere: &Seen, now: Instant, mut random: impl FnMut(usize) -> usize) -> Verdict {
        let mut verdict = Verdict::default();
        if self.samples_out > 0 || self.silent.is_empty() {
            return verdict;
        }
        let Round { is_limited, apart } = self.allowance.round(self.silent.len(), now);
        let most = if is_limited { MOST_ATTEMPTS } else { MAX_ATTEMPTS };
        let (mut rest, again): (Vec<Silent>, _) = (std::mem::take(&mut self.silent).into_iter())
            .partition(|port| port.asked >= most || self.is_enough(port.asked, everywhere));
        (verdict.again, verdict.apart) = (again, apart);
        for port in rest.iter_mut().filter(|port| is_limited && port.why == Why::NoResponse) {
            port.why = Why::Limited;
        }
        if rest.is_empty() || self.is() == HostIs::Silent || self.repairs >= REPAIRS {
            verdict.settled = rest;
            return verdict;
        }
        let wanted = (rest.len() / SAMPLE_EACH).clamp(1, SAMPLE_MOST);
        let mut chosen: Vec<usize> = Vec::new();
        for _ in 0..SAMPLE_EACH {
            let at = random(rest.len());
            if chosen.len() < wanted && !chosen.contains(&at) {
                chosen.push(at);
            }
        }
        verdict.samples = chosen.into_iter().filter_map(|at| rest.get(at).copied()).collect();
        self.samples_out = verdict.samples.len();
        self.sample_answered = false;
        self.sampled = rest;
        verdict
    }

    /// The lot whose sample shall not be asked.
    pub fn unsampled(&mut self) -> Vec<Silent> {
        self.samples_out = 0;
        std::mem::take(&mut self.sampled)
    }

    /// A sample is in: whether it answered. When all are, the lot is judged by them.
    pub fn sample(&mut self, index: u32, answered: bool) -> Verdict {
        self.samples_out = self.samples_out.saturating_sub(1);
        if answered {
            self.sample_answered = true;
            self.sampled.retain(|port| port.index != index);
        }
        let mut verdict = Verdict::default();
        if self.samples_out == 0 {
            let lot = std::mem::take(&mut self.sampled);
            if self.sample_answered {
                self.repairs += 1;
                verdict.again = lot;
            } else {
                verdict.settled = lot;
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(answered: u32, late: u32, silent: u32, asked: u8) -> Host {
        Host {
            seen: Seen { answered, late, ..Seen::default() },
            silent: (0..silent).map(|index| Silent { index, asked, why: Why::NoResponse }).collect(),
            ..Host::new(1)
        }
    }

    #[test]
    fn loss_demands_more_attempts() {
        let judge = |mut host: Host| {
            let everywhere = host.seen;
            let mut next = 0;
            let verdict = host.judge(&everywhere, Instant::now(), |length| {
                next += 1;
                next % length
            });
            (verdict.again.len(), verdict.samples.len(), verdict.settled.len())
        };
        assert_eq!(judge(host(0, 0, 512, 2)), (0, 0, 512), "nobody answers, nothing was seen to get lost");
        assert_eq!(judge(host(5000, 0, 512, 2)), (0, 8, 0));
        assert_eq!(judge(host(5000, 0, 5, 2)), (0, 1, 0));
        assert_eq!(judge(host(30, 0, 512, 2)).0, 512, "too little was seen to be sure");
        assert_eq!(judge(host(30, 0, 512, 3)).0, 0);
        assert_eq!(judge(host(5000, 100, 512, 4)).0, 512);
        assert_eq!(judge(host(5000, 100, 512, 5)).0, 0);
        assert_eq!(judge(host(50, 40, 512, 11)).0, 512);
        assert_eq!(judge(host(50, 40, 512, 12)).0, 0, "there is an end to it");
    }

    #[test]
    fn a_sample_that_answers_has_its_lot_asked_again_three_times_at_most() {
        let mut host = self::host(5000, 0, 128, 2);
        let everywhere = host.seen;
        for round in 0..4 {
            let mut at = 0;
            let verdict = host.judge(&everywhere, Instant::now(), |length| {
                at += 1;
                at % length
            });
            if round == 3 {
                assert_eq!((verdict.samples.len(), verdict.settled.len()), (0, 125));
                break;
            }
            let sample = verdict.samples[0].index;
            let mut left: Vec<_> = verdict.samples[1..].to_vec();
            let mut again = host.sample(sample, true);
            while let Some(other) = left.pop() {
                again = host.sample(other.index, false);
            }
            assert_eq!(again.again.len(), 127 - round, "all but the one that answered");
            assert!(again.settled.is_empty());
            host.silent = again.again;
        }
        let mut calm = self::host(5000, 0, 128, 2);
        let samples = calm.judge(&everywhere, Instant::now(), |_| 0).samples;
        assert_eq!(samples.len(), 1, "chance may choose the same twice");
        assert_eq!(calm.sample(samples[0].index, false).settled.len(), 128);
    }

    #[test]
    fn canaries_are_rare_and_a_service_is_bothered_eight_times_at_most_by_all_workers_together() {
        let mut host = Host::new(1);
        let count = |host: &mut Host, questions| (0..questions).filter(|_| host.canary().is_some()).count();
        assert_eq!(count(&mut host, 1000), 0);
        host.answers(7, true);
        assert_eq!(count(&mut host, 100_000), 8);
        host.answers(8, true);
        assert_eq!(count(&mut host, 256), 1, "another port");
        host.answers(9, false);
        assert_eq!(count(&mut host, 6400), 100);
        host.answers(10, true);
        assert_eq!(host.canary.map(|canary| canary.index), Some(9), "one that refuses is the better one");
        let each = |workers| {
            let mut host = Host::new(workers);
            host.answers(7, true);
            count(&mut host, 100_000)
        };
        assert_eq!((each(2), each(3), each(8)), (4, 3, 1));
    }

    #[test]
    fn silence_goes_on_being_doubted_where_packets_get_lost() {
        let mut lossy = Host { in_vain: 1_300, ..host(60_000, 1_200, 0, 0) };
        let calm = host(5_000, 0, 0, 0);
        assert!(lossy.goes_on_after(2, &lossy.seen) && !lossy.goes_on_after(8, &lossy.seen));
        assert!(!calm.goes_on_after(2, &calm.seen));
        assert!(lossy.is_seldom_silent() && !Host { in_vain: 2, ..host(10, 0, 0, 0) }.is_seldom_silent());
        lossy.in_vain = 8_000;
        assert!(!lossy.is_seldom_silent());
        let hopeless = host(60, 50, 0, 0);
        assert!(!hopeless.goes_on_after(MAX_ATTEMPTS, &hopeless.seen), "there is an end to it");
    }

    #[test]
    fn lots_are_bounded() {
        assert_eq!((lot(1, 2), lot(0, 0), lot(4096, 1), lot(4096, 2), lot(1 << 22, 2)), (512, 512, 128, 64, 16));
    }
}
