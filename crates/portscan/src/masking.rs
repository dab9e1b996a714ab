//! Hosts that accept on every port: SYN proxies, tarpits, protection services that answer for whoever stands behind them.
//!
//! The rule, the same in every engine:
//!
//! 1. A host is *suspected* if more than [`MANY`] of its ports are open; or nine in ten of those asked, where at least eight
//!    were; or all that were asked, however few. One port is enough: it costs a real host two packets, and a sweep for one
//!    port over a network behind a proxy would be wrong at each address.
//! 2. A suspected host is asked *guards*: ports between 20000 and 64999, chosen by chance anew for each run, none of which was asked
//!    anyway unless nearly all were. First [`PILOT`] of them, and unless each accepts the host is what it seems: a server
//!    does not listen on two ports drawn from 45,000. Then so many that they are [`GUARDS`] in all.
//! 3. If at least [`GUARDS_OPEN`] of those accept, the host *accepts everything*, and its open ports prove nothing. They are counted; they
//!    are not listed one by one beyond [`LISTED`], not asked a second time, and not asked what speaks there.
//!
//! How many ports are open decides nothing: a host with hundreds of services refuses its guards, or is silent on them, and
//! stands as it was found.

/// Open ports on a host from which it is suspected whatever else it answers.
pub const MANY: usize = 48;
/// Guards that are asked first.
pub const PILOT: usize = 2;
/// Guards in all.
pub const GUARDS: usize = 10;
/// Guards of these that must accept: one answer may get lost.
pub const GUARDS_OPEN: usize = 9;
/// Open ports of a host that accepts everything that are still told one by one where a caller does not want every result.
pub const LISTED: u32 = 25;
/// From so many ports asked on, guards are not kept apart from them.
const NEARLY_ALL: usize = 20_000;

/// Whether a host with so many open ports among those asked is asked guards.
#[must_use]
pub const fn is_suspected(open: usize, asked: usize) -> bool {
    open > MANY || (asked >= 8 && open * 10 >= asked * 9) || (open > 0 && open >= asked)
}

/// Draws guards until there are `count`, none of them `known`; `random` gives a number below its argument.
pub fn draw(
    count: usize,
    known: &[u16],
    asked: usize,
    is_asked: impl Fn(u16) -> bool,
    mut random: impl FnMut(u16) -> u16,
) -> Vec<u16> {
    const FIRST: u16 = 20_000;
    const SPAN: u16 = 45_000;
    let mut guards = Vec::new();
    while guards.len() < count {
        let port = FIRST + random(SPAN).min(SPAN - 1);
        let taken = asked < NEARLY_ALL && is_asked(port);
        if !taken && !guards.contains(&port) && !known.contains(&port) {
            guards.push(port);
        }
    }
    guards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicion_needs_very_many_or_nearly_all() {
        for (open, asked) in [(1, 1), (2, 2), (3, 3), (8, 8), (9, 10), (900, 1000), (49, 65_535), (300, 1000)] {
            assert!(is_suspected(open, asked), "{open} of {asked}");
        }
        for (open, asked) in [(0, 0), (0, 1), (1, 2), (2, 3), (6, 7), (7, 8), (48, 1000)] {
            assert!(!is_suspected(open, asked), "{open} of {asked}");
        }
    }

    #[test]
    fn guards_are_high_different_and_spare_what_is_asked() {
        let mut next = 0_u16;
        let mut count = |below: u16| {
            next += 1;
            (next / 2) % below
        };
        assert_eq!(draw(3, &[], 1000, |port| port == 20_001, &mut count), [20_000, 20_002, 20_003]);
        next = 0;
        let mut count = |below: u16| {
            next += 1;
            next % below
        };
        assert_eq!(draw(2, &[20_003], 65_535, |_| true, &mut count), [20_001, 20_002], "there is nothing to spare");
        assert_eq!(draw(1, &[], 1, |_| false, |_| u16::MAX), [64_999]);
    }
}
