//! The benchmark of correlation: `bench-matching prepare | ingest | load | cold | fleet DIR`.
//!
//! `prepare` writes the input, each record of it a real one of the corpus, multiplied under further ids and names, and
//! prints how many are distinct. Each other step is a process of its own, so that its peak memory is its own: CPU time,
//! wall time and memory are printed for the part that is measured. The fleet is made by a generator with a fixed seed.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark prints figures; the casts are of counts far below the limits"
)]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bartizan_accuracy::{Error, corpus, day};
use bartizan_feeds::import::{self, Mode, Options as ImportOptions};
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::writer::StoreWriter;
use bartizan_matching::correlate::fleet::{Fleet, FleetRun};
use bartizan_matching::model::{Ecosystem, Package, Scope, SourcePackage, Text};
use bartizan_matching::store::AdvisoryStore;
use bartizan_matching::{Options, correlate};
use serde_json::Value;

/// Copies of each NVD record and of each OSV record.
const NVD_COPIES: usize = 22;
const OSV_COPIES: usize = 14;
const ASSETS: u32 = 100_000;
const PACKAGES_OF_AN_ASSET: usize = 500;
const DISTINCT: usize = 80_000;
const SEED: u64 = 0x5EED_BA57_1A20_0001;
const OSV_FILES: [&str; 6] = ["crates.io", "go", "pypi", "almalinux", "bitnami", "ghsa-and-distro-from-test-suites"];

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [step, folder] = arguments.as_slice() else {
        return Err("usage: bench-matching prepare|ingest|load|cold|fleet DIR".into());
    };
    let folder = Path::new(folder);
    match step.as_str() {
        "prepare" => prepare(folder),
        "ingest" => ingest(folder),
        "load" => load(folder),
        "cold" => cold(folder),
        "fleet" => fleet(folder),
        other => Err(format!("there is no step `{other}`").into()),
    }
}

/// CPU seconds of this process, and its resident and peak memory in bytes.
struct Usage {
    cpu: f64,
    resident: u64,
    peak: u64,
}

fn usage() -> Usage {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or("");
        line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    // Linux counts in hundredths of a second on every platform this runs on.
    Usage { cpu: (ticks(11) + ticks(12)) / 100.0, resident: memory("VmRSS:"), peak: memory("VmHWM:") }
}

/// Runs and prints one measurement.
fn measured<T>(name: &str, goal: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<(T, f64), Error> {
    let (before, began) = (usage(), Instant::now());
    let result = work()?;
    let (wall, after) = (began.elapsed().as_secs_f64(), usage());
    println!(
        "{name:<58} wall {wall:>8.3} s  cpu {:>8.2} s  rss {:>5} MB  peak {:>5} MB  (goal {goal})",
        after.cpu - before.cpu,
        after.resident >> 20,
        after.peak >> 20
    );
    Ok((result, wall))
}

fn lines(file: &Path) -> Result<impl Iterator<Item = Result<String, Error>>, Error> {
    let reader = BufReader::new(zstd::Decoder::new(File::open(file)?)?);
    Ok(reader.lines().map(|line| Ok(line?)))
}

fn needed_corpus() -> Result<PathBuf, Error> {
    corpus().ok_or_else(|| "the benchmark multiplies real records: BARTIZAN_CORPUS must name the corpus".into())
}

/// `CVE-2022-123` as its `copy`-th copy.
fn copied_id(id: &str, copy: usize) -> String {
    if copy == 0 {
        return id.to_owned();
    }
    match id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')) {
        Some((year, number)) => match number.parse::<u64>() {
            Ok(number) => format!("CVE-{year}-{}", number + copy as u64 * 1_000_000),
            Err(_) => format!("{id}-{copy}"),
        },
        None => format!("{id}-{copy}"),
    }
}

fn copied_name(name: &str, copy: usize) -> String {
    if copy == 0 { name.to_owned() } else { format!("{name}-x{copy}") }
}

fn prepare(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder)?;
    let corpus = needed_corpus()?;
    let mut cves: HashSet<String> = HashSet::new();
    let mut nvd = BufWriter::new(File::create(folder.join("nvd.jsonl"))?);
    let (mut records, mut bytes) = (0_u64, 0_u64);
    for line in lines(&corpus.join("nvd/nvd-api2-shape-2022.jsonl.zst"))? {
        let line = line?;
        let value: Value = serde_json::from_str(&line)?;
        let Some(id) = value["id"].as_str() else {
            continue;
        };
        for copy in 0..NVD_COPIES {
            let copied = copied_id(id, copy);
            let text = line.replace(id, &copied);
            bytes += text.len() as u64 + 1;
            records += 1;
            writeln!(nvd, "{text}")?;
            cves.insert(copied);
        }
    }
    println!("nvd.jsonl: {records} records, {} MB, {} distinct CVE ids", bytes >> 20, cves.len());
    let mut osv = BufWriter::new(File::create(folder.join("osv.jsonl"))?);
    let mut changed = BufWriter::new(File::create(folder.join("osv-changed.jsonl"))?);
    let (mut records, mut ranges, mut entries, mut altered) = (0_u64, 0_u64, 0_u64, 0);
    let mut ids = HashSet::new();
    // Versions by package: what advisories call fixed are versions that exist.
    let mut universe: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for file in OSV_FILES {
        for line in lines(&corpus.join(format!("osv/{file}.jsonl.zst")))? {
            let record: Value = serde_json::from_str(&line?)?;
            for copy in 0..OSV_COPIES {
                let mut one = record.clone();
                copy_record(&mut one, copy);
                if !ids.insert(one["id"].to_string()) {
                    continue;
                }
                for name in ["id", "aliases", "related", "upstream"] {
                    let texts = match &one[name] {
                        Value::Array(all) => all.clone(),
                        single => vec![single.clone()],
                    };
                    cves.extend(
                        texts.iter().filter_map(Value::as_str).filter(|id| id.starts_with("CVE-")).map(str::to_owned),
                    );
                }
                for affected in one["affected"].as_array().into_iter().flatten() {
                    entries += 1;
                    ranges += affected["ranges"].as_array().map_or(0, |ranges| ranges.len() as u64);
                    note_versions(affected, &mut universe);
                }
                records += 1;
                writeln!(osv, "{one}")?;
                // Every 350th record changes: its fixes become newer.
                if records % 350 == 7 && altered < 1000 && alter(&mut one) {
                    altered += 1;
                    writeln!(changed, "{one}")?;
                }
            }
        }
    }
    println!(
        "osv.jsonl: {records} records, {entries} package statements, {ranges} ranges; {altered} of them changed in a second version"
    );
    println!("distinct CVE ids in all: {}", cves.len());
    let mut out = BufWriter::new(File::create(folder.join("universe.tsv"))?);
    for ((ecosystem, name), versions) in &universe {
        let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
        writeln!(out, "{ecosystem}\t{name}\t{}", versions.join("\t"))?;
    }
    println!("package names with advisories: {}", universe.len());
    let kept: u64 = 340_000;
    if (cves.len() as u64) < kept {
        return Err(format!("fewer than {kept} distinct CVE ids").into());
    }
    Ok(())
}

fn copy_record(record: &mut Value, copy: usize) {
    if copy == 0 {
        return;
    }
    let rename = |value: &mut Value| {
        if let Some(id) = value.as_str() {
            *value = Value::String(copied_id(id, copy));
        }
    };
    rename(&mut record["id"]);
    for name in ["aliases", "related", "upstream"] {
        if let Some(list) = record.get_mut(name).and_then(Value::as_array_mut) {
            list.iter_mut().for_each(rename);
        }
    }
    for affected in record["affected"].as_array_mut().into_iter().flatten() {
        if let Some(name) = affected["package"]["name"].as_str().map(|name| copied_name(name, copy)) {
            affected["package"]["name"] = Value::String(name);
        }
    }
}

fn note_versions(affected: &Value, universe: &mut BTreeMap<(String, String), BTreeSet<String>>) {
    let (Some(ecosystem), Some(name)) =
        (affected["package"]["ecosystem"].as_str(), affected["package"]["name"].as_str())
    else {
        return;
    };
    let versions = universe.entry((ecosystem.to_owned(), name.to_owned())).or_default();
    for range in affected["ranges"].as_array().into_iter().flatten().filter(|range| range["type"] != "GIT") {
        for event in range["events"].as_array().into_iter().flatten() {
            for kind in ["introduced", "fixed", "last_affected"] {
                if let Some(version) =
                    event[kind].as_str().filter(|version| *version != "0" && !version.contains(['\t', '\n']))
                {
                    versions.insert(version.to_owned());
                }
            }
        }
    }
}

/// Appends to every fixed version, so that some findings come and go.
fn alter(record: &mut Value) -> bool {
    let mut done = false;
    record["modified"] = Value::String("2026-11-22T00:00:00Z".to_owned());
    for affected in record["affected"].as_array_mut().into_iter().flatten() {
        for range in affected["ranges"].as_array_mut().into_iter().flatten() {
            for event in range["events"].as_array_mut().into_iter().flatten() {
                if let Some(fixed) = event["fixed"].as_str() {
                    let fixed = format!("{fixed}.1");
                    event["fixed"] = Value::String(fixed);
                    done = true;
                }
            }
        }
    }
    done
}

fn write(folder: &Path, paths: &[PathBuf], options: &ImportOptions) -> Result<(), Error> {
    let mut writer = StoreWriter::open(folder, options.memory)?;
    let report = import::import(&mut writer, paths, options, day(), &mut |_| {})?;
    for source in &report.sources {
        match &source.outcome {
            Ok(_) => println!("  {}: {:?}", source.name, source.stats),
            Err(reason) => return Err(format!("{}: {reason}", source.name).into()),
        }
    }
    if report.failed_files.is_empty() { Ok(()) } else { Err(format!("{:?}", report.failed_files).into()) }
}

/// P6, P7: the whole of NVD, from local pages into the store.
fn ingest(folder: &Path) -> Result<(), Error> {
    let store = folder.join("store-nvd");
    let _ = fs::remove_dir_all(&store);
    let bytes = fs::metadata(folder.join("nvd.jsonl"))?.len();
    let records = BufReader::new(File::open(folder.join("nvd.jsonl"))?).lines().count();
    let before = usage().cpu;
    let (_, wall) = measured("P6 NVD into the store", "60 s, 500 MB; stretch 20 s, 300 MB", || {
        write(&store, &[folder.join("nvd.jsonl")], &ImportOptions::default())
    })?;
    let cpu = usage().cpu - before;
    println!(
        "P7 {records} records, {} MB: {:.0} records/s of CPU, {:.0} records/s of wall  (goal 15,000; stretch 40,000)",
        bytes >> 20,
        records as f64 / cpu,
        records as f64 / wall
    );
    Ok(())
}

fn size(folder: &Path) -> Result<u64, Error> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

/// P8: everything into one store; and a second store in which 1,000 records and the EPSS scores have changed.
fn load(folder: &Path) -> Result<(), Error> {
    let corpus = needed_corpus()?;
    let store = folder.join("store");
    let _ = fs::remove_dir_all(&store);
    let sources = [
        folder.join("nvd.jsonl"),
        folder.join("osv.jsonl"),
        corpus.join("epss/epss_scores-2026-05-10.csv.zst"),
        corpus.join("kev/kev-2025-08-25.json"),
        corpus.join("exploits/poc-index.csv.zst"),
    ];
    measured("all sources into one store", "-", || write(&store, &sources, &ImportOptions::default()))?;
    println!("P8 size on disk: {} MB  (goal 600 MB; stretch 250 MB)", size(&store)? >> 20);
    let second = folder.join("store-changed");
    let _ = fs::remove_dir_all(&second);
    copy_folder(&store, &second)?;
    let update = ImportOptions { mode: Mode::Update, source: Some("osv".to_owned()), ..ImportOptions::default() };
    measured("1,000 changed records into the store", "-", || {
        write(&second, &[folder.join("osv-changed.jsonl")], &update)
    })?;
    let third = folder.join("store-epss");
    let _ = fs::remove_dir_all(&third);
    copy_folder(&store, &third)?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map(drop)?;
        }
    }
    Ok(())
}

/// P9, P13: from nothing to the first answer, and what stays in memory.
fn cold(folder: &Path) -> Result<(), Error> {
    let package = [Package::new(Ecosystem::PyPi, "django", "3.2")];
    let (snapshot, _) = measured("P9 open the store and answer for one package", "2 s; stretch 0.3 s", || {
        let snapshot = Snapshot::open(&folder.join("store"))?;
        let found = correlate(&snapshot, &package, &Options::default())?;
        println!("  {} matches of {} advisories", found.matches.len(), snapshot.advisories());
        Ok(snapshot)
    })?;
    println!("P13 resident memory with all data at hand: {} MB  (goal 400 MB; stretch 200 MB)", usage().resident >> 20);
    drop(snapshot);
    Ok(())
}

/// A small generator with a fixed seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Draws by Zipf's law: the n-th most popular is drawn in proportion to 1/n.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(count: usize) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self(weights.collect())
    }

    fn draw(&self, random: &mut Random) -> usize {
        let at = random.unit() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|bound| *bound < at).min(self.0.len().saturating_sub(1))
    }
}

/// Distinct packages in pools: one a distribution release, one for all languages.
struct World {
    packages: Vec<Package>,
    pools: Vec<Vec<u32>>,
}

fn world(folder: &Path) -> Result<World, Error> {
    let corpus = needed_corpus()?;
    let mut random = Random(SEED);
    let mut by_pool: BTreeMap<String, Vec<Package>> = BTreeMap::new();
    for line in BufReader::new(File::open(folder.join("universe.tsv"))?).lines() {
        let line = line?;
        let mut fields = line.split('\t');
        let (Some(ecosystem), Some(name)) = (fields.next(), fields.next()) else {
            continue;
        };
        let scope = Scope::of_osv(ecosystem);
        let pool = if scope.release.is_empty() { "languages".to_owned() } else { ecosystem.to_owned() };
        // Most of a fleet is up to date or nearly so: of the versions that advisories name, the newest in seven cases of
        // eight, else the one or two before it.
        let mut versions: Vec<&str> = fields.collect();
        if let Some(dialect) = scope.ecosystem.dialect() {
            versions.sort_by_cached_key(|version| dialect.key(version).ok());
        }
        let back = if random.below(8) == 0 { 1 + random.below(2) } else { 0 };
        if let Some(version) = versions.iter().rev().nth(back).or(versions.last()) {
            let mut package = Package::new(scope.ecosystem.clone(), name, *version);
            package.release = scope.release.clone();
            by_pool.entry(pool).or_default().push(package);
        }
    }
    by_pool.retain(|name, _| ["languages", "AlmaLinux:8", "AlmaLinux:9", "AlmaLinux:10"].contains(&name.as_str()));
    // Shares of the distinct packages: half with advisories, half as most software is, without any.
    let (advised, plain) = (DISTINCT * 5 / 8, DISTINCT * 3 / 8);
    let mut packages: Vec<Package> = Vec::new();
    let mut pools = Vec::new();
    let names: Vec<String> = dpkg_names(&corpus)?;
    let count = by_pool.len();
    for (name, mut all) in by_pool {
        let share = if name == "languages" { advised * 2 / 5 } else { advised / 5 };
        let mut pool = Vec::new();
        for _ in 0..share.min(all.len()) {
            let at = random.below(all.len());
            pool.push(all.swap_remove(at));
        }
        let template = pool.first().cloned().ok_or("an empty pool")?;
        for at in 0..plain / count {
            let base = &names[at % names.len()];
            let mut package = template.clone();
            package.name = format!("{base}-{}", at / names.len()).into();
            package.version = format!("{}.{}-{}", random.below(9), random.below(30), 1 + random.below(9)).into();
            if !package.release.is_empty() {
                let source = SourcePackage { name: base.as_str().into(), version: package.version.clone() };
                package.source = Some(source);
            }
            pool.push(package);
        }
        // Popularity has nothing to do with advisories: shuffled, then drawn by rank.
        for at in (1..pool.len()).rev() {
            pool.swap(at, random.below(at + 1));
        }
        let first = packages.len() as u32;
        packages.extend(pool);
        pools.push((first..packages.len() as u32).collect());
    }
    Ok(World { packages, pools })
}

/// Names of real installed packages, for those without advisories.
fn dpkg_names(corpus: &Path) -> Result<Vec<String>, Error> {
    let folder = tempfile::tempdir()?;
    bartizan_accuracy::unpack(&corpus.join("inventory/lockfiles-and-dpkg.tar.zst"), folder.path())?;
    let status = fs::read_to_string(folder.path().join("dpkg/debian12-buildhost/status"))?;
    Ok(status.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned).collect())
}

fn make_fleet(world: World) -> Result<Fleet, Error> {
    let World { packages, pools } = world;
    // The pools are in the order of their names: three distributions, then languages.
    let (languages, distributions) = pools.split_last().ok_or("no pools")?;
    let zipf: Vec<Zipf> = pools.iter().map(|pool| Zipf::new(pool.len())).collect();
    let (language_zipf, distribution_zipf) = zipf.split_last().ok_or("no pools")?;
    let mut random = Random(SEED ^ 1);
    let mut mark = vec![u32::MAX; packages.len()];
    let assets = (0..ASSETS).map(|asset| {
        let which = random.below(distributions.len());
        let mut carried = Vec::with_capacity(PACKAGES_OF_AN_ASSET);
        while carried.len() < PACKAGES_OF_AN_ASSET {
            let at = if carried.len() * 10 < PACKAGES_OF_AN_ASSET * 7 {
                distributions[which][distribution_zipf[which].draw(&mut random)]
            } else {
                languages[language_zipf.draw(&mut random)]
            };
            if mark[at as usize] != asset {
                mark[at as usize] = asset;
                carried.push(at);
            }
        }
        carried
    });
    Ok(Fleet::new(packages, assets.collect::<Vec<_>>())?)
}

fn fleet(folder: &Path) -> Result<(), Error> {
    let threads = NonZeroUsize::new(2).ok_or("two is not zero")?;
    let options = Options::default();
    let (mut fleet, _) = measured("fleet made (not part of a goal)", "-", || make_fleet(world(folder)?))?;
    println!(
        "  {} assets, {} references, {} distinct packages",
        fleet.assets(),
        fleet.references(),
        fleet.packages().len()
    );
    let mut last = None;
    for turn in 1..=3 {
        drop(last.take());
        let ((snapshot, run, rows), _) = measured(
            &format!("P1 full correlation, run {turn}: open, judge, fan out"),
            "20 s, 2 GB; stretch 5 s, 1 GB",
            || {
                let snapshot = Snapshot::open(&folder.join("store"))?;
                let (run, _) = measured("   judge the distinct packages and score", "-", || {
                    Ok(FleetRun::new(&snapshot, &fleet, &options, threads)?)
                })?;
                let (rows, _) = measured("   fan out", "-", || Ok(run.rows(&snapshot, &fleet)?))?;
                Ok((snapshot, run, rows))
            },
        )?;
        let affected: usize =
            (0..fleet.packages().len() as u32).filter(|at| run.hits(*at).iter().any(|hit| hit.is_finding())).count();
        println!("  {} rows, {} alias groups, {affected} distinct packages with findings", rows.len(), run.groups());
        last = Some((snapshot, run, rows));
    }
    let (snapshot, mut run, rows) = last.ok_or("no run")?;
    // P5: a day of EPSS.
    let corpus = needed_corpus()?;
    let ((), _) = measured("P5 EPSS day into the store and every open match rescored", "3 s; stretch 1 s", || {
        write(
            &folder.join("store-epss"),
            &[corpus.join("epss/epss_scores-2026-08-16.csv.zst")],
            &ImportOptions::default(),
        )?;
        let next = Snapshot::open(&folder.join("store-epss"))?;
        run.rescore(&next, threads)?;
        let scores: Vec<f32> = rows.iter().map(|row| run.score(row.group)).collect();
        println!(
            "  {} rows rescored, mean {:.3}",
            scores.len(),
            scores.iter().map(|score| f64::from(*score)).sum::<f64>() / scores.len().max(1) as f64
        );
        Ok(())
    })?;
    // P4: one asset.
    let mut random = Random(SEED ^ 2);
    let mut slowest: f64 = 0.0;
    let mut sum = 0.0;
    const TURNS: u32 = 200;
    for turn in 0..TURNS {
        let asset = turn * 97 % fleet.assets();
        let other = (turn * 131 + 7) % fleet.assets();
        let mut packages: Vec<Package> =
            fleet.members(other).iter().map(|at| fleet.packages()[*at as usize].clone()).collect();
        for package in packages.iter_mut().take(25) {
            package.version = format!("{}.{}", package.version, random.below(100)).into();
        }
        let began = Instant::now();
        let changes = run.update_asset(&snapshot, &mut fleet, asset, packages)?;
        let took = began.elapsed().as_secs_f64();
        std::hint::black_box(changes);
        slowest = slowest.max(took);
        sum += took;
    }
    println!(
        "P4 one asset with 500 packages, 25 of them never seen: mean {:.2} ms, slowest {:.2} ms  (goal 10 ms; stretch 2 ms)",
        sum / f64::from(TURNS) * 1000.0,
        slowest * 1000.0
    );
    // P3: 1,000 changed records.
    let changed = Snapshot::open(&folder.join("store-changed"))?;
    let mut ids: Vec<Text> = Vec::new();
    for line in BufReader::new(File::open(folder.join("osv-changed.jsonl"))?).lines() {
        let record: Value = serde_json::from_str(&line?)?;
        ids.extend(record["id"].as_str().map(Text::from));
    }
    for id in &ids {
        if changed.by_id(id)?.is_empty() {
            return Err(format!("{id} is not in the changed store").into());
        }
    }
    let (changes, _) = measured(&format!("P3 {} changed records", ids.len()), "1 s; stretch 0.1 s", || {
        Ok(run.update_advisories(&changed, &fleet, &ids, threads)?)
    })?;
    println!("  {} findings came or went", changes.len());
    Ok(())
}
