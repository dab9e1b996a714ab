//! Renders a native document from standard input: `cargo run -p bartizan-reports --example render -- html < scan.json`.

use std::io;

use bartizan_catalog::Catalog;
use bartizan_reports::{Format, RenderOptions, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let format: Format = std::env::args().nth(1).as_deref().unwrap_or("table").parse()?;
    let document = serde_json::from_reader(io::stdin().lock())?;
    render(format, &document, Catalog::builtin(), RenderOptions::default(), &mut io::stdout().lock())?;
    Ok(())
}
