//! What ties an answer to a question without memory: a keyed mark in the sequence number, the send time in its low
//! bits, and the attempt in the source port.
//!
//! An answer counts only if it repeats the mark, so that old packets, other people's connections and forgers who do not
//! see our packets are told apart. The mark is 18 bits of SipHash under a key of this run; together with the window of
//! source ports a blind forger needs about 2^24 packets for one wrong result.

use std::hash::Hasher;
use std::net::IpAddr;
use std::time::Duration;

use siphasher::sip::SipHasher13;

/// Bits of the send time in the sequence number.
const TIME_BITS: u32 = 14;
const TIME_MASK: u32 = (1 << TIME_BITS) - 1;
/// Microseconds of one tick: round trips are measured in this unit and told apart up to 2^14 ticks, 2.1 s; where the caller
/// wants to wait longer than that, up to 8.4 s.
const TICK_US: u32 = 128;
const LONG_TICK_US: u32 = 512;
/// Longest wait at which a tick is short.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// Source ports of a run: one for each purpose and attempt, so that an attempt never meets the half-open connection
/// that an earlier one left at the target.
pub const SOURCE_PORTS: u16 = 64;

/// The use of a source port within [`SOURCE_PORTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The pass over all ports with this number, below [`Use::PASSES`].
    Pass(u8),
    /// The early repetition within the first pass.
    Early,
    /// Asking a silent port once more at the end of the passes, chosen by chance.
    Sample,
    /// Asking an open port again.
    Verify(u8),
    /// Asking for a port that nobody offers, with the number of the try below [`Use::GUARDS`].
    Guard(u8),
    /// Asking a port that answered before, to see how the path does.
    Canary(u8),
}

impl Use {
    /// Passes over all ports at most.
    pub const PASSES: u8 = 12;
    /// Canaries in flight at most.
    pub const CANARIES: u8 = 32;
    /// Times an open port is asked again.
    pub const VERIFICATIONS: u8 = 4;
    /// Tries at a port that nobody offers.
    pub const GUARDS: u8 = 4;

    /// Its place among the source ports.
    pub const fn offset(self) -> u16 {
        match self {
            Self::Pass(pass) => (pass % Self::PASSES) as u16,
            Self::Early => 12,
            Self::Sample => 13,
            Self::Verify(number) => 16 + (number % Self::VERIFICATIONS) as u16,
            Self::Guard(number) => 20 + (number % Self::GUARDS) as u16,
            Self::Canary(number) => 32 + (number % Self::CANARIES) as u16,
        }
    }

    /// The use of a place.
    pub fn at(offset: u16) -> Option<Self> {
        let small = u8::try_from(offset).ok()?;
        match small {
            0..12 => Some(Self::Pass(small)),
            12 => Some(Self::Early),
            13 => Some(Self::Sample),
            16..20 => Some(Self::Verify(small - 16)),
            20..24 => Some(Self::Guard(small - 20)),
            32..64 => Some(Self::Canary(small - 32)),
            _ => None,
        }
    }
}

/// The keys of a run.
#[derive(Debug, Clone, Copy)]
pub struct Cookies {
    keys: (u64, u64),
    tick_us: u32,
    /// The first of the [`SOURCE_PORTS`].
    pub first_port: u16,
}

impl Cookies {
    /// From random numbers, for round trips up to `longest`.
    pub fn new(random: [u64; 3], longest: Duration) -> Self {
        // 33000 to 60967: above what services listen on, below the end of the range.
        let first_port = 33_000 + u16::try_from(random[2] % 437).unwrap_or(0) * SOURCE_PORTS;
        let tick_us = if longest <= SHORT_WAIT { TICK_US } else { LONG_TICK_US };
        Self { keys: (random[0], random[1]), tick_us, first_port }
    }

    /// The source port for a use.
    pub const fn source_port(&self, what: Use) -> u16 {
        self.first_port + what.offset()
    }

    /// The use of one of our source ports.
    pub fn use_of(&self, port: u16) -> Option<Use> {
        Use::at(port.checked_sub(self.first_port)?)
    }

    /// A keyed mark of a pair, for echo requests and identifiers.
    pub fn mark(&self, target: IpAddr, source_port: u16, port: u16) -> u32 {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        let ports = u32::from(source_port) << 16 | u32::from(port);
        match target {
            IpAddr::V4(address) => hasher.write_u64(u64::from(u32::from(address)) << 32 | u64::from(ports)),
            IpAddr::V6(address) => {
                hasher.write_u128(u128::from(address));
                hasher.write_u32(ports);
            }
        }
        u32::try_from(hasher.finish() >> 32).unwrap_or(0)
    }

    /// The sequence number of a question sent at `now_us`.
    pub fn sequence(&self, target: IpAddr, source_port: u16, port: u16, now_us: u64) -> u32 {
        let ticks = u32::try_from((now_us / u64::from(self.tick_us)) & u64::from(TIME_MASK)).unwrap_or(0);
        (self.mark(target, source_port, port) & !TIME_MASK) | ticks
    }

    /// Checks the sequence number that an answer repeats; the round trip in microseconds if it is ours.
    pub fn round_trip(&self, target: IpAddr, source_port: u16, port: u16, sequence: u32, now_us: u64) -> Option<u32> {
        if (self.mark(target, source_port, port) ^ sequence) & !TIME_MASK != 0 {
            return None;
        }
        let now = u32::try_from((now_us / u64::from(self.tick_us)) & u64::from(TIME_MASK)).unwrap_or(0);
        let mut ticks = now.wrapping_sub(sequence & TIME_MASK) & TIME_MASK;
        if ticks > TIME_MASK - 8 {
            // The clock was read in the middle of a tick on one side: a trip of almost the longest is a short one.
            ticks = 0;
        }
        Some((ticks * self.tick_us).max(20))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_use_has_its_own_source_port() {
        let mut seen = std::collections::BTreeSet::new();
        let uses = (0..Use::PASSES)
            .map(Use::Pass)
            .chain([Use::Early, Use::Sample])
            .chain((0..Use::VERIFICATIONS).map(Use::Verify))
            .chain((0..Use::GUARDS).map(Use::Guard))
            .chain((0..Use::CANARIES).map(Use::Canary));
        for one in uses {
            assert!(one.offset() < SOURCE_PORTS && seen.insert(one.offset()), "{one:?}");
            assert_eq!(Use::at(one.offset()), Some(one));
        }
        for random in [0, 436, u64::MAX] {
            assert!(
                u32::from(Cookies::new([1, 2, random], Duration::ZERO).first_port) + u32::from(SOURCE_PORTS) < 61_000
            );
        }
    }

    proptest! {
        #[test]
        fn an_answer_is_known_and_timed_and_a_forged_one_is_not(
            keys in any::<[u64; 3]>(), target in any::<IpAddr>(), port in any::<u16>(), sent in 0_u64..1 << 50,
            trip in 0_u64..1_900_000, flipped in 14_u32..32, is_long: bool,
        ) {
            let cookies = Cookies::new(keys, Duration::from_secs(if is_long { 8 } else { 2 }));
            let (trip, tick) = if is_long { (trip * 4, 512) } else { (trip, 128) };
            let source = cookies.source_port(Use::Pass(1));
            let sequence = cookies.sequence(target, source, port, sent);
            let measured = u64::from(cookies.round_trip(target, source, port, sequence, sent + trip).unwrap());
            prop_assert!(measured.abs_diff(trip) <= 2 * tick, "{measured} for {trip}");
            prop_assert_eq!(cookies.round_trip(target, source, port, sequence ^ (1 << flipped), sent + trip), None);
        }
    }
}
