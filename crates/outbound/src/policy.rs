//! Which addresses may be contacted at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    /// Says whether `address` may be contacted.
    ///
    /// # Errors
    /// [`FailureKind::Denied`] naming the address and the rule.
    pub fn vet(&self, address: IpAddr) -> Result<(), ProbeFailure> {
        let address = address.to_canonical();
        let metadata = match address {
            IpAddr::V4(v4) => METADATA_V4.contains(&v4),
            IpAddr::V6(v6) => METADATA_V6.contains(&v6),
        };
        if metadata {
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
