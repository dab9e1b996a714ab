//! Silence of ports becomes their state: when it is decided about, and what follows from that.

use super::*;

impl Worker<'_> {
    /// Decides about the silent ports of a host that wait for it.
    pub(super) fn judge(&mut self, at: usize) {
        let Some(host) = self.hosts.get_mut(at) else { return };
        let random = &mut self.random;
        let mut verdict = host.judge(&self.everywhere.0, Instant::now(), |length| {
            *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(*random >> 33).unwrap_or(0) % length.max(1)
        });
        if self.plan.settings.verification == Verification::Off && !verdict.samples.is_empty() {
            verdict.settled = host.unsampled();
            verdict.samples.clear();
        }
        self.carry_out(at, verdict);
    }

    /// Decides about all silent ports that are left; whether there is something to do about them.
    pub(super) fn judge_all(&mut self) -> bool {
        (0..self.hosts.len()).for_each(|at| self.judge(at));
        self.put_off() > 0
    }

    /// Decides about the silent ports of hosts of which this worker has nothing more to ask, so that they need not wait for
    /// the end of all.
    pub(super) fn judge_finished(&mut self) {
        let taken = if self.lot.is_empty() { self.next.load(Ordering::Relaxed) } else { self.lot.start };
        let mut unjudged = std::mem::take(&mut self.unjudged);
        unjudged.retain(|at| {
            if let Some(host) = self.hosts.get(*at)
                && !host.silent.is_empty()
                && host.out == 0
                && taken >= self.plan.pairs.end_of(*at)
            {
                self.judge(*at);
            }
            let host = self.hosts.get_mut(*at);
            host.is_some_and(|host| {
                host.is_listed = !host.silent.is_empty();
                host.is_listed
            })
        });
        self.unjudged.append(&mut unjudged);
    }

    pub(super) fn carry_out(&mut self, host: usize, verdict: Verdict) {
        let now = Instant::now();
        self.out(host, i32::try_from(verdict.again.len()).unwrap_or(i32::MAX));
        for silent in verdict.again {
            let question =
                Question { host, index: silent.index, asked: silent.asked, local: 0, kind: Kind::State, reserved: 0 };
            match verdict.apart {
                Some(apart) => self.hold(question, apart, now),
                None => self.ask_again(question, now),
            }
        }
        for silent in verdict.samples {
            let question =
                Question { host, index: silent.index, asked: silent.asked, local: 0, kind: Kind::Sample, reserved: 0 };
            self.ask_again(question, now + APART.min(self.plan.settings.timeout));
        }
        for silent in verdict.settled {
            self.settle(host, silent);
        }
    }

    /// Silence, or what a router said, is the state of the port.
    pub(super) fn settle(&mut self, at: usize, silent: Silent) {
        let Some(host) = self.hosts.get(at) else { return };
        // What was told of one port of a host that answers nowhere holds for all.
        let why = match (silent.why, host.unreachable, host.is()) {
            (Why::NoResponse, Some(told), answers::HostIs::Silent) => told,
            (why, ..) => why,
        };
        let (state, reason) = why.state(host.is());
        let question =
            Question { host: at, index: silent.index, asked: silent.asked, local: 0, kind: Kind::State, reserved: 0 };
        self.report(question, state, reason, None);
    }
}
