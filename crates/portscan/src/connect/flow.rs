//! How many attempts of a worker may be in flight.
//!
//! Where ports answer, the answers clock a [`Window`] as in the raw engine. Where they are silent there is no such clock:
//! the number grows while *canaries*, questions at ports that are known to answer, come back in time, and gives way when
//! they are lost or late. Without any canary it stays at what cannot hurt a path much.
//!
//! Silent attempts end by the clock, and all that began together end together. Replaced at once they would go out in bursts for
//! ever, which overflow a queue on the way although the path would carry as many one by one. So they are spread out over the time
//! that an attempt takes.

use std::time::Duration;

use crate::congestion::{Caution, Epoch, Queue, Window};

/// Where a worker starts, and the least it keeps.
const START: f32 = 256.0;
const LEAST: f32 = 8.0;
/// The most in flight of which nothing ever came back.
const DARK: f32 = 4096.0;
/// Shortest epoch.
const EPOCH_US: u64 = 20_000;

/// The number of attempts in flight.
#[derive(Debug)]
pub struct Flow {
    window: Window,
    /// In place of the window where ports are silent.
    silent: Option<Silent>,
    most: f32,
    epoch: Counts,
    since_us: u64,
    /// Answers and silence since the manner was last chosen.
    share: (u32, u32),
    heard: bool,
    /// How long attempts were in flight, smoothed, in microseconds.
    held_us: f32,
}

#[derive(Debug, Clone, Copy)]
struct Silent {
    size: f32,
    caution: Caution,
}

#[derive(Debug, Clone, Copy)]
struct Counts {
    answered: u32,
    late: u32,
    silent: u32,
    good: u32,
    /// The least by which an answer took longer than the quickest of its host.
    excess_us: u32,
}

impl Counts {
    const NONE: Self = Self { answered: 0, late: 0, silent: 0, good: 0, excess_us: u32::MAX };
}

/// Whether an earlier attempt at the same port had gone unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeated {
    /// It had.
    Yes,
    /// This was the first.
    No,
}

impl Flow {
    /// At most `most` attempts.
    pub fn new(most: usize) -> Self {
        let most = f32::from(u16::try_from(most.max(1)).unwrap_or(u16::MAX));
        Self {
            window: Window::new(START.min(most), most),
            silent: None,
            most,
            epoch: Counts::NONE,
            since_us: 0,
            share: (0, 0),
            heard: false,
            held_us: 0.0,
        }
    }

    /// Attempts allowed in flight now; at least 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 65535")]
    pub fn size(&self) -> usize {
        let size = self.silent.as_ref().map_or_else(|| self.window.size() as f32, |silent| silent.size);
        size.min(self.most).max(1.0) as usize
    }

    /// An attempt came to its end after so long.
    pub fn ended(&mut self, held: Duration) {
        let held_us = held.as_secs_f32() * 1e6;
        self.held_us = if self.held_us > 0.0 { self.held_us + (held_us - self.held_us) / 64.0 } else { held_us };
    }

    /// How long to wait between two attempts where no answers are the clock.
    pub fn gap(&self) -> Option<Duration> {
        self.silent.as_ref().map(|silent| {
            Duration::from_secs_f32((self.held_us / silent.size.min(self.most).max(1.0) / 1e6).clamp(0.0, 1.0))
        })
    }

    /// Whether too little answers to be a clock, so that canaries are needed.
    pub const fn needs_canaries(&self) -> bool {
        self.silent.is_some()
    }

    /// A port answered; `excess_us` is by how much it took longer than the quickest answer of its host.
    pub fn answer(&mut self, repeated: Repeated, excess_us: u32, in_flight: usize) {
        self.heard = true;
        self.epoch.answered += 1;
        self.epoch.late += u32::from(repeated == Repeated::Yes);
        self.epoch.excess_us = self.epoch.excess_us.min(excess_us);
        self.share.0 += 1;
        if self.silent.is_none() && in_flight * 2 >= self.size() {
            self.window.answered(1);
        }
    }

    /// An attempt stayed without answer.
    pub const fn silence(&mut self) {
        self.epoch.silent += 1;
        self.share.1 += 1;
    }

    /// A canary came back, after so much longer than the quickest answer, or was lost.
    pub fn canary(&mut self, excess_us: Option<u32>) {
        if let Some(excess_us) = excess_us {
            self.heard = true;
            self.epoch.good += 1;
            self.epoch.excess_us = self.epoch.excess_us.min(excess_us);
        }
        if let Some(silent) = &mut self.silent {
            silent.caution.canary(excess_us.is_some());
        }
    }

    /// The kernel refused an attempt for want of something.
    pub fn local_trouble(&mut self) {
        match &mut self.silent {
            Some(silent) => silent.cut(0.5),
            None => self.window.restart(self.window.size() as f32 / 2.0),
        }
    }

    /// To be called often: adapts once a round trip.
    pub fn tick(&mut self, now_us: u64, round_trip_us: u32) {
        if now_us < self.since_us + u64::from(round_trip_us).max(EPOCH_US) {
            return;
        }
        let counts = self.epoch;
        match &mut self.silent {
            None => {
                let epoch =
                    Epoch { answered: counts.answered, late: counts.late, shortest_us: 0, recent_us: counts.excess_us };
                self.window.epoch(&epoch);
            }
            Some(silent) => {
                // Silence takes long to be seen: the epoch lasts until about half of what is in flight came to its end.
                if (counts.answered + counts.silent + counts.good) as f32 * 2.0 < silent.size {
                    return;
                }
                silent.epoch(&counts, if self.heard { self.most } else { self.most.min(DARK) });
            }
        }
        self.epoch = Counts::NONE;
        self.since_us = now_us;
        self.choose();
    }

    /// Window or silence, by the share of attempts that are answered.
    fn choose(&mut self) {
        let (answered, silent) = self.share;
        if answered + silent < 64 {
            return;
        }
        match &self.silent {
            None if answered * 10 < silent => {
                self.silent = Some(Silent { size: self.window.size() as f32, caution: Caution::new() });
            }
            Some(now) if answered > silent => {
                let size = now.size;
                self.window.restart(size.max(64.0));
                self.silent = None;
            }
            _ => {}
        }
        self.share = (0, 0);
    }
}

impl Silent {
    fn epoch(&mut self, counts: &Counts, most: f32) {
        // The excess over the quickest answer takes the place of a round trip over nothing.
        if let Some(factor) = self.caution.gives_way(Queue::of(0, counts.excess_us)) {
            self.cut(factor);
        } else if counts.late >= 4 && counts.late * 4 > counts.answered {
            self.cut(0.7);
        } else {
            self.size = (self.size * self.caution.growth(1.1)).min(most);
        }
    }

    const fn cut(&mut self, factor: f32) {
        self.size = (self.size * factor).max(LEAST);
        self.caution.was_too_much();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_grows_with_canaries_and_gives_way_when_they_are_lost_or_late() {
        let mut flow = Flow::new(10_000);
        let mut now = 0;
        let mut epoch = |flow: &mut Flow, canaries: &[Option<u32>]| {
            (0..flow.size()).for_each(|_| flow.silence());
            canaries.iter().for_each(|canary| flow.canary(*canary));
            now += 30_000;
            flow.tick(now, 1000);
        };
        for _ in 0..20 {
            epoch(&mut flow, &[]);
        }
        assert_eq!(flow.size(), 4096, "nothing was ever heard");
        assert!(flow.needs_canaries());
        for _ in 0..20 {
            epoch(&mut flow, &[Some(100)]);
        }
        assert_eq!(flow.size(), 10_000);
        epoch(&mut flow, &[Some(50_000)]);
        assert_eq!(flow.size(), 7500, "a queue");
        for _ in 0..8 {
            epoch(&mut flow, &[None]);
        }
        assert!(flow.size() < 7000, "{}", flow.size());
        for _ in 0..1000 {
            flow.local_trouble();
        }
        assert_eq!(flow.size(), 8);
    }

    #[test]
    fn silent_attempts_are_spread_over_the_time_they_take() {
        let mut flow = Flow::new(10_000);
        assert_eq!(flow.gap(), None, "answers are the clock");
        let mut now = 0;
        while !flow.needs_canaries() {
            (0..flow.size()).for_each(|_| flow.silence());
            now += 30_000;
            flow.tick(now, 1000);
        }
        for _ in 0..1000 {
            flow.ended(Duration::from_millis(200));
        }
        let whole = flow.gap().unwrap() * u32::try_from(flow.size()).unwrap();
        assert!(whole.abs_diff(Duration::from_millis(200)) < Duration::from_millis(2), "{whole:?}");
    }

    #[test]
    fn answers_are_a_clock() {
        let mut flow = Flow::new(1000);
        let mut now = 0;
        for _ in 0..30 {
            for _ in 0..flow.size() {
                flow.answer(Repeated::No, 0, flow.size());
            }
            now += 30_000;
            flow.tick(now, 1000);
        }
        assert_eq!(flow.size(), 1000);
        for _ in 0..5 {
            for _ in 0..100 {
                flow.answer(Repeated::Yes, 0, 0);
            }
            now += 30_000;
            flow.tick(now, 1000);
        }
        assert!(flow.size() < 800, "{}", flow.size());
        assert_eq!(Flow::new(0).size(), 1);
        assert!(!flow.needs_canaries());
    }
}
