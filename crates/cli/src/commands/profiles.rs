//! `bartizan profiles`, and the plain tables of listings.

use anyhow::Result;
use bartizan_catalog::Catalog;
use comfy_table::{ContentArrangement, Table};
use serde_json::json;

use crate::args::{ListArgs, ListFormat};
use crate::exit::Exit;
use crate::io;

/// Runs the command.
pub fn run(args: &ListArgs) -> Result<Exit> {
    let catalog = Catalog::builtin();
    let checks = |profile: &bartizan_catalog::Profile| catalog.checks().filter(|check| profile.includes(check)).count();
    let text = match args.format {
        ListFormat::Json => {
            let items: Vec<_> = catalog
                .profiles()
                .iter()
                .map(|profile| {
                    json!({
                        "name": profile.name, "description": profile.description, "ports": profile.ports,
                        "udp_ports": profile.udp_ports, "checks": checks(profile), "path_probes": profile.path_probes,
                    })
                })
                .collect();
            serde_json::to_string_pretty(&items)? + "\n"
        }
        ListFormat::Table => {
            let mut table = plain_table(["PROFILE", "PORTS", "CHECKS", "WHAT IT DOES"]);
            for profile in catalog.profiles() {
                table.add_row([
                    profile.name.to_string(),
                    profile.ports.clone(),
                    checks(profile).to_string(),
                    profile.description.clone(),
                ]);
            }
            trimmed(&table)
        }
    };
    io::print(&text)?;
    Ok(Exit::Done)
}

/// A table without lines, as wide as the terminal where there is one.
pub fn plain_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    if let Some((width, _)) = terminal_size::terminal_size() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.0);
    }
    table
}

/// The table without blanks at the ends of lines.
pub fn trimmed(table: &Table) -> String {
    table.lines().map(|line| line.trim().to_owned() + "\n").collect()
}
