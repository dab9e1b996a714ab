//! Arguments of `bartizan ports`.

use std::path::PathBuf;
use std::time::Duration;

use bartizan_reports::PortsFormat;
use clap::{Args, ValueEnum, ValueHint};

use super::{ColorMode, NetworkArgs, ProgressMode, duration};
use crate::io::OutputSpec;

/// What `--help` says below the options.
pub const HELP: &str = "Ports: 22,80,8000-8100, services by name (http, imap*), top:100, - for all. T: and
U: before a port change the protocol of what follows, as in -p T:22,80,U:53,161.

Addresses and names given one by one are asked although nobody was found there,
and those that stay silent make the scan incomplete, up to 64 of them. More are
a list, which is looked through first, as a network is.

A link-local address carries the zone of its link, as in fe80::1%eth0, unless
--interface names it.

Exit codes:
  0    done
  2    wrong usage or configuration, or an internal error
  3    incomplete: a name did not resolve, a host named singly did not answer,
       there was no way to an address (no route, a silent router, a link that
       went down), time or resources ran out, or the reader of the only output
       went away (0 with --allow-partial)
  4    nothing to scan
  130  interrupted; what was found is written and marked incomplete";

#[derive(Debug, Args)]
pub struct PortsArgs {
    /// Domains, addresses, CIDRs, ranges; @FILE reads more, one a line, # begins a comment; @- reads them from standard
    /// input
    #[arg(required = true, value_name = "TARGET", value_hint = ValueHint::Hostname)]
    pub targets: Vec<String>,

    /// Ports to ask: see below [default: top:1000, with --udp those whose protocol is known]
    #[arg(
        short,
        long,
        value_name = "SPEC",
        env = "BARTIZAN_PORTS",
        allow_hyphen_values = true,
        help_heading = "What to scan"
    )]
    pub ports: Option<String>,

    /// Ask the N TCP ports that are most often open, as -p top:N; UDP ports, where they are asked, are the usual ones
    #[arg(long, value_name = "N", help_heading = "What to scan")]
    pub top_ports: Option<u32>,

    /// Leave these ports out; without T: or U: of both protocols
    #[arg(long, value_name = "SPEC", help_heading = "What to scan")]
    pub exclude_ports: Option<String>,

    /// Ports without T: or U: are UDP; each is asked in the protocol it is known for
    #[arg(long, help_heading = "What to scan")]
    pub udp: bool,

    /// Never contact these: addresses, CIDRs, ranges, names
    #[arg(long, value_name = "TARGET,…", value_delimiter = ',', help_heading = "What to scan")]
    pub exclude: Vec<String>,

    /// Never contact the targets in this file: one or more a line, with commas or spaces between them; # begins a comment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What to scan")]
    pub exclude_file: Vec<PathBuf>,

    /// Only look which hosts are there, and ask no ports
    #[arg(long, help_heading = "What to scan")]
    pub discover_only: bool,

    /// Ask the ports of every address, without looking first whether a host is there
    #[arg(long, help_heading = "What to scan")]
    pub no_discovery: bool,

    /// Find out what speaks on open ports: protocol, product, version
    #[arg(long, help_heading = "What to scan")]
    pub service_detection: bool,

    /// With -sV: ask printers and industrial controllers like everything else, although foreign requests are printed by
    /// some and have stopped others
    #[arg(long, help_heading = "What to scan")]
    pub ask_everything: bool,

    /// With -sV: folder of Recog fingerprints (XML) to use beside the built-in signatures
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, env = "BARTIZAN_RECOG", help_heading = "What to scan")]
    pub recog: Option<PathBuf>,

    /// Refuse private, loopback and link-local addresses (cloud metadata services are refused always)
    #[arg(long, env = "BARTIZAN_PUBLIC_ONLY", help_heading = "What to scan")]
    pub public_only: bool,

    /// As nmap writes it: -sV services, -sU UDP, -sS and -sT the engine, -sn hosts alone. More of its spellings are
    /// translated before (`args::nmap`).
    #[arg(short = 's', value_enum, value_name = "V|U|S|T|n", hide = true)]
    pub letters: Vec<ScanLetter>,

    /// Write results as table, json, jsonl, csv or xml (as nmap's), to a file or standard output; may be repeated
    /// [default: table]
    #[arg(
        short,
        long = "output",
        value_name = "FORMAT[=FILE]",
        env = "BARTIZAN_PORTS_OUTPUT",
        help_heading = "Results"
    )]
    pub output: Vec<OutputSpec<PortsFormat>>,

    /// Only open ports
    #[arg(long, help_heading = "Results")]
    pub open: bool,

    /// Colours in the table; NO_COLOR is honoured
    #[arg(long, value_enum, default_value = "auto", env = "BARTIZAN_COLOR", help_heading = "Results")]
    pub color: ColorMode,

    /// End with 0 although the scan has gaps
    #[arg(long, env = "BARTIZAN_ALLOW_PARTIAL", help_heading = "Results")]
    pub allow_partial: bool,

    /// How TCP ports are asked: syn needs CAP_NET_RAW, connect nothing, auto takes the best there is
    #[arg(long, value_enum, default_value = "auto", env = "BARTIZAN_ENGINE", help_heading = "Pace")]
    pub engine: EngineChoice,

    /// Attempts a second over all targets [default: what the network takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), env = "BARTIZAN_RATE", help_heading = "Pace")]
    pub rate: Option<u32>,

    /// Attempts a second for each address [default: what the network takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), env = "BARTIZAN_RATE_HOST", help_heading = "Pace")]
    pub rate_host: Option<u32>,

    /// Attempts a second for each /24 of IPv4 and /64 of IPv6 [default: what the network takes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), env = "BARTIZAN_RATE_SUBNET", help_heading = "Pace")]
    pub rate_subnet: Option<u32>,

    /// How often a silent port is asked again, 0 to 11
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=11), env = "BARTIZAN_RETRIES", help_heading = "Pace")]
    pub retries: u8,

    /// Milliseconds to wait for the answer to one attempt, 50 to 8000; hosts that answer are waited for by their own
    /// pace, within this
    #[arg(long, value_name = "MS", default_value_t = 1500, value_parser = clap::value_parser!(u32).range(50..=8_000), help_heading = "Pace")]
    pub wait: u32,

    /// Interface to send from [default: by the routes]
    #[arg(long, value_name = "NAME", help_heading = "Pace")]
    pub interface: Option<String>,

    /// Remember in this file where the scan stands; if it is there already, go on from it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Pace")]
    pub resume: Option<PathBuf>,

    /// Seconds the identification of one service may take at each step, 1 to 120
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120), env = "BARTIZAN_TIMEOUT", help_heading = "Pace")]
    pub timeout: u32,

    /// Services identified at the same time, 1 to 200
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=200), env = "BARTIZAN_CONCURRENCY", help_heading = "Pace")]
    pub concurrency: u32,

    /// Time the whole scan may take: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", value_parser = duration, env = "BARTIZAN_MAX_TIME", help_heading = "Pace")]
    pub max_time: Option<Duration>,

    /// Progress on standard error
    #[arg(long, value_enum, default_value = "auto", env = "BARTIZAN_PROGRESS", help_heading = "Pace")]
    pub progress: ProgressMode,

    /// No progress and no summary on standard error
    #[arg(short, long, env = "BARTIZAN_QUIET", help_heading = "Pace")]
    pub quiet: bool,

    #[command(flatten)]
    pub network: NetworkArgs,
}

impl PortsArgs {
    /// Whether `letter` was given as nmap writes it.
    pub fn has(&self, letter: ScanLetter) -> bool {
        self.letters.contains(&letter)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    Auto,
    Syn,
    Connect,
}

impl From<EngineChoice> for bartizan_portscan::Engine {
    fn from(choice: EngineChoice) -> Self {
        match choice {
            EngineChoice::Auto => Self::Auto,
            EngineChoice::Syn => Self::Syn,
            EngineChoice::Connect => Self::Connect,
        }
    }
}

/// The letter after nmap's `-s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScanLetter {
    #[value(name = "V")]
    Services,
    #[value(name = "U")]
    Udp,
    #[value(name = "S")]
    Syn,
    #[value(name = "T")]
    Connect,
    #[value(name = "n")]
    Discover,
}
