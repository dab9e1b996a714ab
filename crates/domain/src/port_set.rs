//! Sets of ports and their notation: `22,80,8000-8100`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A set of port numbers 1 to 65535, kept as sorted, disjoint, non-adjacent inclusive ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortSet {
    ranges: Vec<(u16, u16)>,
}

impl PortSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// Every port.
    #[must_use]
    pub fn all() -> Self {
        Self { ranges: vec![(1, u16::MAX)] }
    }

    /// Whether `port` is in the set.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&port))
    }

    /// How many ports.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.iter().map(|(first, last)| usize::from(last - first) + 1).sum()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ports in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.ranges.iter().flat_map(|(first, last)| *first..=*last)
    }

    fn from_ranges(mut ranges: Vec<(u16, u16)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(previous) if u32::from(first) <= u32::from(previous.1) + 1 => previous.1 = previous.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self { ranges: merged }
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        Self::from_ranges(ports.into_iter().filter(|port| *port != 0).map(|port| (port, port)).collect())
    }
}

impl FromStr for PortSet {
    type Err = String;

    /// Parses a comma-separated list of ports and inclusive ranges. `-` alone means every port; `8000-` and `-1024`
    /// are open ranges. The error names the token and the rule it breaks.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "-" {
            return Ok(Self::all());
        }
        let ranges = text.split(',').map(|token| parse_token(token.trim())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::from_ranges(ranges))
    }
}

impl TryFrom<String> for PortSet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() { Ok(Self::new()) } else { text.parse() }
    }
}

impl From<PortSet> for String {
    fn from(set: PortSet) -> Self {
        set.to_string()
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}

fn parse_token(token: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| -> Result<u16, String> {
        match text.parse::<u32>() {
            Ok(number @ 1..=65_535) => u16::try_from(number).map_err(|error| error.to_string()),
            _ => Err(format!("bad port `{text}` in `{token}`: a port is a number from 1 to 65535")),
        }
    };
    match token.split_once('-') {
        None if token.is_empty() => Err("empty port: write `80`, `80,443` or `8000-8100`".to_owned()),
        None => port(token).map(|number| (number, number)),
        Some((first, last)) => {
            let first = if first.is_empty() { 1 } else { port(first)? };
            let last = if last.is_empty() { u16::MAX } else { port(last)? };
            if first > last {
                return Err(format!("bad port range `{token}`: the first port is greater than the last"));
            }
            Ok((first, last))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bad_tokens_name_the_token_and_the_rule() {
        for (text, part) in [
            ("0", "`0`"),
            ("70000", "`70000`"),
            ("5-2", "`5-2`"),
            ("", "empty"),
            ("80,,81", "empty"),
            ("http", "`http`"),
        ] {
            let error = text.parse::<PortSet>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn text_form_round_trips(ports in proptest::collection::vec(1_u16.., 0..40)) {
            let set: PortSet = ports.iter().copied().collect();
            prop_assert_eq!(&PortSet::try_from(set.to_string()).unwrap(), &set);
            prop_assert!(ports.iter().all(|port| set.contains(*port)));
            prop_assert_eq!(set.iter().count(), set.len());
        }
    }
}
