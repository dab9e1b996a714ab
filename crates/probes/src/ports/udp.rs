//! What to say to a UDP port so that its service answers.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use serde::Deserialize;

/// A port and the request that a server on it answers.
#[derive(Debug)]
pub struct Request {
    pub port: u16,
    /// The protocol it is of.
    pub service: String,
    pub payload: Vec<u8>,
    /// Whether only those who name the port ask it.
    pub is_rare: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UdpFile {
    probe: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    port: u16,
    service: String,
    payload: String,
    #[serde(default)]
    pad_to: usize,
    #[serde(default)]
    rare: bool,
    #[expect(dead_code, reason = "for the reader of the file")]
    reason: String,
}

/// The requests of `content/ports/udp.toml`.
pub fn requests() -> &'static [Request] {
    static REQUESTS: OnceLock<Vec<Request>> = OnceLock::new();
    REQUESTS.get_or_init(|| match parse(Catalog::file("ports/udp.toml").unwrap_or_default()) {
        Ok(requests) => requests,
        Err(error) => unreachable!("the embedded content is tested: {error}"),
    })
}

/// The requests by port, as the engine takes them.
pub fn payloads() -> BTreeMap<u16, Vec<Vec<u8>>> {
    let mut payloads: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
    for request in requests() {
        payloads.entry(request.port).or_default().push(request.payload.clone());
    }
    payloads
}

fn parse(text: &str) -> Result<Vec<Request>, String> {
    let file: UdpFile = toml::from_str(text).map_err(|error| error.to_string())?;
    file.probe
        .into_iter()
        .map(|entry| {
            let mut payload = hex::decode(&entry.payload).map_err(|error| format!("port {}: {error}", entry.port))?;
            payload.resize(payload.len().max(entry.pad_to), 0);
            Ok(Request { port: entry.port, service: entry.service, payload, is_rare: entry.rare })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_requests_parse() {
        let requests = parse(Catalog::file("ports/udp.toml").unwrap()).unwrap();
        for port in [53, 69, 123, 137, 161, 389, 443, 500, 1900, 3478, 5353, 11_211] {
            let request = requests.iter().find(|request| request.port == port).unwrap();
            assert!(!request.payload.is_empty() && request.payload.len() <= 1232, "{port}");
        }
        assert!(requests.iter().all(|request| !request.payload.is_empty() && request.payload.len() <= 1232));
        assert_eq!(requests.iter().find(|request| request.port == 443).unwrap().payload.len(), 1200);
        assert_eq!(payloads()[&161].len(), 2, "without and with a community");
    }
}
