//! Open ports are asked a second time, and hosts with very many of them for ports that nobody offers.

use super::*;

/// How long an open port waits whose host may not be asked at the moment.
const PUT_OFF_US: u64 = 1000;

/// Ports that nobody offers, asked of a host that is suspected to accept everything ([`crate::masking`]).
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// The first few of them, then all.
    asked: Vec<u16>,
    answers: Vec<(u16, bool)>,
    /// Those of this try that did not go out yet.
    queue: Vec<u16>,
    /// How often those were asked.
    tries: u8,
    due_us: u64,
    told: bool,
    /// Whether they were asked while the ports were.
    is_early: bool,
}

impl Guard {
    /// Times a guard that stays silent is asked. Each has a source port of its own: another question from the same one would
    /// meet the half-open connection that the first one left, and be reset, which looks like a refusal.
    const TRIES: u8 = 3;

    fn accepted(&self) -> usize {
        self.answers.iter().filter(|(_, open)| *open).count()
    }

    pub(super) fn is_open(&self) -> bool {
        self.accepted() >= GUARDS_OPEN
    }

    /// Whether all of the first few accept, so that the others are to be asked.
    fn wants_more(&self) -> bool {
        self.asked.len() < GUARDS && self.accepted() >= PILOT
    }

    fn is_decided(&self, now_us: u64) -> bool {
        let may_refuse = if self.asked.len() < GUARDS { 0 } else { GUARDS - GUARDS_OPEN };
        let refused = self.answers.len() - self.accepted();
        let waited = self.tries >= Self::TRIES && self.queue.is_empty() && now_us >= self.due_us;
        !self.asked.is_empty() && (self.is_open() || refused > may_refuse || (waited && !self.wants_more()))
    }

    /// Whether some of them were silent and none was refused.
    fn is_doubtful(&self) -> bool {
        !self.is_open() && self.answers.iter().all(|(_, open)| *open)
    }

    fn is_silent(&self, port: u16) -> bool {
        self.answers.iter().all(|(known, _)| *known != port)
    }
}

/// What a second question at an open port was met with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondAnswer {
    Accepted,
    Refused,
    Silent,
}

impl Transmitter<'_> {
    /// The same when all else is done. Guards that were silent in the middle of a flood may have been lost in it, and are
    /// asked anew.
    pub(super) fn guard_at_end(&mut self, at: usize) -> bool {
        let is_decided = self.guard(at);
        let guard = &mut self.hosts[at].guard;
        if is_decided && guard.is_early && guard.is_doubtful() {
            *guard = Guard::default();
            return self.guard(at);
        }
        is_decided
    }

    /// Asks ports chosen by chance at a host with very many open ones; whether that is decided.
    pub(super) fn guard(&mut self, at: usize) -> bool {
        let open = self.cx.shared.hosts[at].open.load(Relaxed) as usize;
        let ports = self.cx.shared.ports.len();
        if !is_suspected(open, ports) || self.cx.settings.verification == Verification::Off {
            return true;
        }
        if self.hosts[at].guard.asked.is_empty() || self.hosts[at].guard.wants_more() {
            let known = std::mem::take(&mut self.hosts[at].guard.asked);
            let index = &self.cx.shared.port_index;
            let is_asked = |port: u16| index.get(usize::from(port)).is_some_and(|index| *index > 0);
            let random = &mut self.random;
            let more = if known.is_empty() { PILOT } else { GUARDS - known.len() };
            let drawn = draw(more, &known, ports, is_asked, |below| {
                *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                u16::try_from((*random >> 33) % u64::from(below)).unwrap_or(0)
            });
            let is_early = self.hosts[at].phase == Phase::Asking;
            let guard = &mut self.hosts[at].guard;
            guard.is_early |= is_early;
            (guard.tries, guard.due_us) = (0, 0);
            guard.asked = known.into_iter().chain(drawn).collect();
        }
        let now = self.now_us;
        if self.hosts[at].guard.is_decided(now) {
            return true;
        }
        let guard = &mut self.hosts[at].guard;
        if guard.queue.is_empty() && now >= guard.due_us && guard.tries < Guard::TRIES {
            guard.tries += 1;
            guard.queue = guard.asked.iter().copied().filter(|port| guard.is_silent(*port)).collect();
        }
        while !self.hosts[at].guard.queue.is_empty() && self.below_ceilings(at) {
            let guard = &mut self.hosts[at].guard;
            let (port, number) = (guard.queue.pop(), guard.tries - 1);
            if let Some(port) = port.filter(|port| guard.is_silent(*port)) {
                self.syn(at, port, Use::Guard(number));
            }
            self.hosts[at].guard.due_us = now + u64::from(self.patience(at));
        }
        false
    }

    pub(super) fn read_notes(&mut self) {
        if !self.cx.shared.noted.swap(false, Relaxed) {
            return;
        }
        let notes =
            std::mem::take(&mut *self.cx.shared.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for (number, port) in notes.opened {
            let Some(host) = self.hosts.get_mut(number as usize) else { continue };
            // Where everything accepts a second time is known beforehand.
            if self.cx.settings.verification == Verification::On && !host.guard.is_open() {
                host.verifying += 1;
                self.verify_open.insert((number, port), 0);
                self.verify.push(Reverse((self.now_us, number, port, 0)));
            }
            if self.cx.shared.hosts[number as usize].open.load(Relaxed) as usize > MANY {
                self.guard(number as usize);
            }
        }
        for (hop, mac, to) in notes.neighbours {
            self.heard_neighbour(hop, mac, to);
        }
        let mut confirmed = Vec::new();
        for (number, port, accepted) in notes.verified {
            if self.verify_open.remove(&(number, port)).is_some() {
                if let Some(host) = self.hosts.get(number as usize).filter(|_| accepted) {
                    confirmed.push((host.target.id, port));
                }
                self.verify_ended(number, port, if accepted { SecondAnswer::Accepted } else { SecondAnswer::Refused });
            }
        }
        if !confirmed.is_empty() {
            self.cx.messenger.tell(Message::Confirmed(confirmed));
        }
        for (number, port, open) in notes.guards {
            if let Some(host) = self.hosts.get_mut(number as usize)
                && host.guard.asked.contains(&port)
                && host.guard.is_silent(port)
            {
                host.guard.answers.push((port, open));
                if host.guard.is_open() && !std::mem::replace(&mut host.guard.told, true) {
                    self.cx.messenger.tell(Message::Masked(host.target.id));
                }
            }
        }
    }

    pub(super) fn verify_ended(&mut self, number: u32, port: u32, second: SecondAnswer) {
        let Some(host) = self.hosts.get_mut(number as usize) else { return };
        host.verifying = host.verifying.saturating_sub(1);
        let port = self.cx.shared.ports.get(port as usize);
        match second {
            SecondAnswer::Accepted => {}
            SecondAnswer::Refused => host.refuted.extend(port),
            SecondAnswer::Silent => host.silent_again.extend(port),
        }
    }

    /// Asks open ports a second time, a few thousand a second at most; returns how many packets went out.
    pub(super) fn verify_some(&mut self) -> usize {
        let (mut sent, mut put_off) = (0, 0);
        while let Some(Reverse((due, number, port, tries))) = self.verify.peek().copied() {
            if due > self.now_us || self.verify_next_us > self.now_us || sent >= 8 || put_off >= 64 {
                break;
            }
            self.verify.pop();
            let at = number as usize;
            let masked = self.hosts.get(at).is_some_and(|host| host.guard.is_open());
            if masked && self.verify_open.remove(&(number, port)).is_some() {
                self.verify_ended(number, port, SecondAnswer::Accepted);
            }
            if !self.verify_open.contains_key(&(number, port)) {
                continue;
            }
            if tries >= Use::VERIFICATIONS {
                self.verify_open.remove(&(number, port));
                self.verify_ended(number, port, SecondAnswer::Silent);
                continue;
            }
            if !self.below_ceilings(at) {
                // Others may be asked meanwhile.
                self.verify.push(Reverse((self.now_us + PUT_OFF_US, number, port, tries)));
                put_off += 1;
                continue;
            }
            let again = self.now_us + u64::from(self.patience(at)) * u64::from(tries + 1);
            self.verify.push(Reverse((again, number, port, tries + 1)));
            if let Some(port) = self.cx.shared.ports.get(port as usize).copied() {
                self.syn(at, port, Use::Verify(tries));
            }
            self.verify_next_us = self.verify_next_us.max(self.now_us.saturating_sub(2000)) + 250;
            sent += 1;
        }
        sent
    }
}
