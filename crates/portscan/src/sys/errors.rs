//! The error queues of ordinary sockets: what ICMP said about their packets, in full.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;

use super::{check, read, set};

/// Has the kernel keep what ICMP says about packets of this socket, with type, code and sender, and not an error number
/// alone, in which a filter and a missing host look alike.
pub fn keep_errors(fd: BorrowedFd<'_>, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => set(fd, libc::SOL_IP, libc::IP_RECVERR, &1_i32),
        Family::V6 => set(fd, libc::SOL_IPV6, libc::IPV6_RECVERR, &1_i32),
    }
}

/// The two families of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// An error that the kernel kept for a socket (`struct sock_extended_err`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Who speaks: `SO_EE_ORIGIN_LOCAL`, `SO_EE_ORIGIN_ICMP` or `SO_EE_ORIGIN_ICMP6`.
    pub origin: u8,
    /// Type and code of the ICMP message.
    pub kind: u8,
    pub code: u8,
    /// Who sent it.
    pub from: Option<IpAddr>,
    /// What the kernel makes of it.
    pub errno: Option<Errno>,
}

impl Told {
    /// Whether it says that nothing listens on the port: code 3 of ICMP's type 3, code 4 of ICMPv6's type 1.
    pub const fn is_port_unreachable(&self) -> bool {
        matches!((self.origin, self.kind, self.code), (2, 3, 3) | (3, 1, 4))
    }
}

/// The oldest error kept for a socket with [`keep_errors`]; `None` if there is none.
pub fn next_told(fd: BorrowedFd<'_>) -> Option<Told> {
    // Control messages begin at addresses that a `cmsghdr` may have.
    let mut control = [0_u64; CONTROL / 8];
    let mut payload = [0_u8; 8];
    // SAFETY: `msghdr` is plain data for which all zeroes is a value; its pointers are to buffers above with their true
    // sizes, which outlive the call (invariant 6). A `u64` may be looked at as bytes, and `min` keeps the slice inside.
    let written = unsafe {
        let mut vector = libc::iovec { iov_base: payload.as_mut_ptr().cast(), iov_len: payload.len() };
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = CONTROL as _;
        check(libc::recvmsg(fd.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) as libc::c_int)
            .ok()?;
        let length = (header.msg_controllen as usize).min(CONTROL);
        std::slice::from_raw_parts(control.as_ptr().cast::<u8>(), length)
    };
    read_told(written)
}

/// Room for control messages: an extended error with an IPv6 address takes 60 bytes.
const CONTROL: usize = 256;

/// Finds an extended error among control messages: headers of length (with the header), level and kind, each followed by
/// its data and padded to eight bytes.
fn read_told(control: &[u8]) -> Option<Told> {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    let mut at = 0_usize;
    loop {
        let length = read::<usize>(control, at)?;
        let (level, kind) = (read::<i32>(control, at + HEADER - 8)?, read::<i32>(control, at + HEADER - 4)?);
        let next = at.checked_add(length)?;
        let data = control.get(at + HEADER..next)?;
        let wanted = matches!((level, kind), (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR));
        if wanted {
            // Number, origin, type, code, padding, information, data; then the address of whoever complains.
            let (origin, kind, code) = (*data.get(4)?, *data.get(5)?, *data.get(6)?);
            let from = match i32::from(read::<u16>(data, 16).unwrap_or(0)) {
                libc::AF_INET => read::<[u8; 4]>(data, 20).map(IpAddr::from),
                libc::AF_INET6 => read::<[u8; 16]>(data, 24).map(IpAddr::from),
                _ => None,
            };
            let errno = read::<i32>(data, 0).filter(|number| (1..4096).contains(number)).map(Errno::from_raw_os_error);
            return Some(Told { origin, kind, code, from, errno });
        }
        at = next.checked_next_multiple_of(size_of::<usize>())?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn control_messages_of_anything_are_walked_without_harm(
            start in prop::collection::vec(any::<u8>(), 0..200), lengths in prop::collection::vec(0_usize..80, 0..6)
        ) {
            let _ = read_told(&start);
            // With headers that are nearly right.
            let mut control = Vec::new();
            for (length, level) in lengths.iter().zip([libc::SOL_IP, libc::SOL_IPV6].into_iter().cycle()) {
                control.extend(length.to_ne_bytes());
                control.extend(level.to_ne_bytes());
                control.extend(libc::IP_RECVERR.to_ne_bytes());
                control.extend(&start);
            }
            let _ = read_told(&control);
        }
    }

    #[test]
    fn what_icmp_told_a_socket_is_read() {
        let control = |level: i32, kind: i32, from: &[u8]| {
            let mut data = 111_u32.to_ne_bytes().to_vec();
            data.extend([2, 3, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            data.extend(from);
            let mut bytes = (16 + data.len()).to_ne_bytes().to_vec();
            bytes.extend(level.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(data);
            bytes
        };
        let from = [&2_u16.to_ne_bytes()[..], &[0, 0, 192, 0, 2, 7]].concat();
        let errno = Some(Errno::CONNREFUSED);
        let told = Told { origin: 2, kind: 3, code: 13, from: Some("192.0.2.7".parse().unwrap()), errno };
        assert_eq!(read_told(&control(libc::SOL_IP, libc::IP_RECVERR, &from)), Some(told));
        // Another message before it, padded.
        let mut other = 17_usize.to_ne_bytes().to_vec();
        other.extend([0; 16]);
        other.extend(control(libc::SOL_IPV6, libc::IPV6_RECVERR, &[0, 0]));
        assert_eq!(read_told(&other), Some(Told { from: None, ..told }));
        assert_eq!(read_told(&[]), None);
    }
}
