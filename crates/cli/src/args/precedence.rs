//! What was typed wins over the environment, and that over the configuration file: also where arguments exclude one
//! another. Those that stand at the same place and exclude one another are refused.

use clap::ArgMatches;
use clap::error::ErrorKind;
use clap::parser::ValueSource;

use super::{ConvertArgs, EngineChoice, PortsArgs, ScanLetter};

/// Where a value is from. Later ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Nowhere,
    File,
    Environment,
    Typed,
}

fn origin(matches: &ArgMatches, id: &str, is_given: bool) -> Origin {
    match matches.value_source(id) {
        Some(ValueSource::CommandLine) if is_given => Origin::Typed,
        Some(ValueSource::EnvVariable) if is_given => Origin::Environment,
        // Values of the file are defaults to the parser, and so are the program's own.
        Some(_) if is_given => Origin::File,
        _ => Origin::Nowhere,
    }
}

/// Takes the one of `--allow-partial` and `--strict` back that the other overrules.
///
/// # Errors
/// If neither does.
pub fn drop_leniency_or_strictness(
    allow_partial: &mut bool,
    strict: &mut bool,
    matches: &ArgMatches,
) -> Result<(), clap::Error> {
    if !(*allow_partial && *strict) {
        return Ok(());
    }
    let (lenient, exact) = (origin(matches, "allow_partial", true), origin(matches, "strict", true));
    if lenient == exact {
        let why = "the argument '--allow-partial' cannot be used with '--strict'\n";
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, why));
    }
    *allow_partial = lenient > exact;
    *strict = exact > lenient;
    Ok(())
}

impl ConvertArgs {
    /// Evidence that is printed goes to no output; `matches` are those of the command.
    ///
    /// # Errors
    /// If both were typed.
    pub fn drop_overruled(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let output = origin(matches, "output", !self.results.output.is_empty());
        match origin(matches, "print_evidence", self.print_evidence) {
            Origin::Nowhere => {}
            printed if printed > output => self.results.output.clear(),
            printed if printed < output => self.print_evidence = false,
            _ => {
                let why = "the argument '--print-evidence' cannot be used with '--output <FORMAT[=FILE]>'\n";
                return Err(clap::Error::raw(ErrorKind::ArgumentConflict, why));
            }
        }
        Ok(())
    }
}

impl PortsArgs {
    /// Drops what is overruled; `matches` are those of the command.
    pub fn drop_overruled(&mut self, matches: &ArgMatches) {
        let from = |id: &str, is_given: bool| origin(matches, id, is_given);
        let typed = |is_given: bool| if is_given { Origin::Typed } else { Origin::Nowhere };
        self.drop_hosts_alone_or_questions(from, typed);
        self.drop_one_list_of_ports(from, typed);
        let has_engine_letter = self.has(ScanLetter::Syn) || self.has(ScanLetter::Connect);
        if has_engine_letter && from("engine", true) < Origin::Typed {
            self.engine = EngineChoice::Auto;
        }
        let detects = self.service_detection || self.has(ScanLetter::Services);
        if !detects && from("ask_everything", self.ask_everything) < Origin::Typed {
            self.ask_everything = false;
        }
    }

    /// Who looks for hosts alone asks nothing of ports.
    fn drop_hosts_alone_or_questions(&mut self, from: impl Fn(&str, bool) -> Origin, typed: impl Fn(bool) -> Origin) {
        let hosts = from("discover_only", self.discover_only).max(typed(self.has(ScanLetter::Discover)));
        if hosts == Origin::Nowhere {
            return;
        }
        let questions = [
            from("ports", self.ports.is_some()),
            from("top_ports", self.top_ports.is_some()),
            from("exclude_ports", self.exclude_ports.is_some()),
            from("udp", self.udp),
            from("service_detection", self.service_detection),
            from("no_discovery", self.no_discovery),
            typed(self.letters.iter().any(|letter| *letter != ScanLetter::Discover)),
        ];
        if questions.iter().any(|question| *question > hosts) {
            self.discover_only = false;
            return;
        }
        let [ports, top_ports, exclude_ports, udp, service_detection, no_discovery, _] = questions;
        self.ports.take_if(|_| ports < hosts);
        self.top_ports.take_if(|_| top_ports < hosts);
        self.exclude_ports.take_if(|_| exclude_ports < hosts);
        self.udp &= udp >= hosts;
        self.service_detection &= service_detection >= hosts;
        self.no_discovery &= no_discovery >= hosts;
    }

    /// There is one list of ports, and that of the most frequent ones is of TCP.
    fn drop_one_list_of_ports(&mut self, from: impl Fn(&str, bool) -> Origin, typed: impl Fn(bool) -> Origin) {
        let ports = from("ports", self.ports.is_some());
        let top_ports = from("top_ports", self.top_ports.is_some());
        self.ports.take_if(|_| ports < top_ports);
        self.top_ports.take_if(|_| top_ports < ports);
        let asks_both = self.has(ScanLetter::Syn) || self.has(ScanLetter::Connect);
        let udp = from("udp", self.udp).max(typed(self.has(ScanLetter::Udp)));
        if !asks_both && self.top_ports.is_some() {
            self.udp &= udp >= top_ports;
            self.top_ports.take_if(|_| top_ports < udp);
        }
    }
}
