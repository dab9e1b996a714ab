//! What kind of terminal there is, and logging to it.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_domain::Clock;
use bartizan_reports::{Colour, RenderOptions};
use bartizan_services::log_level::{LogControl, LogLevel};
use chrono::{DateTime, Utc};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::args::{ColorMode, LogArgs, LogFormat};

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

/// Logs of a server or worker, with a level that can be changed while it runs. `BARTIZAN_LOG` overrides the level.
pub fn set_up_server_logging(args: &LogArgs) -> Arc<dyn LogControl> {
    let level = match args.log_level {
        crate::args::LogLevel::Debug => LogLevel::Debug,
        crate::args::LogLevel::Info => LogLevel::Info,
        crate::args::LogLevel::Warn => LogLevel::Warn,
        crate::args::LogLevel::Error => LogLevel::Error,
    };
    let filter = EnvFilter::try_from_env("BARTIZAN_LOG").unwrap_or_else(|_| filter_of(level));
    let (filter, handle) = reload::Layer::new(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match args.log_format {
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal() && !no_color()).boxed(),
    };
    // Fails only if a subscriber is set already, which only tests do.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    Arc::new(ReloadableLog { handle, level: Mutex::new(level) })
}

/// Says something on standard error whatever the level, in the form of the log.
pub fn say(format: LogFormat, message: &str) {
    match format {
        LogFormat::Text => crate::io::say(message),
        LogFormat::Json => {
            let timestamp = SystemClock.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            let line =
                serde_json::json!({"timestamp": timestamp, "level": "INFO", "message": message, "target": "bartizan"});
            crate::io::say(&line.to_string());
        }
    }
}

/// Of our own crates that much; of libraries what may need attention, because at other levels they print what they are
/// sent.
fn filter_of(level: LogLevel) -> EnvFilter {
    const OURS: [&str; 10] = [
        "bartizan",
        "bartizan_engine",
        "bartizan_probes",
        "bartizan_outbound",
        "bartizan_portscan",
        "bartizan_services",
        "bartizan_storage",
        "bartizan_jobs",
        "bartizan_http",
        "bartizan_auth",
    ];
    let others = if level == LogLevel::Error { "error" } else { "warn" };
    let ours = OURS.iter().map(|name| format!(",{name}={}", level.as_str())).collect::<String>();
    EnvFilter::new(format!("{others}{ours}"))
}

#[derive(Debug)]
struct ReloadableLog {
    handle: reload::Handle<EnvFilter, Registry>,
    level: Mutex<LogLevel>,
}

impl LogControl for ReloadableLog {
    fn level(&self) -> LogLevel {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_level(&self, level: LogLevel) {
        // Fails only when the subscriber is gone, and then nothing is logged at all.
        let _ = self.handle.reload(filter_of(level));
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = level;
    }
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
