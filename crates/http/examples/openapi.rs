//! Prints the OpenAPI document: `cargo run -p bartizan-http --example openapi > ui/openapi.json`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(bartizan_http::openapi_json().as_bytes())
}
