//! Measures an import: `measure STORE PATH…` prints wall time, CPU time, peak memory, counts and size.
//!
//! Run it optimised: `cargo run --release -p bartizan-feeds --example measure -- /tmp/store PATH…`.

#![allow(clippy::print_stdout, reason = "a program that prints what it measured")]

use std::path::PathBuf;
use std::time::Instant;

use bartizan_feeds::import::{Options, import};
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::writer::StoreWriter;
use bartizan_matching::store::AdvisoryStore as _;
use chrono::{DateTime, Utc};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let store = arguments.next().ok_or("usage: measure STORE PATH…")?;
    let paths: Vec<PathBuf> = arguments.collect();
    if !paths.is_empty() {
        let start = Instant::now();
        let options = Options::default();
        let mut writer = StoreWriter::open(&store, options.memory)?;
        let report =
            import(&mut writer, &paths, &options, DateTime::<Utc>::from(std::time::SystemTime::now()), &mut |_| {})?;
        let records: u64 = report.sources.iter().map(|source| source.stats.records).sum();
        let wall = start.elapsed().as_secs_f64();
        println!("import: {records} records, {wall:.2} s wall, {:.0} records/s", records as f64 / wall);
        for source in report.sources.iter().filter(|source| source.outcome.is_err()) {
            println!("{}: {:?}", source.name, source.outcome);
        }
        for (path, reason) in report.failed_files {
            println!("{}: {reason}", path.display());
        }
        println!("after the import: {}", usage()?);
    }
    let start = Instant::now();
    let snapshot = Snapshot::open(&store)?;
    let opened = start.elapsed();
    let found = snapshot.by_id("CVE-2022-0001")?.len();
    println!("open: {opened:.2?}; first query after {:.2?} ({found} records); {}", start.elapsed(), usage()?);
    let start = Instant::now();
    let (mut advisories, mut statements, mut configurations) = (0_u64, 0_u64, 0_u64);
    snapshot.each_matching(|_, advisory| {
        advisories += 1;
        statements += advisory.affected.len() as u64;
        configurations += advisory.configurations.len() as u64;
        Ok(())
    })?;
    println!(
        "read all: {advisories} advisories, {statements} statements, {configurations} configurations in {:.2?}",
        start.elapsed()
    );
    let bytes: u64 = snapshot.manifest().sources.values().map(|source| source.bytes).sum();
    println!("size: {:.1} MiB; at the end: {}", bytes as f64 / f64::from(1 << 20), usage()?);
    Ok(())
}

/// CPU time and peak memory of this process, by the kernel's word.
fn usage() -> Result<String, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(") ").ok_or("/proc/self/stat")?.1.split(' ').collect();
    // Fields 14 and 15 of proc(5), in clock ticks of a hundredth of a second.
    let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("").trim().to_owned();
    let now = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("").trim().to_owned();
    Ok(format!("{:.2} s CPU, {peak} peak, {now} now", ticks / 100.0))
}
