//! What kind of terminal there is, and logging to it.

use std::io::IsTerminal as _;

use bartizan_domain::Clock;
use bartizan_reports::{Colour, RenderOptions};
use chrono::{DateTime, Utc};
use tracing_subscriber::EnvFilter;

use crate::args::ColorMode;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }
}

/// Logs to standard error: warnings, with `-v` what happens, with `-vv` everything. `BARTIZAN_LOG` overrides.
pub fn set_up_logging(verbose: u8) {
    let default = match verbose {
        0 => "warn",
        1 => {
            "warn,bartizan=debug,bartizan_engine=debug,bartizan_services=debug,bartizan_http=debug,bartizan_jobs=debug"
        }
        // Of our own crates only: libraries at that level print what targets sent.
        _ => {
            "info,bartizan=trace,bartizan_engine=trace,bartizan_probes=trace,bartizan_outbound=trace,bartizan_services=trace,bartizan_http=trace,bartizan_jobs=trace,html5ever=warn,hyper=warn,rustls=warn"
        }
    };
    let filter = EnvFilter::try_from_env("BARTIZAN_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && !no_color());
    // Fails only if a subscriber is set already, which only tests do.
    let _ = subscriber.try_init();
}

/// How to render for standard output (`to_stdout`) or a file.
pub fn render_options(color: ColorMode, destination: Destination) -> RenderOptions {
    let terminal = destination == Destination::Stdout && std::io::stdout().is_terminal();
    let colour = match color {
        ColorMode::Always => Colour::Ansi,
        ColorMode::Never => Colour::Never,
        ColorMode::Auto if terminal && !no_color() => Colour::Ansi,
        ColorMode::Auto => Colour::Never,
    };
    let width = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| width.0);
    RenderOptions { colour, width }
}

/// Where rendered output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    Stdout,
    File,
}

/// <https://no-color.org>: set and not empty.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
