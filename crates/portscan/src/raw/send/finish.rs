//! The end of a pass and of a host, and how far a host is, for the checkpoint.

use super::*;

/// As many silent ports of a host cost nearly nothing to be asked once more.
const FEW: u32 = 512;
/// From the third pass on, a few silent ports wait before they are asked again: twice this, then four times, eight times.
const APART_US: u64 = 20_000;
/// Passes at a host that may be asked only so often, and still answers some more in each.
const PASSES_LIMITED: u8 = 32;
/// How long after its first question, at least, a port of a host that refuses others is given up: as long as TCP waits before
/// anything is known of a path (RFC 6298 section 2.1).
const SLOWEST_US: u64 = 1_000_000;

/// The share that one count is of another, at least: each may differ by twice its standard deviation (Poisson), so that a few
/// say nothing.
fn at_least(part: u32, whole: u32) -> f32 {
    let (part, whole) = (f64::from(part), f64::from(whole));
    #[expect(clippy::cast_possible_truncation, reason = "a share")]
    let share = ((part - 2.0 * part.sqrt()) / (whole + 2.0 * whole.sqrt()).max(1.0)) as f32;
    share.clamp(0.0, 0.9)
}

impl Transmitter<'_> {
    /// All ports were asked in this pass: once the answers are in, decide whether another one follows.
    pub(super) fn finish_pass(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        let host = &mut self.hosts[at];
        if !host.early.is_empty() || (!host.unpaid.is_empty() && host.early_credit >= 1.0) {
            host.phase = Phase::Asking;
            return;
        }
        let undone = shared.undone.load(Acquire);
        if host.all_asked_us == 0 {
            host.all_asked_us = host.last_sent_us.max(1);
        }
        if undone > 0 {
            if self.are_more_coming(at) || (shared.in_flight.load(Relaxed) > 0 && !self.is_rest_lost(at)) {
                return;
            }
            if self.ask_refused(at) || self.another_pass(at, undone) {
                return;
            }
            self.sample(at, undone);
            if !self.hosts[at].early.is_empty() {
                self.hosts[at].phase = Phase::Asking;
                return;
            }
            // The last answers get more time than the others: nothing waits for them but the end. And who refuses a port at
            // once may stand in front of somebody far away who accepts on another.
            let patience = u64::from(self.patience(at));
            let blind = u64::try_from(self.cx.settings.timeout.as_micros()).unwrap_or(u64::MAX);
            let grace = if self.has_answered(at) { (patience * 2).max(100_000) } else { blind };
            let refuses = shared.answered.load(Relaxed) > shared.open.load(Relaxed);
            let slowest = if refuses { blind.min(SLOWEST_US) } else { 0 };
            let host = &self.hosts[at];
            if self.now_us < (host.last_sent_us + grace).max(host.all_asked_us + slowest) {
                if host.verifying == 0 {
                    // Time enough to ask those as well. Whatever comes of it, the end looks at it.
                    self.guard_at_end(at);
                }
                return;
            }
        }
        if self.hosts[at].verifying == 0 && self.guard_at_end(at) {
            self.give_up(at);
            self.close(at);
        }
    }

    /// Tells that a host is finished, after all of its results. The receiving thread may be about to hand over the last of
    /// them, and one of these may be an open port that is to be asked a second time.
    pub(super) fn close(&mut self, at: usize) {
        if !self.cx.shared.is_handed_over(&mut self.hosts[at].handing_over) {
            return;
        }
        self.read_notes();
        if self.hosts[at].local.is_some() || (self.hosts[at].verifying == 0 && self.guard_at_end(at)) {
            self.finish(at);
        }
    }

    /// Asks a few silent ports of a host that answers elsewhere once more, chosen by chance, at the time at which the last
    /// answers are awaited anyway. If one of them answers after all, silence was not what it seemed, and all are asked again.
    fn sample(&mut self, at: usize, undone: u32) {
        let all = self.cx.shared;
        let Ok(number) = u32::try_from(at) else { return };
        let off = self.cx.settings.verification == Verification::Off || self.cx.settings.attempts <= 1;
        if off || self.hosts[at].sampled || !self.has_answered(at) || self.hosts[at].local.is_some() {
            return;
        }
        let host = &mut self.hosts[at];
        host.sampled = true;
        host.undone_at_sample = undone;
        // Each silent port is as likely to be chosen as any other, however few there are (Vitter's algorithm R).
        let mut seen = 0;
        for port in 0..u32::try_from(all.ports.len()).unwrap_or(0) {
            let pair = all.pair(number, port);
            if all.done.get(pair) || self.refusal(at, pair).is_some() {
                continue;
            }
            seen += 1;
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = usize::try_from((self.random >> 33) % seen).unwrap_or(0);
            let early = &mut self.hosts[at].early;
            if early.len() < SAMPLE {
                early.push(port);
            } else if let Some(other) = early.get_mut(place) {
                *other = port;
            }
        }
    }

    /// Whether answers to the first questions still follow each other. A path that has become slow has those under way that were
    /// given up, and they are more than all that is lost.
    fn are_more_coming(&self, at: usize) -> bool {
        let (shared, host) = (&self.cx.shared.hosts[at], &self.hosts[at]);
        // Without what a queue adds: those that it holds come one after the other.
        let shortest = Some(shared.shortest_us.load(Relaxed)).filter(|us| *us < u32::MAX).unwrap_or(0);
        let reorder = u64::from(REORDER_US.max(shortest / 4));
        let read_until = self.now_us.min(self.cx.shared.read_until_us.load(Relaxed));
        let is_clocked = host.pass == 0 && host.last_answer_us > 0 && !shared.paced.load(Relaxed);
        is_clocked && read_until < host.last_answer_us + reorder
    }

    /// At the end of a pass: once the last question is answered, and nothing has come for as long as answers overtake
    /// each other, what is still out was lost, and need not be waited for until its time is over (the idea of RFC 8985). If
    /// the last one is among the few that were lost, the same holds after twice a round trip.
    fn is_rest_lost(&mut self, at: usize) -> bool {
        let all = self.cx.shared;
        let (Some(shared), Some(host)) = (all.hosts.get(at), self.hosts.get_mut(at)) else { return false };
        let overtaken = shared.newest_us.load(Relaxed) + LAST_US >= host.last_sent_exact_us;
        let reorder = u64::from(REORDER_US.max(shared.smoothed_us.load(Relaxed) / 4));
        let read_until = self.now_us.min(all.read_until_us.load(Relaxed));
        let smoothed = shared.smoothed_us.load(Relaxed);
        let tail_until = host.last_sent_exact_us + u64::from(smoothed + smoothed.max(SLACK_US));
        let is_tail_lost = smoothed > 0 && shared.in_flight.load(Relaxed) <= TAIL && read_until >= tail_until;
        let is_passed = overtaken && read_until >= host.last_answer_us + reorder;
        if shared.paced.load(Relaxed) || !(is_passed || is_tail_lost) {
            return false;
        }
        let Ok(number) = u32::try_from(at) else { return false };
        for port in 0..u32::try_from(all.ports.len()).unwrap_or(0) {
            host.given_up += u32::from(all.landed(shared, all.pair(number, port)));
        }
        host.early_incomplete = true;
        true
    }

    /// Whether a port of the host answered; that somebody answers an echo request for it says nothing about how far away it is.
    pub(super) fn has_answered(&self, at: usize) -> bool {
        let (Some(shared), Some(host)) = (self.cx.shared.hosts.get(at), self.hosts.get(at)) else { return false };
        host.target.answered || shared.answered.load(Relaxed) > 0
    }

    /// Whether silent ports are to be asked again; starts the pass if so and if it is time.
    pub(super) fn another_pass(&mut self, at: usize, undone: u32) -> bool {
        let all = self.cx.shared;
        let shared = &all.hosts[at];
        let dropped = self.lost_here(at);
        let host = &mut self.hosts[at];
        if host.phase != Phase::Waiting {
            return false;
        }
        host.early_incomplete |= !host.unpaid.is_empty();
        host.unpaid = Vec::new();
        let made = if host.pass == 0 && !host.early_incomplete { 2 } else { host.made.max(host.pass) + 1 };
        let answered = shared.answered.load(Relaxed);
        // How much was lost in this pass tell the canaries, each for the questions that went out with it: most is lost
        // while most goes out. Without them, answers tell that came only to a repetition.
        let (good, lost) = (host.canaries_good - host.pass_from.0, host.canaries_lost - host.pass_from.1);
        let (late, late_everywhere) = (shared.late.load(Relaxed), all.late.load(Relaxed));
        let share = if good + lost >= 20 {
            let (kept, gone) = host.stood_for;
            loss(gone, gone + kept).max(if lost == 0 { 0.0 } else { loss(lost + 1, good + lost + 1) })
        } else {
            let own = loss(late + host.canaries_lost, answered + host.canaries_good + host.canaries_lost);
            own.max(loss(late_everywhere, all.answered.load(Relaxed)))
        };
        // What a pass over silent ports brought had been lost before: so many times as much as the pass before it did. A path
        // that lets only so much through takes its share of these questions, and may let the canaries pass.
        let fresh = answered.wrapping_sub(host.pass_from.2);
        let lost_again = host.fresh_before.map_or(0.0, |before| at_least(fresh, before));
        let share = share.max(lost_again);
        let mut missed = host.missed * share;
        if host.pass == 0 && !host.early_incomplete {
            missed *= share;
        }
        // A caller who wants every port asked once gets just that.
        let once = self.cx.settings.attempts <= 1;
        // Who went away says nothing about loss, and does not come back for being asked more often.
        let gone = host.fell_silent && good == 0 && answered == host.pass_from.2;
        let enough = once || gone || is_enough(missed, all.answered.load(Relaxed));
        let mut needed = self.cx.settings.attempts.max(1);
        if !once && undone <= FEW && answered > undone {
            // A few that are silent among many that answer were probably lost, and cost nearly nothing.
            needed = needed.max(if late > 0 || host.canaries_lost > 0 { 5 } else { 3 });
        }
        let mut repair = !once && dropped > host.drops_at_start && host.repairs < REPAIRS;
        if host.sampled && undone < host.undone_at_sample {
            // A port that had stayed silent answered to the sample. There is another one after the next pass.
            host.undone_at_sample = 0;
            repair |= host.repairs < REPAIRS;
            host.sampled &= !repair;
        }
        // The last few of such a host are asked as long as one more of them answers.
        host.is_limited = !once && (lost_again > 0.0 || (host.is_limited && fresh > 0));
        let passes = if host.is_limited { PASSES_LIMITED } else { Use::PASSES };
        let enough = enough && !host.is_limited;
        if (made >= needed && enough && !repair) || host.pass + 1 >= passes || host.local.is_some() {
            return false;
        }
        // Loss that is no chance lasts: a target that is overloaded for a moment drops each of a few quick repetitions.
        if host.pass > 0
            && !once
            && (undone <= FEW || host.is_limited)
            && self.now_us < host.last_sent_exact_us + APART_US * (1 << host.pass.min(4))
        {
            return true;
        }
        if repair {
            host.repairs += 1;
        }
        host.missed = missed;
        host.pass_from = (host.canaries_good, host.canaries_lost, answered);
        host.fresh_before = Some(fresh);
        host.stood_for = (0, 0);
        host.made = made;
        host.pass += 1;
        host.cursor = 0;
        host.drops_at_start = dropped;
        host.phase = Phase::Asking;
        true
    }

    /// Every port gets a result now: what never answered is told.
    pub(super) fn give_up(&mut self, at: usize) {
        let all = self.cx.shared;
        let shared = &all.hosts[at];
        let Ok(number) = u32::try_from(at) else { return };
        let dropped = self.lost_here(at) > self.hosts[at].drops_at_start;
        let host = &mut self.hosts[at];
        host.phase = Phase::Closing;
        let answered = shared.answered.load(Relaxed) > 0 || host.target.answered;
        let (state, reason) = match (host.local, shared.unreachable.load(Relaxed)) {
            (Some(reason), _) => (State::Error, reason),
            (None, _) if dropped => (State::Error, Reason::AnswersLost),
            (None, 1) if !answered => (State::Unreachable, Reason::HostUnreachable),
            (None, 2) if !answered => (State::Unreachable, Reason::NetUnreachable),
            _ if host.fell_silent => (State::Filtered, Reason::FellSilent),
            _ if host.is_limited => (State::Filtered, Reason::AnswersLimited),
            _ => (State::Filtered, Reason::NoResponse),
        };
        let told = |pair, answered| answered && state == State::Filtered && all.unreachable.get(pair);
        let attempts = host.made.max(host.pass).saturating_add(1);
        // What is said of the whole host stands above what was said of one of its packets.
        let refused = self.refused.as_ref().filter(|_| host.local.is_none()).zip(host.refusals.reason);
        let mut records = Vec::new();
        if shared.undone.load(Relaxed) > 0 {
            for port in 0..u32::try_from(all.ports.len()).unwrap_or(0) {
                let pair = all.pair(number, port);
                if all.done.set(pair) {
                    shared.undone.fetch_sub(1, Relaxed);
                    // A port of a host that answers elsewhere is behind a filter that speaks like a router.
                    let refused = refused.filter(|(bits, _)| bits.get(pair));
                    let (state, reason) = match told(pair, answered) {
                        _ if let Some((_, reason)) = refused => (State::Error, reason),
                        true if all.by_network.get(pair) => (State::Filtered, Reason::NetUnreachable),
                        true => (State::Filtered, Reason::HostUnreachable),
                        false => (state, reason),
                    };
                    records.push(Record { host: host.target.id, port, state, reason, rtt_us: 0, ttl: 0, attempts });
                }
                if records.len() >= 4096 {
                    self.cx.messenger.records(std::mem::take(&mut records));
                }
            }
        }
        self.cx.messenger.records(records);
    }

    fn finish(&mut self, at: usize) {
        let Some(shared) = self.cx.shared.hosts.get(at) else { return };
        let host = &mut self.hosts[at];
        host.phase = Phase::Finished;
        let answered = shared.answered.load(Relaxed) > 0 || host.target.answered;
        let echoed = shared.echoed.load(Relaxed).then_some(Presence::Up(HostReason::Echo));
        let port = answered.then_some(Presence::Up(HostReason::Port));
        let mut unconfirmed = std::mem::take(&mut host.refuted);
        // Where much gets lost, silence says nothing against a port that accepted once.
        let share = loss(shared.late.load(Relaxed), shared.answered.load(Relaxed));
        if !could_be_chance(share, Use::VERIFICATIONS) {
            unconfirmed.append(&mut host.silent_again);
        }
        self.cx.messenger.tell(Message::Host(Box::new(HostEnd {
            host: host.target.id,
            presence: host.target.presence.or(port).or(echoed),
            rtt_us: shared.smoothed_us.load(Relaxed),
            mac: host.target.mac,
            accepts_everything: host.guard.is_open(),
            unconfirmed,
        })));
    }

    /// Tells the checkpoint how far each host is, late enough that what was out then is answered or given up.
    pub(super) fn publish_positions(&mut self) {
        if !self.cx.positions || self.now_us < self.positions_next_us {
            return;
        }
        self.positions_next_us = self.now_us + 50_000;
        let mut changed = Vec::new();
        for at in &self.active {
            let patience = u64::from(self.patience(*at));
            let host = &mut self.hosts[*at];
            if self.now_us < host.candidate.1 + patience {
                continue;
            }
            if host.candidate.0 != host.settled {
                host.settled = host.candidate.0;
                changed.push((host.target.id, host.settled));
            }
            host.candidate = (Position { pass: host.pass, cursor: host.cursor }, self.now_us);
        }
        if !changed.is_empty() {
            self.cx.messenger.tell(Message::Positions(changed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_answers_say_nothing_of_a_limit_and_many_do() {
        assert_eq!(at_least(0, 1000), 0.0);
        assert_eq!(at_least(4, 4), 0.0);
        assert!(at_least(7, 65_000) < 1e-4, "chance losses of a healthy path");
        assert!((0.4..0.5).contains(&at_least(553, 1114)));
        assert!(at_least(2619, 1018) > 0.89, "more than the pass before");
    }
}
