//! What the fuzz targets do with an input. The ordinary tests include this file too and run every seed through it
//! (`crates/accuracy/tests/seeds.rs`): an entry never panics, and ends within the bounds it is given.

use bartizan_feeds::Limits;
use bartizan_feeds::formats::{Format, Output, PEEK, parse, recognise};
use bartizan_feeds::input::visit_bytes;
use bartizan_feeds::store::segment::Segment;
use bartizan_inventory::lock::{
    cargo, composer, conan, gemfile, gomod, gosum, gradle, mix, npm, nuget, pipfile, pnpm, poetry, pom, requirements,
    uv, yarn,
};
use bartizan_inventory::os::{Os, apk, dpkg, rpm};
use bartizan_inventory::sbom::{cyclonedx, spdx, spdx_tag};
use bartizan_inventory::{ReadError, Reading, triage};

/// A target: its name and what it does with an input.
pub type Entry = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: [Entry; 4] = [("input", input), ("inventory", inventory), ("parse", feed), ("store", store)];

/// Decompression, archives and recognition on any input, with tight bounds.
pub fn input(data: &[u8]) {
    let limits = Limits { max_bytes: 4 << 20, ratio_grace: 1 << 16, max_members: 100, ..Limits::default() };
    let _ = visit_bytes("file", data, &limits, &mut |member| {
        let mut head = vec![0; PEEK.min(64 << 10)];
        let read = member.reader.read(&mut head).unwrap_or(0);
        let _ = recognise(&head[..read]);
        Ok(())
    });
}

/// Every parser of feeds: the first byte chooses the format, the rest is the document.
pub fn feed(data: &[u8]) {
    let Some((choice, document)) = data.split_first() else { return };
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    let limits = Limits { max_record: 1 << 20, max_records: 10_000, ..Limits::default() };
    let mut sink = |_| Ok(());
    let mut output = Output::new(&mut sink, &limits);
    let mut reader = document;
    let _ = parse(format, "document", &mut reader, &limits, &mut output);
}

/// A segment of any bytes is read or refused.
pub fn store(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("segment");
    std::fs::write(&path, data).expect("a temporary file");
    if let Ok(segment) = Segment::open(&path) {
        let _ = segment.each_record(|_| Ok(()));
    }
}

type Reader = fn(&[u8]) -> Result<Reading, ReadError>;

/// Readers that need nothing but the file, in the order the first byte of an input counts them.
pub const READERS: [(&str, Reader); 17] = [
    ("cargo", cargo::read),
    ("composer", composer::read),
    ("conan", conan::read),
    ("gemfile", gemfile::read),
    ("gradle", gradle::read),
    ("mix", mix::read),
    ("npm", npm::read),
    ("nuget", nuget::read),
    ("pipfile", pipfile::read),
    ("pnpm", pnpm::read),
    ("poetry", poetry::read),
    ("uv", uv::read),
    ("yarn", yarn::read),
    ("cyclonedx-json", cyclonedx::read_json),
    ("cyclonedx-xml", cyclonedx::read_xml),
    ("spdx", spdx::read),
    ("spdx-tag", spdx_tag::read),
];

/// The other readers, which follow [`READERS`] in the count.
pub const OTHERS: [&str; 9] = ["gomod", "gosum", "pom", "dpkg", "apk", "rpm", "requirements", "ignore", "vex"];

/// The names of all readers of inventories and decisions, in the order the first byte of an input counts them.
pub fn readers() -> Vec<&'static str> {
    READERS.iter().map(|(name, _)| *name).chain(OTHERS).collect()
}

/// Every reader of inventories and decisions: the first byte chooses the reader, the rest is the file.
pub fn inventory(data: &[u8]) {
    let Some((choice, file)) = data.split_first() else { return };
    let choice = usize::from(*choice) % (READERS.len() + OTHERS.len());
    let Some(other) = choice.checked_sub(READERS.len()) else {
        drop(READERS[choice].1(file));
        return;
    };
    match OTHERS[other] {
        "gomod" => drop(gomod::read(file)),
        "gosum" => drop(gosum::read(file, &[])),
        "pom" => drop(pom::read(file, &mut |_| None)),
        "dpkg" => drop(dpkg::read(file, &Os::of_id("debian", "12"))),
        "apk" => drop(apk::read(file, &Os::of_id("alpine", "3.20"))),
        "rpm" => drop(rpm::read(file, None, &Os::of_id("almalinux", "9"))),
        "requirements" => drop(requirements::read(file, &mut |_| requirements::Included::Missing)),
        "ignore" => drop(triage::ignore::read(file)),
        _ => drop(triage::Vex::read(file)),
    }
}
