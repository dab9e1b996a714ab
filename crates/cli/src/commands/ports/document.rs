//! The document of a port scan, from what was asked for and what came of it.

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PORTS_SCHEMA, PortsDocument, PortsHost, PortsStatus, PortsSummary};
use bartizan_portscan::{TakenUp, zone};
use bartizan_probes::sweep::{Gap, SweepOutcome};
use chrono::{DateTime, Utc};

use super::request::{self, Plan, Request};
use super::watch::Ended;
use super::zones;
use crate::args::PortsArgs;

/// Sentences of one kind that are written in full; the rest is counted.
const TOLD_AT_MOST: usize = 10;

/// Sentences of one kind, of which there may be thousands.
#[derive(Debug)]
pub struct Several {
    /// What follows the number of those that are not written in full.
    rest: &'static str,
    told: Vec<String>,
    more: usize,
}

impl Several {
    /// None yet; `rest` follows the number of those that are only counted, as in `names were not scanned`.
    pub const fn new(rest: &'static str) -> Self {
        Self { rest, told: Vec::new(), more: 0 }
    }

    /// One more.
    pub fn push(&mut self, text: String) {
        if self.told.len() < TOLD_AT_MOST {
            self.told.push(text);
        } else {
            self.more += 1;
        }
    }

    /// The sentences.
    pub fn into_sentences(self) -> impl Iterator<Item = String> {
        let rest = (self.more > 0).then(|| format!("{} more {}", self.more, self.rest));
        self.told.into_iter().chain(rest)
    }
}

/// When it began and when it ended.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// Makes the document of a scan of `addresses` addresses.
pub fn document(
    (request, plan, addresses): (&Request, &Plan, usize),
    outcome: SweepOutcome,
    ending: Ended,
    (started_at, finished_at): Span,
    args: &PortsArgs,
) -> PortsDocument {
    let mut gaps = unresolved(plan, outcome.taken_up.as_ref());
    gaps.extend(plan.gaps.iter().cloned());
    gaps.extend(outcome.gaps);
    let addresses = outcome.taken_up.as_ref().map_or(addresses, |before| before.targets);
    let early = match ending {
        Ended::ByItself if outcome.stopped => Some("the scan was stopped before every port had a state"),
        Ended::ByItself => None,
        Ended::OutOfTime => Some("the time limit ended the scan before every port had a state"),
        Ended::Interrupted => Some("interrupted before every port had a state"),
        Ended::Unread => {
            Some("nobody took the results any more, so the scan was stopped before every port had a state")
        }
    };
    gaps.extend(early.map(|text| Gap::Unfinished(text.to_owned())));
    let errors: u64 = outcome.errors + outcome.hosts.iter().map(errors_of).sum::<u64>();
    if errors > 0 {
        gaps.push(Gap::Unfinished(format!("{errors} ports have no state because of trouble on this machine")));
    }
    let mut silent = Several::new("addresses that were named singly did not answer on any port");
    let mut cut_off = Several::new("addresses that were named singly were not reached");
    let (mut hosts, mut names, mut answered) = (Vec::new(), zones::Names::default(), 0);
    let asks_ports = !(request.tcp.is_empty() && request.udp.is_empty());
    for mut host in outcome.hosts {
        let single = outcome.singles.contains(&host.address);
        answered += u64::from(host.answered);
        if !host.answered && single && !outcome.stopped {
            let address = zone::text(host.address);
            match host.reason.as_deref() {
                Some("no-route") => cut_off.push(format!("{address} was not reached: this machine has no route there")),
                Some("no-router") => {
                    cut_off.push(format!("{address} was not reached: the router on the way does not answer"));
                }
                Some("no-neighbour") => {
                    silent.push(format!("{address} is not there: nobody on the link answers for it"));
                }
                _ => silent.push(format!("{address} did not answer on any port")),
            }
        }
        let is_listed = match (args.open, asks_ports) {
            (true, true) => {
                host.keep_open();
                host.has_open()
            }
            // Where no port was asked, what is open is the host.
            (true, false) => host.answered,
            (false, _) => host.answered || single || host.has_open(),
        };
        if is_listed {
            names.host(&mut host);
            hosts.push(host);
        }
    }
    gaps.extend(cut_off.into_sentences().map(Gap::Unfinished));
    gaps.extend(silent.into_sentences().map(Gap::Doubt));
    let unfinished = gaps.iter().any(|gap| matches!(gap, Gap::Unfinished(_)));
    PortsDocument {
        schema: PORTS_SCHEMA.to_owned(),
        scan: PortsSummary {
            targets: request.targets.iter().map(|given| zones::target_text(&given.target)).collect(),
            addresses: addresses as u64,
            tcp_ports: request.tcp.clone(),
            udp_ports: request.udp.clone(),
            engine: request::engine_name(&outcome.engines).to_owned(),
            service_detection: request.service_detection,
            command: command_line(),
            only_open: args.open,
            answered,
            status: match ending {
                Ended::Interrupted => PortsStatus::Cancelled,
                _ if unfinished => PortsStatus::Incomplete,
                _ => PortsStatus::Completed,
            },
            partial: !gaps.is_empty(),
            partial_reasons: gaps.iter().map(|gap| gap.text().to_owned()).collect(),
            started_at,
            finished_at,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        hosts,
    }
}

/// The names that were not scanned. A scan that is taken up has the addresses that they had when it was begun, or none.
pub fn unresolved(plan: &Plan, taken_up: Option<&TakenUp>) -> Vec<Gap> {
    let had = |name: &String| Some(!taken_up?.names.get(name)?.is_empty());
    let mut unresolved = Several::new("names were not scanned");
    for (name, why) in &plan.unresolved {
        if had(name) != Some(true) {
            unresolved.push(format!("{name} was not scanned: {why}"));
        }
    }
    let lost = taken_up.iter().flat_map(|before| before.names.keys()).filter(|name| had(name) == Some(false));
    for name in lost.filter(|name| !plan.nowhere.contains(*name)) {
        unresolved.push(format!("{name} was not scanned: it led nowhere when this scan was begun; scan it by itself"));
    }
    unresolved.into_sentences().map(Gap::Unfinished).collect()
}

/// The command as it was written.
fn command_line() -> Vec<String> {
    let written = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("bartizan".to_owned()).chain(written).collect()
}

fn errors_of(host: &PortsHost) -> u64 {
    let listed = host.ports.iter().filter(|port| port.state == PortState::Error).count() as u64;
    let counted = host.summarised.iter().filter(|sum| sum.state == PortState::Error).map(|sum| u64::from(sum.count));
    listed + counted.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_sentences_of_one_kind_the_rest_is_counted() {
        let mut several = Several::new("names were not scanned");
        (0..12).for_each(|number| several.push(format!("name {number} was not scanned")));
        let sentences: Vec<String> = several.into_sentences().collect();
        assert_eq!((sentences.len(), sentences[10].as_str()), (11, "2 more names were not scanned"));
    }
}
