//! Which questions are overdue: a wheel of slots of two milliseconds. Adding and taking cost the same however many
//! there are.

/// Length of a slot in microseconds.
const SLOT_US: u64 = 2000;
/// Slots: a little more than the longest wait.
const SLOTS: usize = 4608;

/// A question on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flight {
    pub host: u32,
    pub port: u32,
    /// The pass it belongs to.
    pub pass: u8,
    /// Whether it is no repetition out of turn.
    pub first: bool,
}

/// Room of emptied slots that is kept for others: vectors at most, and flights in each at most. What a burst needed beyond
/// that is given back.
const SPARE: usize = 32;
const SPARE_FLIGHTS: usize = 4096;

/// All of them, by the time until which an answer is waited for.
#[derive(Debug)]
pub struct Wheel {
    slots: Vec<Vec<Flight>>,
    /// Empty vectors with room; an empty slot has none, or each of them would keep what its fullest moment took.
    spare: Vec<Vec<Flight>>,
    /// Slots before this one are empty.
    turn: u64,
}

impl Wheel {
    pub fn new() -> Self {
        Self { slots: vec![Vec::new(); SLOTS], spare: Vec::new(), turn: 0 }
    }

    fn place(turn: u64) -> usize {
        usize::try_from(turn % SLOTS as u64).unwrap_or(0)
    }

    /// Adds a flight; a time beyond the wheel counts as its end.
    pub fn add(&mut self, until_us: u64, flight: Flight) {
        let turn = (until_us / SLOT_US + 1).clamp(self.turn, self.turn + SLOTS as u64 - 1);
        let slot = &mut self.slots[Self::place(turn)];
        if slot.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            *slot = spare;
        }
        slot.push(flight);
    }

    /// The next flight that is overdue.
    pub fn due(&mut self, now_us: u64) -> Option<Flight> {
        let now = now_us / SLOT_US;
        loop {
            if self.turn > now {
                return None;
            }
            let slot = &mut self.slots[Self::place(self.turn)];
            if let Some(flight) = slot.pop() {
                return Some(flight);
            }
            let emptied = std::mem::take(slot);
            if emptied.capacity() > 0 && emptied.capacity() <= SPARE_FLIGHTS && self.spare.len() < SPARE {
                self.spare.push(emptied);
            }
            self.turn += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_bursts_needed_is_not_kept() {
        let mut wheel = Wheel::new();
        let flight = Flight { host: 0, port: 0, pass: 0, first: true };
        for round in 0..4 {
            for slot in 0..SLOTS as u64 - 1 {
                let now = (round * SLOTS as u64 + slot) * SLOT_US;
                (0..1000).for_each(|_| wheel.add(now, flight));
                while wheel.due(now + SLOT_US).is_some() {}
            }
        }
        let kept = |list: &[Vec<Flight>]| list.iter().map(Vec::capacity).sum::<usize>();
        let (slots, spare) = (kept(&wheel.slots), kept(&wheel.spare));
        assert!(slots + spare <= SPARE * SPARE_FLIGHTS, "{slots} in slots, {spare} spare");
    }

    proptest! {
        #[test]
        fn each_flight_comes_once_and_not_before_its_time(
            waits in prop::collection::vec((0_u64..3_900_000, 0_u64..5000), 1..200),
        ) {
            let (mut wheel, mut now, mut due, mut seen) = (Wheel::new(), 0, Vec::new(), 0);
            for (number, (wait, step)) in waits.iter().enumerate() {
                let port = u32::try_from(number).unwrap();
                wheel.add(now + wait, Flight { host: 0, port, pass: 0, first: true });
                due.push(now + wait);
                now += step;
                while let Some(flight) = wheel.due(now) {
                    prop_assert!(due[flight.port as usize] <= now);
                    seen += 1;
                }
            }
            while wheel.due(now + 5_000_000).is_some() {
                seen += 1;
            }
            prop_assert_eq!(seen, waits.len());
        }
    }
}
