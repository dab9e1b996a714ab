//! What the codes of ICMP (RFC 792, RFC 1812) and ICMPv6 (RFC 4443) say about a question that could not be delivered.

/// Why a question could not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    Port,
    Host,
    Network,
    Prohibited,
}

/// What a code of ICMP's "destination unreachable" (type 3) says; `None` where it is no obstacle.
pub const fn unreachable(code: u8) -> Option<Unreachable> {
    match code {
        2 | 3 => Some(Unreachable::Port),
        0 | 5 | 6 | 11 => Some(Unreachable::Network),
        9 | 10 | 13 => Some(Unreachable::Prohibited),
        // Not an obstacle: our packets are far smaller than any path takes.
        4 => None,
        _ => Some(Unreachable::Host),
    }
}

/// What a code of ICMPv6's "destination unreachable" (type 1) says.
pub const fn unreachable6(code: u8) -> Unreachable {
    match code {
        0 | 2 => Unreachable::Network,
        4 => Unreachable::Port,
        1 | 5 | 6 => Unreachable::Prohibited,
        _ => Unreachable::Host,
    }
}
