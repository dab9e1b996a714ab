//! Which addresses may be contacted at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bartizan_domain::evidence::{FailureKind, ProbeFailure};

/// Instance-metadata services of the large clouds: an answer carries credentials of the machine we run on, so they
/// are never contacted. Sources: the vendors' documentation of AWS (IMDS, ECS task, IPv6), Azure (IMDS, wire
/// server), GCP, Alibaba Cloud and Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// What an address is contacted as. Targets and whatever they lead to follow the policy; a service that the operator
/// configured by hand (a resolver, a WHOIS server) may be private even where scanning private addresses is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// A scan target, or an address that a target, a redirect or a record led to.
    #[default]
    Target,
    /// A service named in the configuration.
    Service,
    /// The configured name resolver, asked on the port of its `SocketAddr`.
    ///
    /// The resolver of Google Cloud and of Azure shares its address with the metadata service. Metadata is HTTP on
    /// other ports (80, 8080, 32526 …) and cannot be read by DNS queries, so such an address is accepted for this
    /// purpose on port 53 and on no other.
    Resolver,
}

/// The address policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether private, loopback, link-local and other non-global addresses may be contacted (`scan.allow_private`).
    pub allow_private: bool,
}

impl Default for Policy {
    /// The safe choice: public addresses only.
    fn default() -> Self {
        Self { allow_private: false }
    }
}

impl Policy {
    /// Says whether `peer` may be contacted as `purpose`.
    ///
    /// # Errors
    /// [`FailureKind::Denied`] naming the address and the rule.
    pub fn vet_for(&self, purpose: Purpose, peer: SocketAddr) -> Result<(), ProbeFailure> {
        let configured = Self { allow_private: true };
        match purpose {
            Purpose::Target => self.vet(peer.ip()),
            Purpose::Resolver if peer.port() == 53 && is_metadata(peer.ip().to_canonical()) => Ok(()),
            Purpose::Service | Purpose::Resolver => configured.vet(peer.ip()),
        }
    }

    /// Says whether `address` may be contacted.
    ///
    /// # Errors
    /// [`FailureKind::Denied`] naming the address and the rule.
    pub fn vet(&self, address: IpAddr) -> Result<(), ProbeFailure> {
        let address = address.to_canonical();
        if is_metadata(address) {
            return Err(denied(address, "it is a cloud metadata service, which is never contacted"));
        }
        if never_a_host(address) {
            return Err(denied(address, "it is not the address of a host"));
        }
        if !self.allow_private && !is_global(address) {
            return Err(denied(address, "it is not a public address and scanning private addresses is switched off"));
        }
        Ok(())
    }
}

fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => METADATA_V4.contains(&v4),
        IpAddr::V6(v6) => METADATA_V6.contains(&v6),
    }
}

fn denied(address: IpAddr, why: &str) -> ProbeFailure {
    ProbeFailure::new(FailureKind::Denied, format!("{address} is not contacted: {why}"))
}

fn never_a_host(address: IpAddr) -> bool {
    address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// Whether the address is globally reachable by the IANA special-purpose registries (RFC 6890 and updates).
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(a == 0
                || v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_documentation()
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b))
                || a >= 240)
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address that must be public too.
            if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
                return is_global(embedded_v4(segments[6], segments[7]));
            }
            if segments[0] == 0x2002 {
                return is_global(embedded_v4(segments[1], segments[2]));
            }
            let global_unicast = segments[0] & 0xe000 == 0x2000;
            let documentation = (segments[0] == 0x2001 && segments[1] == 0xdb8) || segments[0] & 0xfff0 == 0x3ff0;
            let special = segments[0] == 0x2001 && segments[1] < 0x200;
            global_unicast && !documentation && !special
        }
    }
}

fn embedded_v4(high: u16, low: u16) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_refused_whatever_the_settings() {
        let open = Policy { allow_private: true };
        for text in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "168.63.129.16",
            "100.100.100.200",
            "169.254.170.2",
        ] {
            assert!(open.vet(text.parse().unwrap()).is_err(), "{text}");
        }
        for text in ["127.0.0.1", "10.0.0.1", "169.254.1.1", "::1", "fe80::1", "192.0.2.1"] {
            assert!(open.vet(text.parse().unwrap()).is_ok(), "{text}");
        }
        for text in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"] {
            assert!(open.vet(text.parse().unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn configured_services_may_be_private_and_a_resolver_may_share_the_metadata_address() {
        let closed = Policy::default();
        let vet = |purpose, text: &str| closed.vet_for(purpose, text.parse().unwrap()).is_ok();
        assert!(!vet(Purpose::Target, "127.0.0.1:53"));
        assert!(vet(Purpose::Service, "127.0.0.1:43"));
        assert!(vet(Purpose::Resolver, "127.0.0.1:5353"));
        assert!(vet(Purpose::Resolver, "169.254.169.253:53"));
        assert!(vet(Purpose::Resolver, "169.254.169.254:53"));
        assert!(vet(Purpose::Resolver, "168.63.129.16:53"));
        assert!(!vet(Purpose::Resolver, "169.254.169.254:80"));
        assert!(!vet(Purpose::Service, "169.254.169.254:53"));
        assert!(!vet(Purpose::Target, "169.254.169.254:53"));
        assert!(!vet(Purpose::Resolver, "0.0.0.0:53"));
    }

    #[test]
    fn only_public_addresses_by_default() {
        let closed = Policy::default();
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "240.0.0.1",
            "0.1.2.3",
            "::1",
            "fc00::1",
            "fe80::1",
            "2001:db8::1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(closed.vet(text.parse().unwrap()).is_err(), "{text}");
        }
        for text in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"] {
            assert!(closed.vet(text.parse().unwrap()).is_ok(), "{text}");
        }
    }
}
