//! How fast to ask: a window where ports answer, a rate where they are silent. Pure arithmetic over counts and times.
//!
//! * [`Window`]: questions in flight, clocked by the answers. It doubles each round trip until it has once been too
//!   large, then by an eighth. It gives way when more than a tenth of the answers came only to a repetition (loss that is
//!   *confirmed*; silence alone says nothing, most silent ports are filtered on purpose), or when even the quickest
//!   answer of a round trip took far longer than the quickest ever (a queue is building up somewhere).
//! * [`Pace`]: questions a second, for hosts of which too little answers to be a clock. What it learns from are
//!   *canaries*, questions that are known to be answered. It doubles while they come back in time, and without any it
//!   stays slow.

/// A round trip that is longer than the shortest by this much, in microseconds, means a queue; for far hosts half the
/// shortest.
const QUEUE_US: u32 = 20_000;
/// The queue that is left when the sender gives way to one: with less, a bottleneck idles now and then.
const KEPT_QUEUE_US: f32 = 16_000.0;
/// Share of confirmed loss above which the sender gives way.
const LOSS: f32 = 0.10;

/// Whether the quickest of recent round trips tells of a queue.
fn queued(shortest_us: u32, recent_us: u32) -> bool {
    recent_us != u32::MAX && recent_us > shortest_us.saturating_add(QUEUE_US.max(shortest_us / 2))
}

/// What was counted in one epoch, which lasts at least a round trip.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epoch {
    /// Answers.
    pub answered: u32,
    /// Of these, to a repetition.
    pub late: u32,
    /// The shortest round trip ever, in microseconds.
    pub shortest_us: u32,
    /// The shortest round trip of the epoch; `u32::MAX` if there was none.
    pub recent_us: u32,
}

/// A window of questions in flight.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    size: f32,
    threshold: f32,
    most: f32,
    /// Epochs to let pass before loss counts again: what is late now was lost before the last cut.
    deaf: u8,
}

impl Window {
    const LEAST: f32 = 8.0;

    pub const fn new(start: f32, most: f32) -> Self {
        Self { size: start, threshold: most, most, deaf: 0 }
    }

    /// Questions that may be in flight.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 8 and 65536")]
    pub const fn size(&self) -> u32 {
        self.size as u32
    }

    /// Answers came in while the window was in use.
    pub fn answered(&mut self, count: u32) {
        let count = f32::from(u16::try_from(count).unwrap_or(u16::MAX));
        // Beyond the threshold an eighth each round trip: what made the last cut necessary may have been a moment's noise.
        let growth = if self.size < self.threshold { count } else { count * (8.0 / self.size).max(0.125) };
        self.size = (self.size + growth).min(self.most);
    }

    /// An epoch is over.
    pub fn epoch(&mut self, epoch: &Epoch) {
        let (answered, late) = (as_f32(epoch.answered), as_f32(epoch.late));
        if epoch.answered >= 8 && queued(epoch.shortest_us, epoch.recent_us) {
            // What the path holds without the queue, and a little more so that the queue does not run dry.
            let keep = (as_f32(epoch.shortest_us) + KEPT_QUEUE_US) / as_f32(epoch.recent_us).max(1.0);
            self.shrink(keep.clamp(0.3, 0.95));
        } else if epoch.late >= 8 && late > answered * LOSS && self.deaf == 0 {
            self.shrink(0.7);
            self.deaf = 3;
        } else {
            self.deaf = self.deaf.saturating_sub(1);
        }
    }

    /// Starts anew with a known size.
    pub fn restart(&mut self, size: f32) {
        self.size = size.min(self.most).max(self.least());
        self.threshold = self.size;
    }

    /// Whoever may have next to nothing out has no more than that.
    const fn least(&self) -> f32 {
        Self::LEAST.min(self.most)
    }

    fn shrink(&mut self, factor: f32) {
        self.size = (self.size * factor).max(self.least());
        self.threshold = self.size;
    }
}

/// When to give way where ports are silent: what [`Pace`] and the connect engine's number of attempts in flight have in
/// common.
#[derive(Debug, Clone, Copy)]
pub struct Caution {
    /// Whether it has never been too much.
    starting: bool,
    /// Share of canaries that were lost, of about the last sixteen.
    lost: f32,
}

impl Caution {
    pub const fn new() -> Self {
        Self { starting: true, lost: 0.0 }
    }

    /// A canary came back or was lost.
    pub fn canary(&mut self, came_back: bool) {
        self.lost = self.lost * (15.0 / 16.0) + if came_back { 0.0 } else { 1.0 / 16.0 };
    }

    /// The factor by which to give way at the end of an epoch for canaries that were lost, or for a queue.
    pub fn gives_way(&mut self, queue: Queue) -> Option<f32> {
        if self.lost > 0.25 {
            self.lost = 0.12;
            self.starting = false;
            Some(0.6)
        } else if queue == Queue::BuildsUp {
            self.starting = false;
            Some(0.75)
        } else {
            None
        }
    }

    /// It was too much for another reason.
    pub const fn was_too_much(&mut self) {
        self.starting = false;
    }

    /// The factor by which to grow: it doubles until it was too much once, and is `later` from then on.
    pub const fn growth(&self, later: f32) -> f32 {
        if self.starting { 2.0 } else { later }
    }
}

/// Whether a queue builds up somewhere on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    BuildsUp,
    None,
}

impl Queue {
    /// From the quickest round trip ever and that of the epoch, in microseconds; `u32::MAX` if there was none.
    pub fn of(shortest_us: u32, recent_us: u32) -> Self {
        if queued(shortest_us, recent_us) { Self::BuildsUp } else { Self::None }
    }
}

/// A rate of questions.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Questions a second.
    rate: f32,
    least: f32,
    dark: f32,
    most: f32,
    caution: Caution,
    next_us: f64,
}

impl Pace {
    /// `dark` is the rate without any evidence, `most` the highest.
    pub const fn new(dark: f32, most: f32) -> Self {
        Self { rate: dark, least: 200.0, dark, most, caution: Caution::new(), next_us: 0.0 }
    }

    /// Questions a second.
    pub const fn rate(&self) -> f32 {
        self.rate
    }

    /// A canary came back or was lost.
    pub fn canary(&mut self, came_back: bool) {
        self.caution.canary(came_back);
    }

    /// Nothing is heard any more, and not because of the pace: asks like one who never heard anything.
    pub fn restart(&mut self) {
        (self.rate, self.caution) = (self.dark, Caution::new());
    }

    /// An epoch is over. `good` and `bad` count canaries that came back or were lost, and answers to first and repeated
    /// questions.
    pub fn epoch(&mut self, epoch: &Epoch, good: u32, bad: u32) {
        let queue = if good > 0 { Queue::of(epoch.shortest_us, epoch.recent_us) } else { Queue::None };
        if let Some(factor) = self.caution.gives_way(queue) {
            self.rate = (self.rate * factor).max(self.least);
        } else if good > bad {
            self.rate = (self.rate * self.caution.growth(1.05)).min(self.most);
        } else if good == 0 && bad == 0 && self.rate > self.dark {
            // Nothing is heard any more: back towards the rate of the blind.
            self.rate = (self.rate * 0.98).max(self.dark);
        }
    }

    /// Whether a question may go out now.
    pub fn ready(&self, now_us: u64) -> bool {
        self.next_us <= as_f64(now_us)
    }

    /// A question went out.
    pub fn sent(&mut self, now_us: u64) {
        // Credit for two milliseconds, so that a late wake-up does not cost throughput.
        self.next_us = self.next_us.max(as_f64(now_us) - 2000.0) + 1_000_000.0 / f64::from(self.rate.max(1.0));
    }
}

/// The share of questions that got lost in a pass over silent ports. Where no loss was seen, it is taken to be tiny.
pub fn loss(lost: u32, asked: u32) -> f32 {
    if lost == 0 || asked == 0 {
        return 1e-4;
    }
    (as_f32(lost) / as_f32(asked)).clamp(1e-4, 0.9)
}

/// Where this share of questions gets lost, whether so many after one another are lost by chance now and then: more often than once
/// in a thousand times.
pub fn could_be_chance(share: f32, questions: u8) -> bool {
    share.powi(i32::from(questions)) > 1e-3
}

/// Whether silent ports were asked often enough: `missed` is the chance that an answering port stayed silent in every
/// pass, `answering` how many answered. Less than one run in ten thousand may lose one.
pub fn is_enough(missed: f32, answering: u32) -> bool {
    missed * as_f32(answering).max(10.0) < 1e-4
}

/// Smoothed round trip (RFC 6298) and the wait that follows from it, in microseconds.
pub fn smooth(smoothed_us: u32, variation_us: u32, sample_us: u32) -> (u32, u32) {
    if smoothed_us == 0 {
        return (sample_us.max(1), sample_us / 2);
    }
    let difference = smoothed_us.abs_diff(sample_us);
    // Samples come by the thousand a round trip, so what was far off is remembered longer than RFC 6298 says.
    let variation = if difference > variation_us {
        variation_us + (difference - variation_us) / 4
    } else {
        variation_us - (variation_us - difference) / 64
    };
    (smoothed_us - smoothed_us / 8 + sample_us / 8, variation)
}

#[expect(clippy::cast_precision_loss, reason = "a rate does not need more than 24 bits")]
const fn as_f32(value: u32) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since the start of a run")]
const fn as_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm(answered: u32) -> Epoch {
        Epoch { answered, late: 0, shortest_us: 20_000, recent_us: 20_300 }
    }

    /// Such as the share of one thread where the system allows few descriptors.
    #[test]
    fn a_window_is_never_larger_than_it_may_be() {
        for most in [1.0, 2.0, 7.0, 8.0] {
            let mut window = Window::new(most, most);
            window.restart(64.0);
            assert!(f64::from(window.size()) <= f64::from(most), "{most}");
            window.restart(0.0);
            window.epoch(&Epoch { answered: 100, late: 90, shortest_us: 100, recent_us: 100 });
            window.answered(1000);
            assert!((1.0..=f64::from(most)).contains(&f64::from(window.size())), "{most}: {}", window.size());
        }
    }

    #[test]
    fn the_window_doubles_then_gives_way_to_loss_and_to_queues() {
        let mut window = Window::new(128.0, 65_536.0);
        for _ in 0..5 {
            window.answered(window.size());
            window.epoch(&calm(100));
        }
        assert_eq!(window.size(), 4096);
        window.epoch(&Epoch { answered: 1000, late: 90, ..calm(0) });
        assert_eq!(window.size(), 4096, "nine in a hundred is not yet too much");
        window.epoch(&Epoch { answered: 1000, late: 200, ..calm(0) });
        assert_eq!(window.size(), 2867);
        window.epoch(&Epoch { answered: 1000, late: 200, ..calm(0) });
        assert_eq!(window.size(), 2867, "the same loss counts once");
        let before = window.size();
        window.epoch(&Epoch { recent_us: 60_000, ..calm(1000) });
        let cut = window.size();
        assert_eq!(cut, before * 36 / 60);
        window.answered(window.size());
        assert!(window.size() < cut * 5 / 4, "slower after the first cut");
        for _ in 0..100 {
            window.epoch(&Epoch { recent_us: 900_000, ..calm(1000) });
        }
        assert_eq!(window.size(), 8);
    }

    #[test]
    fn a_short_path_is_not_queued_by_the_noise_of_a_busy_machine() {
        assert!(!queued(50, 16_000) && queued(50, 21_000) && !queued(200_000, 250_000) && queued(200_000, 310_000));
    }

    #[test]
    fn the_pace_needs_evidence_to_rise_and_falls_with_lost_canaries() {
        let mut pace = Pace::new(10_000.0, 160_000.0);
        for _ in 0..50 {
            pace.epoch(&Epoch { recent_us: u32::MAX, ..calm(0) }, 0, 0);
        }
        assert!((pace.rate() - 10_000.0).abs() < 1.0);
        for _ in 0..10 {
            pace.canary(true);
            pace.epoch(&calm(1), 1, 0);
        }
        assert!((pace.rate() - 160_000.0).abs() < 1.0);
        for _ in 0..3 {
            pace.canary(false);
        }
        pace.epoch(&calm(1), 1, 3);
        assert!((pace.rate() - 160_000.0).abs() < 1.0, "three lost in sixteen may be chance");
        for _ in 0..3 {
            pace.canary(false);
        }
        pace.epoch(&calm(1), 1, 3);
        assert!(pace.rate() < 100_000.0);
        let before = pace.rate();
        pace.epoch(&Epoch { recent_us: 50_000, ..calm(1) }, 1, 0);
        assert!(pace.rate() < before);
    }

    #[test]
    fn more_loss_needs_more_passes() {
        let passes = |share: f32, answering| (1..20).find(|n| is_enough(share.powi(*n), answering)).unwrap_or(20);
        assert_eq!(passes(loss(0, 1000), 100), 2);
        assert_eq!(passes(loss(2, 100), 100), 4);
        assert_eq!(passes(loss(2, 100), 5000), 5);
        assert_eq!(passes(loss(1, 1000), 10), 2);
        assert!(is_enough(loss(50, 100) * loss(0, 50) * loss(0, 50), 100), "one bad pass does not need ten good ones");
    }
}
