//! Rebuilds the crate when the shipped content changes: `include_dir!` cannot watch a folder on stable Rust.

fn main() {
    println!("cargo::rerun-if-changed=../../content");
}
