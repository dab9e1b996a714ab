//! Sockets of the connect engine, and what the end of an attempt means.
//!
//! The kernel gives the same error number for an ICMP message of a filter and for a missing host, and calls a port that
//! ICMP speaks of "refused" like one that answered with a reset. What ICMP said in full is in the socket's error queue, from
//! Linux 5.8 on (`tcp_v4_err`); before, such a port counts as closed.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::icmp::{Unreachable, unreachable, unreachable6};
use crate::sys::errors::{Family, Told, keep_errors, next_told};
use crate::{Reason, State};

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// This is the state of the port.
    Final(State, Reason),
    /// Nothing, or something that may pass: to be asked again.
    Silent(Why),
    /// Trouble on this machine.
    Local(Reason),
}

/// What silence looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nothing came at all.
    NoResponse,
    /// ICMP says that the host cannot be reached.
    Host,
    /// ICMP says that the network cannot be reached, or there is no route.
    Network,
    /// Nobody on the link answers for the address of the host or of its router.
    NoNeighbour,
    /// Nothing came, from a host that answers only so often.
    Limited,
}

impl Why {
    /// State and reason when it stays at that. A host that answers elsewhere can be reached: what was told of one of its
    /// ports is the word of a filter that speaks like a router.
    pub const fn state(self, host: HostIs) -> (State, Reason) {
        let state = match host {
            HostIs::Answering => State::Filtered,
            HostIs::Silent => State::Unreachable,
        };
        match self {
            Self::NoResponse => (State::Filtered, Reason::NoResponse),
            Self::Host => (state, Reason::HostUnreachable),
            Self::Network => (state, Reason::NetUnreachable),
            Self::NoNeighbour => (State::Unreachable, Reason::NoNeighbour),
            Self::Limited => (State::Filtered, Reason::AnswersLimited),
        }
    }
}

/// What is known of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostIs {
    /// Some port of it accepted or refused.
    Answering,
    /// None did so far.
    Silent,
}

/// A socket to connect with.
pub fn open_socket(target: SocketAddr, interface: Option<&str>) -> Result<OwnedFd, Errno> {
    let (family, errors) = family_of(target.ip());
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    keep_errors(socket.as_fd(), errors).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    if let Some(name) = interface {
        bind_device(&socket, name)?;
    }
    Ok(socket)
}

/// The family of an address, for sockets and for their error queue.
pub const fn family_of(address: IpAddr) -> (AddressFamily, Family) {
    match address {
        IpAddr::V4(_) => (AddressFamily::INET, Family::V4),
        IpAddr::V6(_) => (AddressFamily::INET6, Family::V6),
    }
}

/// Sends over this device alone, whatever the routes say.
pub fn bind_device(socket: &OwnedFd, name: &str) -> Result<(), Errno> {
    let bound = socket2::SockRef::from(socket).bind_device(Some(name.as_bytes()));
    bound.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NODEV))
}

/// Reads the end of an attempt at `target` off its socket, which the kernel said has ended; `None` if it has not.
///
/// Connecting once more is how the kernel tells it in one call: as long as the attempt lasts that does nothing
/// (`EALREADY`), afterwards it gives the end, and leaves a socket that was refused ready for another attempt
/// (`__inet_stream_connect` of Linux).
pub fn read(socket: &OwnedFd, target: SocketAddr) -> Option<Answer> {
    // First, as a port that ICMP speaks of is "refused" as well. It is there before the kernel says that the attempt has ended.
    let told = next_told(socket.as_fd());
    let told = told.and_then(|told| read_told(&told, own_address(socket)).or_else(|| told.errno.map(classify_told)));
    match rustix::net::connect(socket, &target) {
        // Whatever was said before, the handshake came to its end.
        Ok(()) => Some(accepted(socket)),
        Err(_) if told.is_some() => told,
        Err(Errno::ALREADY | Errno::INPROGRESS) => None,
        Err(errno) => Some(classify_told(errno)),
    }
}

/// The same for an attempt whose time is over, of which the kernel said nothing: the answer may have come while this thread had
/// no processor. The socket is of no use afterwards.
pub fn read_late(socket: &OwnedFd, target: SocketAddr) -> Answer {
    match read(socket, target) {
        // Or was it the word of ICMP, which came between two looks?
        Some(REFUSED) => next_told(socket.as_fd()).and_then(|told| read_told(&told, None)).unwrap_or(REFUSED),
        Some(answer) => answer,
        None => {
            // What ICMP said while the socket was in use is no end to the kernel, and may be all that there is.
            let soft = sockopt::socket_error(socket).ok().and_then(Result::err);
            let told = next_told(socket.as_fd()).and_then(|told| read_told(&told, own_address(socket)));
            // The handshake may end this very moment.
            reset_on_close(socket);
            told.or(soft.map(classify_told)).unwrap_or(Answer::Silent(Why::NoResponse))
        }
    }
}

/// A port that answered with a reset.
pub const REFUSED: Answer = Answer::Final(State::Closed, Reason::ConnRefused);

/// Closing resets instead of waiting out `TIME_WAIT`, which would use up local ports.
fn reset_on_close(socket: &OwnedFd) {
    // Without it the connection lingers for a minute, which is no error of the scan.
    let _ = sockopt::set_socket_linger(socket, Some(Duration::ZERO));
}

pub fn accepted(socket: &OwnedFd) -> Answer {
    reset_on_close(socket);
    // Connecting to a free local port may pick that very port as source: TCP then connects the socket to itself, and
    // nothing listens there.
    let itself = match (rustix::net::getsockname(socket), rustix::net::getpeername(socket)) {
        (Ok(local), Ok(Some(peer))) => local == peer,
        _ => false,
    };
    if itself { Answer::Local(Reason::SelfConnect) } else { Answer::Final(State::Open, Reason::SynAck) }
}

/// The address that a socket sends from.
pub fn own_address(socket: &OwnedFd) -> Option<IpAddr> {
    let name = rustix::net::getsockname(socket).ok()?;
    SocketAddr::try_from(name).ok().map(|name| name.ip())
}

/// What an entry of the error queue means for a socket that sends from `own`; `None` if it tells nothing.
pub fn read_told(told: &Told, own: Option<IpAddr>) -> Option<Answer> {
    const ICMP: u8 = 2;
    const ICMP6: u8 = 3;
    let why = match (told.origin, told.kind) {
        (ICMP, 3) => unreachable(told.code)?,
        (ICMP6, 1) => unreachable6(told.code),
        // The time to live ran out on the way.
        (ICMP, 11) | (ICMP6, 3) => return Some(Answer::Silent(Why::Host)),
        _ => return None,
    };
    Some(match why {
        Unreachable::Port => Answer::Final(State::Filtered, Reason::PortUnreachable),
        Unreachable::Prohibited => Answer::Final(State::Filtered, Reason::AdminProhibited),
        Unreachable::Network => Answer::Silent(Why::Network),
        // Our own kernel says so when nobody answers ARP or neighbour discovery.
        Unreachable::Host if told.from.is_some() && told.from == own => Answer::Silent(Why::NoNeighbour),
        Unreachable::Host => Answer::Silent(Why::Host),
    })
}

/// What an error means that a socket was told of after its packet had gone out: unless a reset came it was ICMP, so these
/// are no trouble of this machine. The kernel gives EACCES for "administratively prohibited", "source address failed policy" and
/// "reject route" of ICMPv6, ENOPROTOOPT for "protocol unreachable", EPROTO for "parameter problem".
fn classify_told(errno: Errno) -> Answer {
    match told_by_filter(errno) {
        Some(reason) => Answer::Final(State::Filtered, reason),
        None => classify(errno),
    }
}

/// The reason, if the error number is how the kernel passes on an ICMP message of a filter.
pub const fn told_by_filter(errno: Errno) -> Option<Reason> {
    match errno {
        Errno::ACCESS | Errno::NONET | Errno::OPNOTSUPP => Some(Reason::AdminProhibited),
        Errno::NOPROTOOPT | Errno::PROTO => Some(Reason::PortUnreachable),
        _ => None,
    }
}

/// What an error means that the kernel gives at once, before any packet has gone out. There was a route when the run began,
/// so one that is missing now went away.
pub fn classify_own(errno: Errno) -> Answer {
    match errno {
        Errno::NETUNREACH | Errno::NETDOWN | Errno::NODEV => Answer::Local(Reason::NetworkDown),
        other => classify(other),
    }
}

/// What an error number of the kernel means.
pub fn classify(errno: Errno) -> Answer {
    match errno {
        Errno::CONNREFUSED => Answer::Final(State::Closed, Reason::ConnRefused),
        Errno::CONNRESET | Errno::PIPE => Answer::Final(State::Open, Reason::ResetAfterAccept),
        Errno::TIMEDOUT => Answer::Silent(Why::NoResponse),
        Errno::HOSTUNREACH | Errno::HOSTDOWN => Answer::Silent(Why::Host),
        Errno::NETUNREACH | Errno::NETDOWN => Answer::Silent(Why::Network),
        Errno::MFILE | Errno::NFILE => Answer::Local(Reason::NoDescriptors),
        Errno::ADDRNOTAVAIL | Errno::AGAIN | Errno::ADDRINUSE => Answer::Local(Reason::NoLocalPort),
        Errno::NOBUFS | Errno::NOMEM | Errno::NOSPC => Answer::Local(Reason::NoBuffers),
        Errno::PERM | Errno::ACCESS => Answer::Final(State::Error, Reason::LocalPolicy),
        other => Answer::Final(State::Error, Reason::System(other.raw_os_error())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_trouble_is_never_a_closed_port() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::AGAIN, Errno::NOBUFS, Errno::NOMEM] {
            assert!(matches!(classify(errno), Answer::Local(_)), "{errno:?}");
        }
        for errno in [Errno::PERM, Errno::ACCESS, Errno::INVAL, Errno::AFNOSUPPORT] {
            assert!(matches!(classify(errno), Answer::Final(State::Error, _)), "{errno:?}");
        }
        // The same number, told by ICMP, is a filter's.
        let told = classify_told(Errno::ACCESS);
        assert!(matches!(told, Answer::Final(State::Filtered, Reason::AdminProhibited)), "{told:?}");
        assert!(matches!(classify_told(Errno::NOPROTOOPT), Answer::Final(State::Filtered, _)));
        assert!(matches!(classify_told(Errno::MFILE), Answer::Local(_)));
        assert!(matches!(classify(Errno::CONNREFUSED), Answer::Final(State::Closed, Reason::ConnRefused)));
        assert!(matches!(classify(Errno::HOSTUNREACH), Answer::Silent(Why::Host)));
        assert!(matches!(classify_own(Errno::NETUNREACH), Answer::Local(Reason::NetworkDown)));
        assert!(matches!(classify_own(Errno::CONNREFUSED), Answer::Final(State::Closed, _)));
    }

    #[test]
    fn what_icmp_says_in_full_decides() {
        let (router, own): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.9".parse().unwrap());
        let means = |origin, kind, code, from| {
            read_told(&Told { origin, kind, code, from: Some(from), errno: None }, Some(own))
        };
        let filtered = |reason| Some(Answer::Final(State::Filtered, reason));
        assert_eq!(means(2, 3, 3, router), filtered(Reason::PortUnreachable), "not closed: no reset came");
        assert_eq!(means(2, 3, 13, router), filtered(Reason::AdminProhibited));
        assert_eq!(means(2, 3, 1, router), Some(Answer::Silent(Why::Host)));
        assert_eq!(means(2, 3, 1, own), Some(Answer::Silent(Why::NoNeighbour)));
        assert_eq!(means(2, 3, 0, router), Some(Answer::Silent(Why::Network)));
        assert_eq!(means(2, 11, 0, router), Some(Answer::Silent(Why::Host)));
        assert_eq!(means(3, 1, 4, router), filtered(Reason::PortUnreachable));
        assert_eq!(means(3, 1, 1, router), filtered(Reason::AdminProhibited));
        assert_eq!(means(3, 1, 3, own), Some(Answer::Silent(Why::NoNeighbour)));
        assert_eq!(means(2, 3, 4, router), None, "a packet too large is not ours");
        assert_eq!(means(1, 3, 3, router), None, "not ICMP");
        assert_eq!(Why::Host.state(HostIs::Answering), (State::Filtered, Reason::HostUnreachable));
        assert_eq!(Why::Host.state(HostIs::Silent), (State::Unreachable, Reason::HostUnreachable));
    }
}
