//! The link of the port-scan benchmark: `link DEVICE DEVICE [delay_ms=10] [jitter_ms=0] [loss=0.01] [rate=20000] [queue=1000] [seed=1]`.

#![expect(clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bartizan_portscan::lab::{Link, carry};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, second, options @ ..] = arguments.as_slice() else {
        eprintln!("usage: link DEVICE DEVICE [delay_ms=] [jitter_ms=] [loss=] [rate=] [queue=] [seed=]");
        return ExitCode::FAILURE;
    };
    let mut link = Link { delay: Duration::ZERO, jitter: Duration::ZERO, loss: 0.0, rate: 0.0, queue: 1000.0, seed: 1 };
    for option in options {
        let Some((name, value)) = option.split_once('=').and_then(|(n, v)| Some((n, v.parse::<f64>().ok()?))) else {
            eprintln!("not an option: {option}");
            return ExitCode::FAILURE;
        };
        match name {
            "jitter_ms" => link.jitter = Duration::from_secs_f64(value / 1000.0),
            "delay_ms" => link.delay = Duration::from_secs_f64(value / 1000.0),
            "loss" => link.loss = value,
            "rate" => link.rate = value,
            "queue" => link.queue = value,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
            "seed" => link.seed = value as u64,
            _ => {
                eprintln!("not an option: {option}");
                return ExitCode::FAILURE;
            }
        }
    }
    // Until the process is ended.
    match carry(first, second, link, &AtomicBool::new(false)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
