//! How many attempts may be in flight: grows with answers, gives way to confirmed loss and to local trouble.
//!
//! A timeout alone is no sign of loss, most silent ports are filtered on purpose. Loss is *confirmed* when a
//! repetition is answered, or when the kernel has no room.

/// Smallest window.
const MIN: f64 = 16.0;
/// Where a run starts.
const START: f64 = 128.0;
/// Share of answers that came only to a repetition, above which the window gives way.
const LOSS_LIMIT: f64 = 0.10;

/// The window of one worker.
#[derive(Debug)]
pub struct Window {
    size: f64,
    threshold: f64,
    max: f64,
    answered: f64,
    late: f64,
    silent: f64,
}

impl Window {
    /// A window of at most `max` attempts.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let max = f64::from(u32::try_from(max.max(1)).unwrap_or(u32::MAX));
        Self { size: START.min(max), threshold: max, max, answered: 0.0, late: 0.0, silent: 0.0 }
    }

    /// Attempts allowed in flight now; at least 1.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=max, a u32 before")]
    pub fn size(&self) -> usize {
        self.size.clamp(1.0, self.max) as usize
    }

    /// An attempt was answered; `repeated` if an earlier one at the same port was not.
    pub fn answer(&mut self, repeated: Repeated) {
        self.answered += 1.0;
        if repeated == Repeated::Yes {
            self.late += 1.0;
        }
        // Slow start below the threshold, then one more a window.
        self.size += if self.size < self.threshold { 1.0 } else { 1.0 / self.size };
        self.size = self.size.min(self.max);
        self.end_of_epoch();
    }

    /// An attempt was not answered.
    pub fn silence(&mut self) {
        self.silent += 1.0;
        self.end_of_epoch();
    }

    /// The kernel refused an attempt for want of something.
    pub fn local_trouble(&mut self) {
        self.shrink();
    }

    fn end_of_epoch(&mut self) {
        if self.answered + self.silent < self.size {
            return;
        }
        if self.answered > 0.0 && self.late > 4.0 && self.late / self.answered > LOSS_LIMIT {
            self.shrink();
        } else if self.answered == 0.0 {
            // Nobody answers: nothing to congest, only time to lose.
            self.size = (self.size * 1.5).min(self.max);
        }
        (self.answered, self.late, self.silent) = (0.0, 0.0, 0.0);
    }

    fn shrink(&mut self) {
        self.size = (self.size / 2.0).max(MIN).min(self.max);
        self.threshold = self.size;
    }
}

/// Whether an earlier attempt at the same port had gone unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeated {
    /// It had.
    Yes,
    /// This was the first.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_answers_and_with_pure_silence_and_gives_way_to_loss() {
        let mut window = Window::new(1000);
        for _ in 0..5000 {
            window.answer(Repeated::No);
        }
        assert_eq!(window.size(), 1000);
        for _ in 0..2000 {
            window.answer(Repeated::Yes);
        }
        assert!(window.size() < 600, "{}", window.size());
        let mut silent = Window::new(4000);
        for _ in 0..20_000 {
            silent.silence();
        }
        assert_eq!(silent.size(), 4000);
        for _ in 0..100 {
            silent.local_trouble();
        }
        assert_eq!(silent.size(), 16);
        assert_eq!(Window::new(0).size(), 1);
    }
}
