//! What came back: window and pace of each host and of all, and the canaries that tell how the path does.

use super::*;

/// One canary cannot stand for more questions than the highest pace sends between two canaries of a busy host.
const MOST_STOOD_FOR: u32 = 4_096;
/// Canaries lost in a row after which a host says nothing about the path any more, and its next hop may be another one.
const GONE_AFTER: u32 = 4;
/// Canaries lost in a row, with nothing else answered, after which a host has fallen silent: even where nine in ten
/// packets get lost that is one case in ten.
const SILENT_AFTER: u32 = 24;

impl Transmitter<'_> {
    /// Adapts the window and pace that all hosts share.
    pub(super) fn global_epoch(&mut self) {
        let shared = self.cx.shared;
        let answered = shared.answered.load(Relaxed);
        let fresh = answered.wrapping_sub(self.seen);
        self.seen = answered;
        if fresh > 0 && shared.in_flight.load(Relaxed) + i64::from(fresh) >= i64::from(self.window.size() / 2) {
            self.window.answered(fresh);
        }
        let length = u64::from(shared.smoothed_us.load(Relaxed)).max(20_000);
        if self.now_us < self.global_epoch.at_us + length {
            return;
        }
        let late = shared.late.load(Relaxed);
        let excess = shared.excess_us.swap(u32::MAX, Relaxed);
        // Hosts are at different distances: what counts is the delay beyond each one's own, beside the usual round trip.
        let shortest = shared.smoothed_us.load(Relaxed).saturating_sub(excess);
        let epoch = Epoch {
            answered: answered.wrapping_sub(self.global_epoch.answered),
            late: late.wrapping_sub(self.global_epoch.late),
            shortest_us: shortest,
            recent_us: if excess == u32::MAX { u32::MAX } else { shortest.saturating_add(excess) },
        };
        self.window.epoch(&epoch);
        let (good, lost) = (self.global_epoch.good, self.global_epoch.lost);
        self.pace.epoch(&epoch, good + epoch.answered, lost + epoch.late);
        self.global_epoch = EpochStart { at_us: self.now_us, answered, late, good: 0, lost: 0 };
    }

    /// Takes in what came back from a host since its last turn.
    pub(super) fn learn(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        let now = self.now_us;
        let answered = shared.answered.load(Relaxed);
        let fresh = answered.wrapping_sub(self.hosts[at].seen);
        if fresh > 0 {
            let host = &mut self.hosts[at];
            host.seen = answered;
            host.last_answer_us = now;
            (host.lost_in_row, host.fell_silent) = (0, false);
            if shared.in_flight.load(Relaxed) + fresh >= host.window.size() / 2 {
                host.window.answered(fresh);
            }
        }
        let length = u64::from(shared.smoothed_us.load(Relaxed)).max(20_000);
        if now < self.hosts[at].epoch.at_us + length {
            return;
        }
        self.check_canaries(at);
        let late = shared.late.load(Relaxed);
        let host = &mut self.hosts[at];
        let epoch = Epoch {
            answered: answered.wrapping_sub(host.epoch.answered),
            late: late.wrapping_sub(host.epoch.late),
            shortest_us: shared.shortest_us.load(Relaxed),
            recent_us: shared.recent_us.swap(u32::MAX, Relaxed),
        };
        host.early_credit += EARLY_PER_LATE * f32::from(u16::try_from(epoch.late).unwrap_or(u16::MAX));
        let good = host.canaries_good - host.epoch.good;
        let lost = host.canaries_lost - host.epoch.lost;
        if shared.paced.load(Relaxed) {
            host.pace.epoch(&epoch, good + epoch.answered - epoch.late.min(epoch.answered), lost + epoch.late);
        } else {
            host.window.epoch(&epoch);
        }
        let (good, lost) = (host.canaries_good, host.canaries_lost);
        host.epoch = EpochStart { at_us: now, answered, late, good, lost };
        self.choose_manner(at);
    }

    /// Window or pace, by the share of questions that are answered.
    pub(super) fn choose_manner(&mut self, at: usize) {
        let patience = self.patience(at);
        let (shared, host) = (&self.cx.shared.hosts[at], &mut self.hosts[at]);
        let answered = host.seen.wrapping_sub(host.share_from);
        let total = answered + host.given_up;
        if total < 64 {
            return;
        }
        let paced = shared.paced.load(Relaxed);
        if !paced && answered * 10 < total {
            self.switch_to_pace(at);
        } else if paced && answered * 2 > total {
            let size = host.pace.rate() * f32::from(u16::try_from(patience / 1000).unwrap_or(u16::MAX)) / 1000.0;
            host.window.restart(size.max(64.0));
            self.cx.shared.in_flight.fetch_add(i64::from(shared.in_flight.load(Relaxed)), Relaxed);
            shared.paced.store(false, Relaxed);
        }
        let host = &mut self.hosts[at];
        (host.share_from, host.given_up) = (host.seen, 0);
    }

    /// The window is full and nothing has come back for as long as an answer takes: ask at a pace instead.
    pub(super) fn notice_silence(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        if shared.in_flight.load(Relaxed) < self.hosts[at].window.size() {
            return;
        }
        let quiet_since = self.hosts[at].last_answer_us.max(self.hosts[at].last_sent_us);
        if shared.smoothed_us.load(Relaxed) == 0 && self.now_us > quiet_since + 20_000 {
            // An echo may tell the round trip, and that nothing is wrong with the path.
            self.send_canary(at);
        }
        // Who sent an echo back is not far away; ports of his that say nothing are no clock, though they may be slow to speak.
        let wait = if shared.echoed.load(Relaxed) { self.usual_wait(at) } else { self.patience(at).min(RTO_BLIND_US) };
        if self.now_us > quiet_since + u64::from(wait) {
            self.switch_to_pace(at);
        }
    }

    pub(super) fn switch_to_pace(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        shared.paced.store(true, Relaxed);
        self.cx.shared.in_flight.fetch_sub(i64::from(shared.in_flight.load(Relaxed)), Relaxed);
    }

    /// Asks something that is known to answer, to see how the path does; whether a packet went out.
    pub(super) fn send_canary(&mut self, at: usize) -> bool {
        let host = &self.hosts[at];
        // One for 64 questions; where questions are few, for fewer, so that a host that gave way soon learns how much it may do.
        let rare = host.since_canary >= 8 && self.now_us > host.canary_next_us + 30_000;
        if host.since_canary < 64 && !rare {
            return false;
        }
        if self.now_us < host.canary_next_us || host.canaries.len() >= usize::from(Use::CANARIES) - 1 {
            return false;
        }
        let shared = &self.cx.shared.hosts[at];
        let port = shared.canary_port.load(Relaxed).checked_sub(1);
        // Who wants everything asked once gets no port asked twice for this either.
        let port = port.filter(|_| self.cx.settings.attempts > 1);
        let number = host.canary_number;
        let host = &mut self.hosts[at];
        // Before it goes out: its answer may be here at once, and so may its refusal.
        shared.canaries.fetch_and(!(1 << number), Relaxed);
        host.canaries.push_back((self.now_us, number, host.since_canary.min(MOST_STOOD_FOR)));
        host.canary_number = (number + 1) % Use::CANARIES;
        // At most two hundred a second, and few where none ever came back, or none comes back any more.
        let deaf = host.fell_silent || (host.canaries_good == 0 && host.deaf_canaries >= 4);
        host.canary_next_us = self.now_us + if deaf { 500_000 } else { 5_000 };
        host.since_canary = 0;
        match port.and_then(|index| self.cx.shared.ports.get(index as usize)).copied() {
            Some(port) => self.syn(at, port, Use::Canary(number)),
            None => self.echo(at, number),
        }
        true
    }

    /// Counts anew what is out at hosts that are asked through the window: moves between the two manners are not atomic with
    /// answers, so the sum goes astray by a few each time.
    pub(super) fn recount(&mut self) {
        const EVERY_US: u64 = 500_000;
        if self.now_us < self.recount_next_us {
            return;
        }
        self.recount_next_us = self.now_us + EVERY_US;
        let shared = self.cx.shared;
        let before = shared.in_flight.load(Relaxed);
        let hosts = self.active.iter().filter_map(|at| shared.hosts.get(*at));
        let out = hosts.filter(|host| !host.paced.load(Relaxed)).map(|host| i64::from(host.in_flight.load(Relaxed)));
        let right: i64 = out.sum();
        // The difference, so that answers that come in between still count.
        shared.in_flight.fetch_add(right - before, Relaxed);
    }

    pub(super) fn check_canaries(&mut self, at: usize) {
        let patience = u64::from(self.patience(at));
        let read_until = self.now_us.min(self.cx.shared.read_until_us.load(Relaxed));
        let shared = &self.cx.shared.hosts[at];
        let host = &mut self.hosts[at];
        let back = shared.canaries.load(Relaxed);
        while let Some((sent, number, stood_for)) = host.canaries.front().copied() {
            let came_back = back >> number & 1 == 1;
            if !came_back && read_until < sent + patience {
                break;
            }
            host.canaries.pop_front();
            if came_back {
                host.canaries_good += 1;
                host.stood_for.0 = host.stood_for.0.saturating_add(stood_for);
                (host.lost_in_row, host.fell_silent) = (0, false);
            } else if host.canaries_good > 0 || shared.canary_port.load(Relaxed) > 0 {
                host.canaries_lost += 1;
                host.lost_in_row += 1;
                host.stood_for.1 = host.stood_for.1.saturating_add(stood_for);
            } else {
                // It never answered an echo: that says nothing about the path.
                host.deaf_canaries += 1;
                continue;
            }
            // Whoever answers nothing at all went away, or bans us: that is no news of the path to others, and to go slowly
            // does not bring it back.
            if host.lost_in_row <= GONE_AFTER {
                self.pace.canary(came_back);
                let counted = if came_back { &mut self.global_epoch.good } else { &mut self.global_epoch.lost };
                *counted += 1;
            }
            if host.lost_in_row < SILENT_AFTER {
                host.pace.canary(came_back);
            } else if !std::mem::replace(&mut host.fell_silent, true) {
                host.pace.restart();
            }
        }
        if self.hosts[at].lost_in_row > GONE_AFTER {
            self.doubt_hop_of(at);
        }
    }
}
