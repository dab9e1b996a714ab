//! Values that arguments are read as, each with an error that names the rule.

use std::net::SocketAddr;
use std::time::Duration;

pub(super) fn resolver(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    text.parse::<SocketAddr>()
        .or_else(|_| bare.parse().map(|address| SocketAddr::new(address, 53)))
        .map_err(|_| "expected an address with or without a port, such as 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}

/// An address of the web, kept as it was written.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    let web = |url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    match url::Url::parse(text) {
        Ok(url) if web(&url) => Ok(text.to_owned()),
        _ => Err("expected an http or https URL, such as https://rdap.example/dns.json".to_owned()),
    }
}

/// A host with or without a port, kept as it was written; it may be a name of the local network, without a dot.
pub(super) fn host_port(text: &str) -> Result<String, String> {
    let rule = || "expected a host with or without a port, such as whois.example or 192.0.2.43:4343".to_owned();
    let url = url::Url::parse(&format!("http://{text}/")).map_err(|_| rule())?;
    let bare = url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
    if url.has_host() && bare && !text.contains(['/', '@', ' ']) { Ok(text.to_owned()) } else { Err(rule()) }
}

/// A whole number; its bounds belong to the setting.
pub(super) fn whole(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a whole number".to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let rule = || "expected a number of seconds, or a number with s, m or h, greater than 0".to_owned();
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(rule()),
    };
    let seconds: u32 = number.parse().map_err(|_| rule())?;
    match seconds.checked_mul(factor) {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(u64::from(seconds))),
        _ => Err(rule()),
    }
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<ipnet::IpNet, String> {
    let text = text.trim();
    let network = text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from));
    network.ok_or_else(|| format!("`{text}` is neither an address nor a network such as 10.0.0.0/8"))
}

/// A link of the audit log: its position and its hash.
pub(super) fn link(text: &str) -> Result<(i64, Vec<u8>), String> {
    let expected = || format!("`{text}` is not a position, a colon and 64 hexadecimal digits");
    let (position, hash) = text.split_once(':').ok_or_else(expected)?;
    let position = position.parse().ok().filter(|position| *position > 0).ok_or_else(expected)?;
    let hash = hex::decode(hash).ok().filter(|hash| hash.len() == 32).ok_or_else(expected)?;
    Ok((position, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_and_times_are_read_in_every_form() {
        for (text, expected) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]", "[2001:db8::53]:53"),
            ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ] {
            assert_eq!(resolver(text).unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert!(resolver("dns.example").is_err());
        for text in ["whois.example", "whois:4343", "192.0.2.43", "[2001:db8::43]:43"] {
            assert_eq!(host_port(text).unwrap(), text);
        }
        for text in ["", "a b", "a/b", "whois.example:port", "me@whois.example", "2001:db8::43"] {
            assert!(host_port(text).is_err(), "{text}");
        }
        assert!(web_address("https://rdap.example/dns.json").is_ok());
        for text in ["", "foo", "ftp://rdap.example/", "file:///etc/passwd"] {
            assert!(web_address(text).is_err(), "{text}");
        }
        for (text, seconds) in [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "0", "5d", "-1", "m", "99999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
