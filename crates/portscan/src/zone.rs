//! Link-local addresses of IPv6 and the link they are on.
//!
//! `fe80::1` is a different host on each link, so such an address means something only with its zone (RFC 4007), which on
//! Linux is the index of an interface. All of this crate names a host by an [`IpAddr`], which has no room for one; but bits 10 to 63 of
//! a link-local address are zero by definition (RFC 4291 section 2.5.6), so the index is kept in bits 16 to 47 of
//! them, as BSD kernels do (KAME). Addresses look like that in a [`crate::Job`] and in all that a run tells; they do so never in
//! a packet, in a socket address or in a question to the kernel. [`within`] makes them, [`split`] takes them apart.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

const SHIFT: u32 = 80;
const MASK: u128 = (u32::MAX as u128) << SHIFT;

/// Whether an address is one of a link, with a zone or without.
#[must_use]
pub const fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// The address on the link of the interface with this index. Other addresses are on no link and stay as they are.
#[must_use]
pub const fn within(address: IpAddr, interface: u32) -> IpAddr {
    match address {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !MASK | (interface as u128) << SHIFT))
        }
        other => other,
    }
}

/// The address as it is on the wire, and the index of the interface of its link: 0 if it has none.
#[must_use]
pub const fn split(address: IpAddr) -> (IpAddr, u32) {
    match address {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            let bits = v6.to_bits();
            (IpAddr::V6(Ipv6Addr::from_bits(bits & !MASK)), ((bits & MASK) >> SHIFT) as u32)
        }
        other => (other, 0),
    }
}

/// The address as it is on the wire.
pub const fn bare6(address: Ipv6Addr) -> Ipv6Addr {
    match split(IpAddr::V6(address)).0 {
        IpAddr::V6(bare) => bare,
        IpAddr::V4(_) => address,
    }
}

/// Where the kernel is to connect to.
#[must_use]
pub const fn endpoint(address: IpAddr, port: u16) -> SocketAddr {
    match split(address) {
        (IpAddr::V6(v6), zone) => SocketAddr::V6(SocketAddrV6::new(v6, port, 0, zone)),
        (v4, _) => SocketAddr::new(v4, port),
    }
}

/// The host at the other end, as it is named here.
#[must_use]
pub const fn host_of(endpoint: SocketAddr) -> IpAddr {
    match endpoint {
        SocketAddr::V6(v6) => within(IpAddr::V6(*v6.ip()), v6.scope_id()),
        SocketAddr::V4(_) => endpoint.ip(),
    }
}

/// The index of an interface of this machine by its name.
///
/// # Errors
/// If the kernel does not tell its interfaces.
pub fn index_of(name: &str) -> std::io::Result<Option<u32>> {
    let interfaces = crate::raw::netlink::Netlink::open()?.interfaces()?;
    Ok(interfaces.into_iter().find(|interface| interface.name == name).map(|interface| interface.index))
}

/// The name of the interface of this machine with this index.
///
/// # Errors
/// If the kernel does not tell its interfaces.
pub fn name_of(index: u32) -> std::io::Result<Option<String>> {
    let interfaces = crate::raw::netlink::Netlink::open()?.interfaces()?;
    Ok(interfaces.into_iter().find(|interface| interface.index == index).map(|interface| interface.name))
}

/// The address as people write it, with the name of the interface (RFC 4007 section 11), or its number if it has gone.
#[must_use]
pub fn text(address: IpAddr) -> String {
    let (bare, index) = split(address);
    if index == 0 { bare.to_string() } else { format!("{bare}%{}", name_or_number(index)) }
}

/// The name of an interface; its number, if it has gone.
#[must_use]
pub fn name_or_number(index: u32) -> String {
    name_of(index).ok().flatten().unwrap_or_else(|| index.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_zone_goes_in_and_out_of_link_local_addresses_alone() {
        for zone in [0, 1, 3, 0x1_0000, u32::MAX] {
            let with = within(ip("fe80::1:2:3:4"), zone);
            assert!(is_link_local(with));
            assert_eq!(split(with), (ip("fe80::1:2:3:4"), zone));
            assert_eq!(within(with, 7), within(ip("fe80::1:2:3:4"), 7), "another one takes its place");
            assert_eq!(host_of(endpoint(with, 80)), with);
        }
        assert_eq!(within(ip("fe80::1"), 3), ip("fe80:0:3::1"));
        for other in ["192.0.2.1", "2001:db8::1", "::1", "ff02::1", "fec0::1"] {
            assert_eq!((within(ip(other), 3), split(ip(other))), (ip(other), (ip(other), 0)));
            assert_eq!(host_of(endpoint(ip(other), 80)), ip(other));
        }
        assert_eq!(endpoint(ip("fe80:0:3::1"), 80).to_string(), "[fe80::1%3]:80");
    }

    #[test]
    fn interfaces_have_names_and_numbers() {
        let index = index_of("lo").unwrap().unwrap();
        assert_eq!(name_of(index).unwrap().as_deref(), Some("lo"));
        assert_eq!(index_of("no-such-device").unwrap(), None);
        assert_eq!(name_of(u32::MAX).unwrap(), None);
        assert_eq!(text(within(ip("fe80::1"), index)), "fe80::1%lo");
        assert_eq!(text(within(ip("fe80::1"), u32::MAX)), "fe80::1%4294967295");
        assert_eq!(text(ip("192.0.2.1")), "192.0.2.1");
    }
}
