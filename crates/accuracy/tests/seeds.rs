//! The seeds of the fuzz targets through the functions of the fuzz targets: whole, cut, and damaged in a few hundred places.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bartizan_accuracy::seeds::seeds;

#[path = "../../../fuzz/entries.rs"]
mod entries;

/// One input may take that long, on a machine that is busy. The slowest takes some milliseconds of an idle one.
const PATIENCE: Duration = Duration::from_secs(60);
/// Cuts and damages of one seed each.
const DAMAGES: usize = 48;

/// Numbers that look drawn, the same ones in every run.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

#[test]
fn every_seed_passes_its_target_whole_and_damaged() {
    let seeds = seeds(&entries::readers()).unwrap();
    let run = |entry: fn(&[u8]), bytes: &[u8], what: &str| {
        let began = Instant::now();
        entry(bytes);
        assert!(began.elapsed() < PATIENCE, "{what} took {:?}", began.elapsed());
    };
    for seed in &seeds {
        let name = format!("{}/{}", seed.target, seed.name);
        let (_, entry) = entries::ALL.into_iter().find(|(target, _)| *target == seed.target).unwrap();
        run(entry, &seed.bytes, &name);
        let mut drawn = Drawn(0x9E37_79B9_7F4A_7C15 ^ seed.bytes.len() as u64);
        // What is large takes long: fewer damages.
        for _ in 0..(DAMAGES * 16_384 / seed.bytes.len().max(1)).clamp(3, DAMAGES) {
            run(entry, &seed.bytes[..drawn.below(seed.bytes.len())], &name);
            let mut damaged = seed.bytes.clone();
            for _ in 0..=drawn.below(4) {
                let at = drawn.below(damaged.len());
                damaged[at] = u8::try_from(drawn.below(256)).unwrap();
            }
            run(entry, &damaged, &name);
        }
    }
}

/// A reader without a seed would begin to be fuzzed at nothing.
#[test]
fn every_reader_and_every_target_has_a_seed() {
    let readers = entries::readers();
    let seeds = seeds(&readers).unwrap();
    let targets: BTreeSet<&str> = seeds.iter().map(|seed| seed.target).collect();
    assert_eq!(targets, entries::ALL.iter().map(|(name, _)| *name).collect());
    let seeded: BTreeSet<usize> =
        seeds.iter().filter(|seed| seed.target == "inventory").map(|seed| usize::from(seed.bytes[0])).collect();
    let missing: Vec<&&str> =
        readers.iter().enumerate().filter(|(at, _)| !seeded.contains(at)).map(|(_, name)| name).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let names: BTreeSet<(&str, &str)> = seeds.iter().map(|seed| (seed.target, seed.name.as_str())).collect();
    assert_eq!(names.len(), seeds.len());
}
