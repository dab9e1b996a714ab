//! The last questions of a run, where packets get lost.
//!
//! The last attempt at a port waits long, for a port that is slow to accept, and most that stay silent then were just lost once
//! more. So while it waits the port is asked again, by another socket, as often as it would be asked anyway once that time is over.
//! What answers first counts. Only a few ports at a time are asked so: a handful of packets costs little, and where many are silent
//! it is not the end of the run that waits for them.

use super::*;

/// Ports that are asked so at the same time, by one worker.
const PORTS: usize = 64;

/// Questions for a port beside each other.
#[derive(Debug)]
pub(super) struct Beside {
    /// Of those in flight, their slots and numbers.
    flights: Vec<(usize, u32)>,
    /// Those that are about to go out.
    put_off: u32,
    /// The most attempts that one of them counts.
    asked: u8,
    is_answered: bool,
}

/// Those of a worker.
#[derive(Debug, Default)]
pub(super) struct Hedges {
    /// When a flight is to get another one beside it.
    due: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    beside: HashMap<(usize, u32), Beside>,
}

impl Worker<'_> {
    /// A question went out whose socket waits so long.
    pub(super) fn perhaps_hedge(&mut self, question: &Question, slot: usize, patience: Patience, now: Instant) {
        let number = self.number;
        if let Some(beside) = self.beside(question) {
            beside.put_off = beside.put_off.saturating_sub(1);
            beside.flights.push((slot, number));
        }
        let is_last = question.kind == Kind::State && question.asked + 1 >= self.plan.settings.attempts;
        if !is_last
            || self.plan.settings.attempts <= 1
            || patience.repetitions > 0
            || self.plan.silence == Silence::Taken
        {
            return;
        }
        let Some(host) = self.hosts.get(question.host).filter(|host| host.is_seldom_silent()) else { return };
        let soon = host.rtt.wait(Attempt::Earlier, &self.everywhere.1, self.plan.settings.timeout);
        if soon < patience.wait {
            self.hedges.due.push(Reverse((now + soon, slot, number)));
        }
    }

    /// Asks ports once more that have waited for an answer long enough.
    pub(super) fn hedge(&mut self, now: Instant) {
        while let Some(Reverse((due, slot, number))) = self.hedges.due.peek().copied() {
            if due > now {
                break;
            }
            self.hedges.due.pop();
            let flight = self.flights.get(slot).and_then(Option::as_ref).filter(|flight| flight.number == number);
            let Some(question) = flight.map(|flight| flight.question) else { continue };
            let Some(host) = self.hosts.get(question.host) else { continue };
            let asked = question.asked.saturating_add(1);
            let key = (question.host, question.index);
            let known = self.hedges.beside.contains_key(&key);
            let is_wanted = host.is_seldom_silent() && host.goes_on_after(asked, &self.everywhere.0);
            if !is_wanted || (!known && self.hedges.beside.len() >= PORTS) {
                continue;
            }
            let beside = self.hedges.beside.entry(key).or_insert_with(|| Beside {
                flights: vec![(slot, number)],
                put_off: 0,
                asked,
                is_answered: false,
            });
            beside.put_off += 1;
            beside.asked = beside.asked.max(asked);
            self.ask_again(Question { asked, local: 0, ..question }, now);
        }
    }

    fn beside(&mut self, question: &Question) -> Option<&mut Beside> {
        let key = (question.host, question.index);
        if question.kind == Kind::State { self.hedges.beside.get_mut(&key) } else { None }
    }

    /// Whether a question is not needed any more that was to go out beside another one.
    pub(super) fn is_answered_meanwhile(&mut self, question: &Question) -> bool {
        let Some(beside) = self.beside(question).filter(|beside| beside.is_answered) else { return false };
        beside.put_off = beside.put_off.saturating_sub(1);
        if beside.put_off == 0 {
            self.hedges.beside.remove(&(question.host, question.index));
        }
        true
    }

    /// A question came to its end: what is to be made of it, if it is not left to another one beside it.
    pub(super) fn unless_beside(
        &mut self,
        mut question: Question,
        slot: Option<usize>,
        answer: &Answer,
    ) -> Option<Question> {
        let Some(beside) = self.beside(&question) else { return Some(question) };
        match slot {
            Some(slot) => beside.flights.retain(|(other, _)| *other != slot),
            // It did not get that far.
            None => beside.put_off = beside.put_off.saturating_sub(1),
        }
        if matches!(answer, Answer::Final(..)) {
            beside.is_answered = true;
            let (flights, is_over) = (std::mem::take(&mut beside.flights), beside.put_off == 0);
            if is_over {
                self.hedges.beside.remove(&(question.host, question.index));
            }
            for (slot, number) in flights {
                self.abandon(slot, number);
            }
            return Some(question);
        }
        if beside.put_off > 0 || !beside.flights.is_empty() {
            return None;
        }
        question.asked = question.asked.max(beside.asked);
        self.hedges.beside.remove(&(question.host, question.index));
        Some(question)
    }

    /// Nobody waits for the answer of this flight any more.
    fn abandon(&mut self, slot: usize, number: u32) {
        let is_it = |flight: &mut Flight| flight.number == number;
        let Some(flight) = self.flights.get_mut(slot).and_then(|flight| flight.take_if(is_it)) else { return };
        self.in_flight -= 1;
        self.sockets.read_late(slot);
        self.ended(flight.question.host, flight.reserved, 0);
    }

    /// When the next is due.
    pub(super) fn hedge_due(&self) -> Option<Instant> {
        self.hedges.due.peek().map(|Reverse((due, ..))| *due)
    }
}
