//! What `--exclude` and `--exclude-file` name: addresses that are never contacted.

use std::net::IpAddr;

use anyhow::{Result, bail};
use bartizan_domain::Target;
use bartizan_portscan::zone;
use ipnet::IpNet;

use super::zones;

/// The IPv4-mapped addresses, `::ffff:0:0/96`.
const MAPPED: (u128, u128) = (0xffff_0000_0000, 0xffff_ffff_ffff);

/// Addresses that are never contacted, as sorted, disjoint, inclusive ranges.
#[derive(Debug, Clone, Default)]
pub struct Exclusions {
    ranges: Vec<(IpAddr, IpAddr)>,
    /// Networks on one link, by the index of its interface.
    on_link: Vec<(u32, IpNet)>,
    names: Vec<String>,
}

impl Exclusions {
    /// Adds what `text` says: an address, a network or range of any size, a name. A link-local address without a zone is excluded
    /// on every link.
    ///
    /// # Errors
    /// Names the value and the rule it breaks.
    pub fn read(&mut self, text: &str) -> Result<()> {
        let written = text.trim();
        let (bare, zone) = zones::take(written).map_err(anyhow::Error::msg)?;
        let text = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&bare);
        let named = text.parse::<IpAddr>().ok().or_else(|| text.parse::<IpNet>().ok().map(|net| net.network()));
        if zone.is_some() && !named.is_some_and(zone::is_link_local) {
            bail!("`{written}`: {}", zones::ONLY_LINK_LOCAL);
        }
        if let (Ok(address), at) = (text.parse::<IpAddr>(), zone.unwrap_or(0)) {
            let address = if at > 0 { zone::within(address, at) } else { address };
            self.add(address, address);
            return Ok(());
        }
        if let Ok(net) = text.parse::<IpNet>() {
            if let Some(zone) = zone {
                self.on_link.push((zone, net));
                return Ok(());
            }
            self.add(net.network(), net.broadcast());
            return Ok(());
        }
        if let Some((Ok(first), Ok(last))) =
            text.split_once('-').map(|(first, last)| (first.parse::<IpAddr>(), last.parse::<IpAddr>()))
        {
            if first > last || first.is_ipv4() != last.is_ipv4() {
                bail!("`{text}` is not a range: the first address is greater than the last, or of another family");
            }
            self.add(first, last);
            return Ok(());
        }
        let target = match text.parse::<Target>() {
            Ok(target) => target,
            Err(why) => zones::single_label(text).ok_or_else(|| anyhow::Error::msg(why))?,
        };
        if target.port().is_some() {
            bail!("`{text}`: an exclusion is an address, a network, a range or a name, without a port");
        }
        match target {
            Target::Domain { name, .. } => self.names.push(name),
            Target::Ip { address, .. } => self.add(address, address),
            Target::Cidr(net) => self.add(net.network(), net.broadcast()),
            Target::Range(first, last) => self.add(first, last),
        }
        Ok(())
    }

    /// The names, which have to be resolved and added.
    pub fn take_names(&mut self) -> Vec<String> {
        std::mem::take(&mut self.names)
    }

    /// Adds an inclusive range. What it has of the IPv4-mapped addresses (RFC 4291 section 2.5.5.2) is kept as IPv4: targets that are
    /// written so are asked over IPv4.
    pub fn add(&mut self, first: IpAddr, last: IpAddr) {
        let (IpAddr::V6(first), IpAddr::V6(last)) = (first, last) else {
            self.ranges.push((first.to_canonical(), last.to_canonical()));
            return;
        };
        let (first, last) = (u128::from(first), u128::from(last));
        let six = |bits: u128| IpAddr::V6(bits.into());
        let parts = [(0, MAPPED.0 - 1), MAPPED, (MAPPED.1 + 1, u128::MAX)];
        for (begin, end) in parts.map(|(begin, end)| (begin.max(first), end.min(last))) {
            if begin <= end {
                // Both ends are mapped, or neither is.
                self.ranges.push((six(begin).to_canonical(), six(end).to_canonical()));
            }
        }
    }

    /// Makes the ranges ready for [`Self::contain`].
    pub fn settle(&mut self) {
        self.ranges.sort_unstable();
        let mut merged: Vec<(IpAddr, IpAddr)> = Vec::with_capacity(self.ranges.len());
        for (first, last) in self.ranges.drain(..) {
            match merged.last_mut() {
                Some((_, end)) if first <= *end && first.is_ipv4() == end.is_ipv4() => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        self.ranges = merged;
    }

    /// Whether an address is excluded.
    pub fn contain(&self, address: IpAddr) -> bool {
        let (bare, link) = zone::split(address);
        let on_link = self.on_link.iter().any(|(zone, net)| *zone == link && net.contains(&bare));
        on_link || self.have(address) || self.have(bare)
    }

    fn have(&self, address: IpAddr) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= address);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, last)| address <= *last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Addresses close to the ends of the mapped ones, and any others.
    fn address() -> impl Strategy<Value = u128> {
        let near = |at: u128| (0..6_u128).prop_map(move |by| at.saturating_add(by).saturating_sub(3));
        prop_oneof![near(3), near(MAPPED.0), near(MAPPED.1), near(u128::MAX - 3), MAPPED.0..=MAPPED.1, any::<u128>()]
    }

    proptest! {
        #[test]
        fn an_address_is_excluded_exactly_if_a_range_holds_it_in_either_way_to_write_it(
            ranges in prop::collection::vec((address(), address()), 1..5),
            asked in prop::collection::vec(address(), 1..20),
        ) {
            let ranges: Vec<(u128, u128)> = ranges.into_iter().map(|(one, two)| (one.min(two), one.max(two))).collect();
            let mut excluded = Exclusions::default();
            for (first, last) in &ranges {
                excluded.add(IpAddr::V6((*first).into()), IpAddr::V6((*last).into()));
            }
            excluded.settle();
            for bits in asked.iter().chain(ranges.iter().flat_map(|(first, last)| [first, last])) {
                let held = ranges.iter().any(|(first, last)| (first..=last).contains(&bits));
                let address = IpAddr::V6((*bits).into()).to_canonical();
                // A zone in the address is not this test's subject.
                if !zone::is_link_local(address) {
                    prop_assert_eq!(excluded.contain(address), held, "{} in {:?}", address, &ranges);
                }
            }
        }
    }

    #[test]
    fn networks_around_the_mapped_addresses_are_excluded_whole() {
        let contains = |network: &str, address: &str| {
            let mut excluded = Exclusions::default();
            excluded.read(network).unwrap();
            excluded.settle();
            excluded.contain(address.parse::<IpAddr>().unwrap().to_canonical())
        };
        for network in ["::/80", "::/0", "::1-::ffff:192.0.2.1", "::ffff:192.0.2.1-2001:db8::9", "::ffff:192.0.2.0/120"]
        {
            assert!(contains(network, "192.0.2.1"), "{network}");
            assert!(contains(network, "::ffff:192.0.2.1"), "{network}");
        }
        assert!(contains("::/80", "::7") && !contains("::/80", "2001:db8::1"));
        assert!(
            contains("::ffff:192.0.2.1-2001:db8::9", "2001:db8::9") && !contains("::1-::ffff:192.0.2.1", "192.0.2.2")
        );
    }

    #[test]
    fn excluded_ranges_hold_what_they_name_and_nothing_else() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut excluded = Exclusions::default();
        for (first, last) in [
            ("192.0.2.8", "192.0.2.15"),
            ("192.0.2.1", "192.0.2.9"),
            ("10.0.0.0", "10.0.0.0"),
            ("2001:db8::", "2001:db8::ffff"),
        ] {
            excluded.read(&format!("{first}-{last}")).unwrap();
        }
        excluded.settle();
        assert_eq!(excluded.ranges.len(), 3);
        for text in ["192.0.2.1", "192.0.2.9", "192.0.2.15", "10.0.0.0", "2001:db8::1"] {
            assert!(excluded.contain(address(text)), "{text}");
        }
        for text in ["192.0.2.0", "192.0.2.16", "10.0.0.1", "2001:db8::1:0", "::1", "255.255.255.255"] {
            assert!(!excluded.contain(address(text)), "{text}");
        }
    }

    #[test]
    fn a_link_local_address_is_excluded_on_its_link_and_without_a_zone_on_all() {
        let lo = zone::index_of("lo").unwrap().unwrap();
        let on = |text: &str, link| zone::within(text.parse().unwrap(), link);
        let mut excluded = Exclusions::default();
        for text in ["fe80::1%lo", "[fe80::2%lo]", "fe80::3", "fe80::100%lo/120", "fe80::200/120"] {
            excluded.read(text).unwrap();
        }
        excluded.settle();
        for text in ["fe80::1", "fe80::2", "fe80::177"] {
            assert!(excluded.contain(on(text, lo)), "{text}");
            assert!(!excluded.contain(on(text, lo + 1)), "{text} on another link");
        }
        for text in ["fe80::3", "fe80::277"] {
            assert!(excluded.contain(on(text, lo)) && excluded.contain(on(text, lo + 1)), "{text}");
        }
        assert!(!excluded.contain(on("fe80::4", lo)));
        let mut whole = Exclusions::default();
        whole.read("fe80::%lo/10").unwrap();
        whole.settle();
        for text in ["fe80::1", "febf::1", "fe80:0:0:7::1"] {
            assert!(whole.contain(on(text, lo)) && !whole.contain(on(text, lo + 1)), "{text}");
        }
        for text in ["2001:db8:0:1::%lo/64", "2001:db8::1%lo", "fd00::%lo/10"] {
            let error = excluded.read(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("only link-local"), "{error}");
        }
        assert!(excluded.read("fe80::1%no-such-device").unwrap_err().to_string().contains("no-such-device"));
    }

    #[test]
    fn networks_of_any_size_may_be_excluded_and_nonsense_may_not() {
        let mut excluded = Exclusions::default();
        for text in ["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "shop.example.com", "nas", "192.0.2.1-9"] {
            excluded.read(text).unwrap();
        }
        assert_eq!(excluded.take_names(), ["shop.example.com", "nas"]);
        for text in ["", "10.0.0.0/33", "192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "192.0.2.1:80", "foo!"] {
            let error = excluded.read(text).unwrap_err().to_string();
            assert!(error.contains(text), "{text}: {error}");
        }
    }
}
