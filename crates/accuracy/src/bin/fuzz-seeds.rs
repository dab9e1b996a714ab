//! `fuzz-seeds FOLDER`: writes the inputs from which fuzzing begins to `FOLDER/<target>/`.

#![allow(clippy::print_stdout, reason = "a tool of development says what it wrote")]

use std::path::PathBuf;

use bartizan_accuracy::{Error, seeds};

#[expect(dead_code, reason = "the functions of the targets are for those who run them")]
#[path = "../../../../fuzz/entries.rs"]
mod entries;

fn main() -> Result<(), Error> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("usage: fuzz-seeds FOLDER")?.into();
    let seeds = seeds::seeds(&entries::readers())?;
    for seed in &seeds {
        let place = folder.join(seed.target);
        std::fs::create_dir_all(&place)?;
        std::fs::write(place.join(&seed.name), &seed.bytes)?;
    }
    println!("{} inputs in {}", seeds.len(), folder.display());
    Ok(())
}
