//! Records the tests and benchmarks share.

use bartizan_domain::coverage::{Coverage, CoverageEntry};
use bartizan_domain::document::ScanSummary;
use bartizan_domain::evidence::ports::{PortObservation, PortState, PortSummary};
use bartizan_domain::evidence::{HostEvidence, Observation, PortsEvidence, Section};
use bartizan_domain::{AssetRef, CheckId, Location, Outcome, ScanProfile, ScanStatus, Transport};

/// 150 checks by subject, as the full catalogue will have them: the shipped dictionary's ids.
pub fn check_ids() -> Vec<CheckId> {
    let ids: Vec<CheckId> = include_str!("../../words/coverage-1.txt")
        .lines()
        .filter(|word| !word.contains(' ') && !word.contains('/'))
        .filter_map(|word| CheckId::parse(word).ok())
        .take(150)
        .collect();
    assert_eq!(ids.len(), 150);
    ids
}

/// An address that did not answer: every check inconclusive, for one of few reasons.
pub fn silent_host(last: u8) -> Coverage {
    let reason = |id: &CheckId| match id.group() {
        "tls" | "cert" => "no TLS endpoint",
        "http" | "hsts" | "csp" | "cookie" | "exposed" | "sectxt" => "no web site",
        "dns" | "dnssec" | "spf" | "dmarc" => "DNS is about domain names, and this is an address",
        "reg" => "registration is about domain names, and this is an address",
        _ => "nothing answered within 10 s on 1000 ports",
    };
    coverage(last, &["host"], |id, _| (Outcome::NotTested, Some(reason(id).to_owned())))
}

/// A busy host: every check at six locations with mixed outcomes.
pub fn busy_host(last: u8) -> Coverage {
    let locations = ["tcp/22", "tcp/80", "tcp/443", "tcp/8443", "tcp/9443", "tcp/25"];
    coverage(last, &locations, |id, index| match (id.as_str().len() + index) % 7 {
        0 => (Outcome::Fail, None),
        1 => (Outcome::Error, Some(format!("timeout: no answer within {}s", 5 + index))),
        2 => (Outcome::NotApplicable, Some("the site answers with an error".to_owned())),
        _ => (Outcome::Pass, None),
    })
}

fn coverage(last: u8, locations: &[&str], judge: impl Fn(&CheckId, usize) -> (Outcome, Option<String>)) -> Coverage {
    let mut entries: Vec<CoverageEntry> = check_ids()
        .into_iter()
        .flat_map(|id| {
            locations
                .iter()
                .enumerate()
                .map(|(index, location)| {
                    let (outcome, reason) = judge(&id, index);
                    let location = Location::from_stored(*location);
                    CoverageEntry { check_id: id.clone(), location, outcome, reason }
                })
                .collect::<Vec<_>>()
        })
        .collect();
    entries.sort_by(|a, b| (&a.check_id, &a.location).cmp(&(&b.check_id, &b.location)));
    Coverage {
        asset: AssetRef::Ip([10, 20, 30, last].into()),
        catalogue: "0123456789ab".to_owned(),
        closed_ports: [81, 82, 83].into_iter().collect(),
        entries,
    }
}

/// Evidence with a few ports.
pub fn evidence(last: u8) -> HostEvidence {
    let address = [10, 20, 30, last].into();
    let mut evidence = HostEvidence::new(AssetRef::Ip(address), "2026-11-01T10:00:00Z".parse().unwrap());
    let open = |port| PortObservation {
        unconfirmed: false,
        address,
        protocol: Transport::Tcp,
        port,
        state: PortState::Open,
        reason: "syn-ack".to_owned(),
        rtt_us: Some(211),
    };
    evidence.addresses = Observation::Observed(vec![address]);
    evidence.ports = Observation::Observed(PortsEvidence {
        requested: (1..=1000).collect(),
        listed: vec![open(22), open(443)],
        summarised: vec![PortSummary {
            address,
            protocol: Transport::Tcp,
            state: PortState::Closed,
            reason: "conn-refused".to_owned(),
            count: 998,
        }],
        ..PortsEvidence::default()
    });
    evidence.services = Section::not_attempted("service identification is switched off");
    evidence.dns = Observation::NotApplicable { reason: "DNS is about domain names".to_owned() };
    evidence
}

/// The head of a scan.
pub fn summary(status: ScanStatus) -> ScanSummary {
    ScanSummary {
        id: None,
        targets: vec!["10.20.30.0/24".to_owned()],
        profile: ScanProfile::Full,
        status,
        partial: false,
        partial_reasons: Vec::new(),
        started_at: "2026-11-01T10:00:00Z".parse().unwrap(),
        finished_at: None,
        tool_version: "0.1.0".to_owned(),
        catalogue: "0123456789ab".to_owned(),
        demo: false,
    }
}
