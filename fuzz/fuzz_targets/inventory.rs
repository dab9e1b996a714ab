//! Every reader of inventories on every input: the first byte chooses the reader, the rest is the file.
#![no_main]

use bartizan_inventory::lock::{
    cargo, composer, conan, gemfile, gomod, gosum, gradle, mix, npm, nuget, pipfile, pnpm, poetry, pom, requirements, uv,
    yarn,
};
use bartizan_inventory::os::{Os, apk, dpkg, rpm};
use bartizan_inventory::sbom::{cyclonedx, spdx, spdx_tag};
use bartizan_inventory::triage;
use bartizan_inventory::{ReadError, Reading};
use libfuzzer_sys::fuzz_target;

type Reader = fn(&[u8]) -> Result<Reading, ReadError>;

const READERS: [Reader; 17] = [
    cargo::read,
    composer::read,
    conan::read,
    gemfile::read,
    gradle::read,
    mix::read,
    npm::read,
    nuget::read,
    pipfile::read,
    pnpm::read,
    poetry::read,
    uv::read,
    yarn::read,
    cyclonedx::read_json,
    cyclonedx::read_xml,
    spdx::read,
    spdx_tag::read,
];

fuzz_target!(|data: &[u8]| {
    let Some((choice, file)) = data.split_first() else { return };
    let choice = usize::from(*choice) % (READERS.len() + 9);
    let debian = || Os::of_id("debian", "12");
    match choice.checked_sub(READERS.len()) {
        None => drop(READERS[choice](file)),
        Some(0) => drop(gomod::read(file)),
        Some(1) => drop(gosum::read(file, &[])),
        Some(2) => drop(pom::read(file, &mut |_| None)),
        Some(3) => drop(dpkg::read(file, &debian())),
        Some(4) => drop(apk::read(file, &Os::of_id("alpine", "3.20"))),
        Some(5) => drop(rpm::read(file, None, &Os::of_id("almalinux", "9"))),
        Some(6) => drop(requirements::read(file, &mut |_| requirements::Included::Missing)),
        Some(7) => drop(triage::ignore::read(file)),
        Some(_) => drop(triage::Vex::read(file)),
    }
});
