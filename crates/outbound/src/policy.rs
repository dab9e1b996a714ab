//! Which addresses may be contacted at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bartizan_domain::evidence::{FailureKind, ProbeFailure};

/// Instance-metadata services of the large clouds: an answer carries credentials of the machine we run on, so they
/// are never contacted. Sources: the vendors' documentation of AWS (IMDS, ECS tasks, EKS pods, and the IPv6 forms of
/// the first and the last), Azure (IMDS, wire server), GCP, Alibaba Cloud, Oracle Cloud, Tencent Cloud and Scaleway.
const METADATA_V4: [Ipv4Addr; 8] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(169, 254, 0, 23),
    Ipv4Addr::new(169, 254, 42, 42),
];
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

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

    /// Says whether `address` may be contacted. An IPv6 address that carries an IPv4 address, and so may be a way to
    /// it, must be allowed in both forms.
    ///
    /// # Errors
    /// [`FailureKind::Denied`] naming the address and the rule.
    pub fn vet(&self, address: IpAddr) -> Result<(), ProbeFailure> {
        let address = address.to_canonical();
        self.vet_alone(address, address)?;
        match address {
            IpAddr::V4(_) => Ok(()),
            IpAddr::V6(v6) => embedded(v6).try_for_each(|inner| self.vet_alone(inner.into(), address)),
        }
    }

    /// Says whether `address` may be contacted, by way of `named`.
    fn vet_alone(&self, address: IpAddr, named: IpAddr) -> Result<(), ProbeFailure> {
        if is_metadata(address) {
            return Err(denied(named, "it is a cloud metadata service, which is never contacted"));
        }
        if never_a_host(address) {
            return Err(denied(named, "it is not the address of a host"));
        }
        if !self.allow_private && !is_global(address) {
            return Err(denied(named, "it is not a public address and scanning private addresses is switched off"));
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
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (18..20).contains(&b))
                || a >= 240)
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            // Translated by a NAT64 that is not ours; what it leads to is vetted beside it.
            let nat64 = segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
            let global_unicast = segments[0] & 0xe000 == 0x2000;
            let documentation = (segments[0] == 0x2001 && segments[1] == 0xdb8) || segments[0] & 0xfff0 == 0x3ff0;
            let special = segments[0] == 0x2001 && segments[1] < 0x200;
            nat64 || (global_unicast && !documentation && !special)
        }
    }
}

/// The IPv4 addresses that an IPv6 address leads to, by the ways there are of carrying one. (The mapped form of
/// RFC 4291, section 2.5.5.2, is an IPv4 address and is unwrapped before.)
fn embedded(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let s = address.segments();
    let last = v4(s[6], s[7]);
    let local_nat64 = s[..3] == [0x64, 0xff9b, 1];
    let carried = [
        // IPv4-compatible (RFC 4291, section 2.5.5.1); `::` and `::1` are addresses of their own.
        (s[..6] == [0; 6] && (s[6] != 0 || s[7] > 1)).then_some(last),
        // IPv4-translated (RFC 2765).
        (s[..6] == [0, 0, 0, 0, 0xffff, 0]).then_some(last),
        // NAT64 (RFC 6052), its well-known prefix.
        (s[..6] == [0x64, 0xff9b, 0, 0, 0, 0]).then_some(last),
        // NAT64 of a network's own (RFC 8215), with a prefix of 96 or of 48 bits; where the other has nothing but zeros.
        local_nat64.then_some(last).filter(|v4| !v4.is_unspecified()),
        local_nat64.then(|| v4(s[3], (s[4] & 0xff) << 8 | s[5] >> 8)).filter(|v4| !v4.is_unspecified()),
        // 6to4 (RFC 3056).
        (s[0] == 0x2002).then(|| v4(s[1], s[2])),
        // Teredo (RFC 4380): the server, and the client with its bits turned over.
        (s[..2] == [0x2001, 0]).then(|| v4(s[2], s[3])),
        (s[..2] == [0x2001, 0]).then(|| v4(!s[6], !s[7])),
        // ISATAP (RFC 5214), whatever the prefix.
        (s[4] & !0x0200 == 0 && s[5] == 0x5efe).then_some(last),
    ];
    carried.into_iter().flatten()
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
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
            "169.254.170.23",
            "fd00:ec2::23",
            "fd20:ce::254",
            // The same, carried in IPv6.
            "::a9fe:a9fe",
            "::ffff:0:a9fe:a9fe",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b:1:a9fe:a9:fe00::",
            "2002:a9fe:a9fe::1",
            "2001:0:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
            "2606:4700::5efe:a9fe:a9fe",
            "fe80::200:5efe:a9fe:a9fe",
        ] {
            assert!(open.vet(text.parse().unwrap()).is_err(), "{text}");
        }
        for text in
            ["127.0.0.1", "10.0.0.1", "169.254.1.1", "::1", "fe80::1", "192.0.2.1", "64:ff9b:1::a00:1", "2002:a00:1::1"]
        {
            assert!(open.vet(text.parse().unwrap()).is_ok(), "{text}");
        }
        for text in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "64:ff9b::e000:1", "2002:ffff:ffff::1"]
        {
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
            "::7f00:1",
            "::ffff:0:7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::101:101",
            "2001:0:7f00:1::1",
            "2606:4700::5efe:a00:1",
            "192.88.99.1",
            "fec0::1",
            "3fff::1",
            "100::1",
        ] {
            assert!(closed.vet(text.parse().unwrap()).is_err(), "{text}");
        }
        for text in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"] {
            assert!(closed.vet(text.parse().unwrap()).is_ok(), "{text}");
        }
    }
}
