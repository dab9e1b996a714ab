//! When a question may go out, how long its socket waits, and room in the ceilings for what the kernel repeats meanwhile.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use super::super::GUARD_ATTEMPTS;
use super::*;

/// Questions for a host that may be asked only so often.
#[derive(Debug)]
pub(super) struct Held {
    apart: Duration,
    questions: VecDeque<Question>,
}

impl Worker<'_> {
    /// Questions that are put off.
    pub(super) fn put_off(&self) -> usize {
        self.again.len() + self.turns.len() + self.held.values().map(|held| held.questions.len()).sum::<usize>()
    }

    /// Has a question wait, so that so much time goes by between two for its host.
    pub(super) fn hold(&mut self, question: Question, apart: Duration, now: Instant) {
        let held = self.held.entry(question.host).or_insert_with(|| {
            self.held_due.push(Reverse((now + apart, question.host)));
            Held { apart, questions: VecDeque::new() }
        });
        held.apart = apart;
        held.questions.push_back(question);
    }

    /// Has the questions asked whose time has come.
    pub(super) fn release(&mut self, now: Instant) {
        while let Some(Reverse((due, host))) = self.held_due.peek().copied()
            && due <= now
        {
            self.held_due.pop();
            let Entry::Occupied(mut entry) = self.held.entry(host) else { continue };
            let held = entry.get_mut();
            let question = held.questions.pop_front();
            if held.questions.is_empty() {
                entry.remove();
            } else {
                // What was missed for want of a processor is not caught up with.
                let earliest = now.checked_sub(LATE).unwrap_or(now);
                self.held_due.push(Reverse((due.max(earliest) + held.apart, host)));
            }
            if let Some(question) = question {
                self.ask_again(question, now);
            }
        }
    }

    /// A question whose turn has come at the ceilings of its host and subnet.
    pub(super) fn next_turn(&mut self, now_us: u64) -> Option<(u64, Question)> {
        let limits = self.limits?;
        let mut turns = std::mem::replace(&mut self.turns, Turns::new());
        let next = turns.next(limits, now_us, |question| self.price(question, now_us));
        self.turns = turns;
        let (at_us, question) = next?;
        Some((at_us, Question { reserved: self.price(&question, now_us), ..question }))
    }

    /// How many repetitions a question is to have room for: its own, or those of questions before it.
    fn price(&mut self, question: &Question, now_us: u64) -> u8 {
        let own = self.patience(question).repetitions;
        let schedule = self.schedule;
        self.repetitions.get_mut(question.host).map_or(own, |of_host| of_host.price(own, now_us, schedule))
    }

    /// Puts a question off until the ceilings of its host and subnet let it go.
    pub(super) fn within_limits(&mut self, question: Question, now: Instant) -> Next {
        if self.limits.is_none() {
            return Next::Ask(question);
        }
        let now_us = self.now_us(now);
        self.turns.put(question.host, question, now_us);
        Next::Later
    }

    /// Between two attempts, by the caller's ceiling or where no answers are the clock.
    pub(super) fn gap(&self) -> Option<Duration> {
        self.pace.max(self.flow.gap())
    }

    /// Attempts at a guard. A caller who wants everything asked once gets just that.
    pub(super) fn guard_attempts(&self) -> u8 {
        if self.plan.settings.attempts <= 1 { 1 } else { GUARD_ATTEMPTS }
    }

    /// How long the socket of a question waits. Attempts that are left to it may be made by the kernel.
    pub(super) fn patience(&self, question: &Question) -> Patience {
        let attempts = self.plan.settings.attempts;
        let all = match question.kind {
            Kind::State => attempts,
            Kind::Guard => self.guard_attempts(),
            Kind::Verify => VERIFY_ATTEMPTS,
            Kind::Sample | Kind::Canary => 0,
        };
        let left = all.saturating_sub(question.asked.saturating_add(1));
        let rtt = self.hosts.get(question.host).map_or_else(Rtt::default, |host| host.rtt);
        let wait = |attempt| rtt.wait(attempt, &self.everywhere.1, self.plan.settings.timeout);
        let last = wait(Attempt::Last);
        let needed = self.schedule.needed(last);
        if left > needed {
            return self.schedule.patience(wait(Attempt::Earlier), left);
        }
        // What is asked beyond the attempts that were wanted is worth nothing if the answer cannot be waited for.
        let is_extra = attempts > 1 && question.asked >= all;
        self.schedule.patience(last, if is_extra { needed } else { left })
    }

    /// A question went out that the kernel may repeat so often, for which the ceilings have to have room.
    pub(super) fn began(&mut self, question: &Question, repetitions: u8, now: Instant) {
        let now_us = self.now_us(now);
        let schedule = self.schedule;
        let Some(of_host) = self.repetitions.get_mut(question.host) else { return };
        let price = of_host.price(repetitions, now_us, schedule);
        of_host.began(repetitions);
        if let Some(pace) = self.pace {
            self.next_start += pace * u32::from(price);
        }
        // What is known of the host may be other than when its turn came.
        if let Some(limits) = self.limits.filter(|_| price != question.reserved) {
            let mut limits = limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            limits.reserve(question.host, price.saturating_sub(question.reserved));
            limits.give_back(question.host, question.reserved.saturating_sub(price));
        }
    }

    /// It ended after so many of these; gives back the room for the others.
    pub(super) fn ended(&mut self, host: usize, repetitions: u8, sent: u8) {
        let Some(of_host) = self.repetitions.get_mut(host).filter(|_| repetitions > 0) else { return };
        of_host.ended(repetitions);
        let unsent = repetitions.saturating_sub(sent);
        if let Some(pace) = self.pace {
            self.next_start = self.next_start.checked_sub(pace * u32::from(unsent)).unwrap_or(self.next_start);
        }
        if let Some(limits) = self.limits.filter(|_| unsent > 0) {
            limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).give_back(host, unsent);
        }
    }
}
