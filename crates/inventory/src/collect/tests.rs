//! Walks of small trees.

use super::*;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn collected(folder: &Path, limits: Limits) -> Inventory {
    let mut collector = Collector::new(limits, None);
    collector.add(folder).unwrap();
    collector.finish()
}

fn paths(inventory: &Inventory, folder: &Path) -> Vec<String> {
    let root = format!("{}/", folder.display());
    inventory.sources.iter().map(|source| source.path.replace(&root, "")).collect()
}

#[test]
fn a_folder_is_walked_without_links_caches_and_copies() {
    let folder = tree(&[
        ("a/requirements.txt", "x==1\n"),
        ("a/node_modules/b/package-lock.json", "{}"),
        ("target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55"),
        ("target/Cargo.lock", ""),
        (".git/Cargo.lock", ""),
        ("broken/Cargo.lock", "not toml ["),
    ]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a/Cargo.lock")).unwrap();
    }
    let inventory = collected(folder.path(), Limits::default());
    assert_eq!(paths(&inventory, folder.path()), ["a/requirements.txt", "broken/Cargo.lock"]);
    assert!(inventory.sources[1].reading.is_err(), "a damaged file is no empty one");
    assert_eq!(inventory.skipped.len(), 1);
    assert!(inventory.skipped[0].reason.contains("`/etc/passwd`, outside of what is audited"));
    assert_eq!(inventory.packages().len(), 1);
}

#[test]
fn limits_end_a_walk_and_say_so() {
    let folder = tree(&[("a/b/c/requirements.txt", "x==1\n"), ("requirements.txt", "x==1\n")]);
    let shallow = collected(folder.path(), Limits { depth: 1, ..Limits::default() });
    assert_eq!(shallow.sources.len(), 1);
    assert!(shallow.skipped[0].reason.contains("deep"));
    let few = collected(folder.path(), Limits { entries: 1, ..Limits::default() });
    assert!(few.skipped[0].reason.contains("entries"));
}

#[test]
fn databases_find_their_system() {
    let status = "Package: bash\nStatus: install ok installed\nVersion: 5.2-1\n";
    let base = "Package: base-files\nStatus: install ok installed\nVersion: 12.4+deb12u1\n";
    let folder = tree(&[
        ("image/var/lib/dpkg/status", status),
        ("image/usr/lib/os-release", "ID=debian\nVERSION_ID=11\n"),
        ("alone/status", base),
        ("unknown/status", status),
    ]);
    let inventory = collected(folder.path(), Limits::default());
    let systems: Vec<_> = inventory
        .sources
        .iter()
        .map(|source| source.os.as_ref().map(|(os, origin)| (os.ecosystem_and_release(), *origin)).unwrap())
        .collect();
    assert_eq!(
        systems,
        [
            ("Debian:12".to_owned(), OsOrigin::BasePackages),
            ("Debian:11".to_owned(), OsOrigin::OsRelease),
            ("Debian".to_owned(), OsOrigin::Unknown),
        ]
    );
    let mut collector = Collector::new(Limits::default(), Some(Os::of_id("ubuntu", "22.04")));
    collector.add(&folder.path().join("unknown/status")).unwrap();
    let stated = collector.finish();
    assert_eq!(&*stated.packages()[0].release, "22.04");
}

#[test]
fn an_old_go_mod_is_completed_by_go_sum_and_a_new_one_is_not() {
    let sum = "example.org/a v1.0.0 h1:x=\nexample.org/b v1.0.0 h1:x=\n";
    let folder = tree(&[
        ("old/go.mod", "module m\ngo 1.16\nrequire example.org/a v1.0.0\n"),
        ("old/go.sum", sum),
        ("new/go.mod", "module m\ngo 1.17\nrequire example.org/a v1.0.0\n"),
        ("new/go.sum", sum),
    ]);
    let inventory = collected(folder.path(), Limits::default());
    assert_eq!(paths(&inventory, folder.path()), ["new/go.mod", "old/go.mod", "old/go.sum"]);
    assert_eq!(inventory.packages().len(), 3);
}

#[test]
fn parents_of_a_pom_are_found() {
    let folder = tree(&[
        (
            "pom.xml",
            "<project><groupId>g</groupId><artifactId>p</artifactId><version>1</version><properties><v>2</v></properties></project>",
        ),
        (
            "m/pom.xml",
            "<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent><artifactId>c</artifactId><dependencies><dependency><groupId>x</groupId><artifactId>y</artifactId><version>${v}</version></dependency></dependencies></project>",
        ),
    ]);
    let packages = collected(folder.path(), Limits::default()).packages();
    assert_eq!((&*packages[0].name, &*packages[0].version), ("x:y", "2"));
}

#[test]
fn a_file_is_known_by_its_content_or_refused() {
    let folder = tree(&[("x.json", "{\"bomFormat\":\"CycloneDX\",\"components\":[]}"), ("y", "hello")]);
    let mut collector = Collector::new(Limits::default(), None);
    collector.add(&folder.path().join("x.json")).unwrap();
    assert!(matches!(collector.add(&folder.path().join("y")), Err(CollectError::UnknownFormat { .. })));
    assert!(matches!(collector.add(&folder.path().join("z")), Err(CollectError::Unreadable { .. })));
    assert_eq!(collector.finish().sources[0].format, Format::CycloneDxJson);
}

#[cfg(unix)]
#[test]
fn links_are_followed_within_the_folder_and_never_out_of_it() {
    use std::os::unix::fs::symlink;
    let outside =
        tree(&[("Cargo.lock", "version = 4\n"), ("pom.xml", "<project/>"), ("more/requirements.txt", "out==1\n")]);
    let bill = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[{\"name\":\"b\",\"version\":\"1\",\"purl\":\"pkg:npm/b@1\"}]}";
    let folder = tree(&[
        ("a/requirements.txt", "a==1\n"),
        ("store/CACHEDIR.TAG", ""),
        ("store/0123", bill),
        ("store/4567", "c==1\n"),
        ("inner/requirements.txt", "-r through/more/requirements.txt\n-r own.in\nd==1\n"),
        ("inner/real.in", "e==1\n"),
    ]);
    let at = |path: &str| folder.path().join(path);
    // Read where it lies; read under the link's name, once; the name decides nothing where the content does.
    symlink("a/requirements.txt", at("requirements.txt")).unwrap();
    symlink("store/4567", at("requirements-c.txt")).unwrap();
    symlink("requirements-c.txt", at("requirements-d.txt")).unwrap();
    symlink("store/0123", at("bom.json")).unwrap();
    symlink("real.in", at("inner/own.in")).unwrap();
    // Out of the folder, nowhere, in a circle.
    symlink(outside.path().join("Cargo.lock"), at("Cargo.lock")).unwrap();
    symlink(outside.path(), at("inner/through")).unwrap();
    symlink(outside.path().join("more"), at("more")).unwrap();
    symlink("nowhere", at("go.mod")).unwrap();
    symlink("yarn.lock", at("yarn.lock")).unwrap();
    symlink("..", at("a/up")).unwrap();
    let inventory = collected(folder.path(), Limits::default());
    assert_eq!(
        paths(&inventory, folder.path()),
        ["a/requirements.txt", "bom.json", "inner/requirements.txt", "requirements-c.txt"]
    );
    let names: Vec<String> = inventory.packages().iter().map(|package| package.name.to_string()).collect();
    assert_eq!(names, ["a", "b", "d", "e", "c"]);
    let rows = |list: &[Skipped]| -> Vec<String> {
        let root = format!("{}/", folder.path().display());
        list.iter().map(|one| format!("{}: {}", one.path.replace(&root, ""), one.reason)).collect()
    };
    let skipped = rows(&inventory.skipped);
    assert_eq!(skipped.len(), 3, "{skipped:#?}");
    assert!(skipped[0].starts_with("Cargo.lock: ") && skipped[0].contains("outside"), "{skipped:#?}");
    assert_eq!(
        skipped[1..],
        ["go.mod: a symbolic link that leads nowhere", "yarn.lock: a symbolic link that leads nowhere"]
    );
    let passed_over = rows(&inventory.passed_over);
    assert_eq!(passed_over.len(), 4, "{passed_over:#?}");
    assert!(passed_over[0].starts_with("inner/through: ") && passed_over[1].starts_with("more: "), "{passed_over:#?}");
    assert_eq!(
        passed_over[2..],
        [
            "requirements-d.txt: a symbolic link to `store/4567`, which is read there",
            "requirements.txt: a symbolic link to `a/requirements.txt`, which is read there",
        ]
    );
}

/// A folder named by a link is that folder.
#[cfg(unix)]
#[test]
fn a_folder_may_be_named_by_a_link() {
    let folder = tree(&[("real/a/requirements.txt", "a==1\n")]);
    std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("a/requirements.txt", folder.path().join("real/requirements.txt")).unwrap();
    let inventory = collected(&folder.path().join("link"), Limits::default());
    assert_eq!(paths(&inventory, folder.path()), ["link/a/requirements.txt"]);
    assert_eq!(inventory.passed_over.len(), 1);
}

/// A parent above the folder that is walked is a file of the machine; of a file that is named, the project is meant.
#[test]
fn parents_above_the_walked_folder_are_not_read() {
    let folder = tree(&[
        (
            "pom.xml",
            "<project><groupId>g</groupId><artifactId>p</artifactId><version>1</version><properties><v>2</v></properties></project>",
        ),
        (
            "m/pom.xml",
            "<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent><artifactId>c</artifactId><dependencies><dependency><groupId>x</groupId><artifactId>y</artifactId><version>${v}</version></dependency></dependencies></project>",
        ),
    ]);
    let module = folder.path().join("m");
    assert_eq!(collected(&module, Limits::default()).packages(), []);
    assert_eq!(collected(&module.join("pom.xml"), Limits::default()).packages().len(), 1);
}

#[cfg(unix)]
#[test]
fn links_to_what_is_not_walked_make_the_audit_incomplete() {
    use std::os::unix::fs::symlink;
    let outside = tree(&[("bill", "{}"), ("go.mod", "module m\ngo 1.17\n")]);
    let folder = tree(&[
        ("cache/CACHEDIR.TAG", ""),
        ("cache/app/Cargo.lock", ""),
        ("app/requirements.txt", "a==1\n"),
        ("go/go.sum", "example.org/a v1.0.0 h1:x=\n"),
    ]);
    let at = |path: &str| folder.path().join(path);
    symlink(outside.path().join("bill"), at("sbom.json")).unwrap();
    symlink("nowhere", at("x.bom.json")).unwrap();
    symlink("cache/app", at("linked")).unwrap();
    symlink("app", at("same")).unwrap();
    // A module file that leads out does not decide what its sums are for.
    symlink(outside.path().join("go.mod"), at("go/go.mod")).unwrap();
    let inventory = collected(folder.path(), Limits::default());
    assert_eq!(paths(&inventory, folder.path()), ["app/requirements.txt", "go/go.sum"]);
    let root = format!("{}/", folder.path().display());
    let skipped: Vec<String> = inventory.skipped.iter().map(|one| one.path.replace(&root, "")).collect();
    assert_eq!(skipped, ["go/go.mod", "linked", "sbom.json", "x.bom.json"]);
    assert!(inventory.skipped[1].reason.contains("`cache/app`, a folder that is not entered"));
    assert_eq!(inventory.passed_over, []);
}
