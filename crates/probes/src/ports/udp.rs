//! UDP ports: one ordinary request each, and what the answer, the refusal or the silence means.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bartizan_catalog::Catalog;
use bartizan_domain::evidence::ports::{PortObservation, PortState, PortsEvidence};
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use bartizan_domain::{PortSet, Transport};
use serde::Deserialize;
use tokio::task::JoinSet;

use super::{PortProgress, socket};
use crate::ProbeContext;

/// Attempts at a silent port.
const ATTEMPTS: usize = 2;
/// Longest wait for the answer to one attempt.
const LONGEST_WAIT: Duration = Duration::from_millis(1200);
/// Ports asked at the same time.
const AT_ONCE: usize = 16;

/// A port and the request that a server on it answers.
#[derive(Debug)]
pub struct Request {
    pub port: u16,
    payload: Vec<u8>,
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
    #[expect(dead_code, reason = "for the reader of the file")]
    service: String,
    payload: String,
    #[serde(default)]
    pad_to: usize,
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
pub fn payloads() -> BTreeMap<u16, Vec<u8>> {
    requests().iter().map(|request| (request.port, request.payload.clone())).collect()
}

fn parse(text: &str) -> Result<Vec<Request>, String> {
    let file: UdpFile = toml::from_str(text).map_err(|error| error.to_string())?;
    file.probe
        .into_iter()
        .map(|entry| {
            let mut payload = hex::decode(&entry.payload).map_err(|error| format!("port {}: {error}", entry.port))?;
            payload.resize(payload.len().max(entry.pad_to), 0);
            Ok(Request { port: entry.port, payload })
        })
        .collect()
}

/// Adds the states of `ports` on `addresses` to the evidence.
pub async fn gather(
    cx: &ProbeContext,
    addresses: &[IpAddr],
    ports: &PortSet,
    evidence: &mut PortsEvidence,
    mut progress: PortProgress,
    report: &(dyn Fn(PortProgress) + Send + Sync),
) {
    let mut waiting: Vec<(IpAddr, u16)> =
        addresses.iter().flat_map(|address| ports.iter().map(|port| (*address, port))).collect();
    let mut asked = JoinSet::new();
    let cx = Arc::new(cx.clone());
    loop {
        while asked.len() < AT_ONCE && !cx.cancel.is_cancelled() {
            let Some((address, port)) = waiting.pop() else { break };
            let cx = Arc::clone(&cx);
            asked.spawn(async move { ask(&cx, address, port).await });
        }
        let Some(result) = asked.join_next().await else { break };
        if let Ok(observation) = result {
            progress.done += 1;
            progress.open += u64::from(observation.state == PortState::Open);
            evidence.listed.push(observation);
            report(progress);
        }
    }
    if !waiting.is_empty() {
        evidence.incomplete = Some("the scan was stopped before every port had a state".to_owned());
    }
}

async fn ask(cx: &ProbeContext, address: IpAddr, port: u16) -> PortObservation {
    let payload = requests().iter().find(|request| request.port == port).map_or(&[][..], |request| &request.payload);
    let wait = cx.timeout.min(LONGEST_WAIT);
    let started = Instant::now();
    let mut state = (PortState::OpenFiltered, "no-response".to_owned(), None);
    for _ in 0..ATTEMPTS {
        match cx.within(wait, "asking a UDP port", exchange(cx, address, port, payload)).await {
            Ok(()) => {
                let rtt = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
                state = (PortState::Open, "udp-response".to_owned(), Some(rtt));
            }
            Err(failure) => match failure.kind {
                FailureKind::Timeout => continue,
                FailureKind::Refused => state = (PortState::Closed, "port-unreachable".to_owned(), None),
                FailureKind::Unreachable => state = (PortState::Unreachable, "host-unreachable".to_owned(), None),
                kind => state = (PortState::Error, kind.as_str().to_owned(), None),
            },
        }
        break;
    }
    let (state, reason, rtt_us) = state;
    PortObservation { address, protocol: Transport::Udp, port, state, reason, rtt_us }
}

async fn exchange(cx: &ProbeContext, address: IpAddr, port: u16, payload: &[u8]) -> Result<(), ProbeFailure> {
    let datagram = cx.outbound.datagram(socket(address, port)).await?;
    let failed = |error: std::io::Error| bartizan_outbound::io_failure(&error, "asking a UDP port");
    datagram.socket.send(payload).await.map_err(failed)?;
    let mut answer = [0_u8; 2048];
    datagram.socket.recv(&mut answer).await.map_err(failed)?;
    Ok(())
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
        assert_eq!(requests.iter().find(|request| request.port == 443).unwrap().payload.len(), 1200);
    }
}
