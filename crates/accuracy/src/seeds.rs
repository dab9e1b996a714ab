//! Inputs from which fuzzing begins: one or more real documents for each reader, as the fuzz targets want them.
//!
//! `fuzz-seeds FOLDER` writes them where cargo-fuzz looks; the ordinary tests run each of them, whole and damaged, through the
//! same functions (`fuzz/entries.rs`).
//!
//! Where they come from: the fixtures of the formats of feeds, the lock files that real tools wrote, and small documents here for
//! readers that have neither.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bartizan_feeds::formats::Format;
use bartizan_feeds::import::{self, Options};
use bartizan_feeds::store::writer::StoreWriter;

use crate::{Error, day};

/// One input of a target.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The target: `input`, `inventory`, `parse` or `store`.
    pub target: &'static str,
    /// A name of its own among the target's.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// Documents for readers of inventories without a fixture file, by the name of the reader.
const DOCUMENTS: [(&str, &str); 22] = [
    (
        "cargo",
        "version = 4\n\n[[package]]\nname = \"time\"\nversion = \"0.1.43\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"ca8a50ef2360fbd1eeb0ecd46795a87a19024eb4b53c5dc916ca1fd95fe62438\"\ndependencies = [\n \"libc\",\n]\n",
    ),
    (
        "composer",
        "{\"packages\":[{\"name\":\"symfony/http-kernel\",\"version\":\"v4.4.1\",\"source\":{\"type\":\"git\",\"url\":\"https://github.com/symfony/http-kernel.git\",\"reference\":\"x\"}}],\"packages-dev\":[{\"name\":\"phpunit/phpunit\",\"version\":\"dev-master\"}]}",
    ),
    (
        "conan",
        "{\"version\":\"0.5\",\"requires\":[\"zlib/1.2.11#b291478a29f383b998e1633bee1c0536%1634\",\"openssl/1.1.1k@user/channel\"],\"build_requires\":[],\"python_requires\":[]}",
    ),
    (
        "gemfile",
        "GIT\n  remote: https://github.com/x/y.git\n  revision: abc\n  specs:\n    y (0.1)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.10.0-x86_64-linux)\n      mini_portile2 (~> 2.4.0)\n    rack (2.0.1)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n\nBUNDLED WITH\n   2.1.4\n",
    ),
    (
        "gradle",
        "# This is a Gradle generated file for dependency locking.\ncom.fasterxml.jackson.core:jackson-databind:2.9.8=compileClasspath,runtimeClasspath\njunit:junit:4.12=testCompileClasspath\nempty=annotationProcessor\n",
    ),
    (
        "mix",
        "%{\n  \"plug\": {:hex, :plug, \"1.3.0\", \"6e2b01afc5db3fd011ca4a16efd9cb424528c157c30a44a0186bcc92c7b2e8f3\", [:mix], [{:mime, \"~> 1.0\", [hex: :mime, repo: \"hexpm\", optional: false]}], \"hexpm\"},\n  \"x\": {:git, \"https://github.com/x/x.git\", \"abc\", [tag: \"1\"]},\n}\n",
    ),
    (
        "nuget",
        "{\"version\":1,\"dependencies\":{\"net6.0\":{\"Newtonsoft.Json\":{\"type\":\"Direct\",\"requested\":\"[12.0.1, )\",\"resolved\":\"12.0.1\",\"contentHash\":\"x\"},\"own\":{\"type\":\"Project\"}}}}",
    ),
    (
        "poetry",
        "[[package]]\nname = \"django\"\nversion = \"3.0\"\ndescription = \"\"\ncategory = \"main\"\noptional = false\npython-versions = \">=3.6\"\n\n[metadata]\nlock-version = \"1.1\"\npython-versions = \"*\"\ncontent-hash = \"x\"\n",
    ),
    (
        "cyclonedx-json",
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"metadata\":{\"component\":{\"type\":\"container\",\"name\":\"x\",\"version\":\"1\"}},\"components\":[{\"type\":\"library\",\"name\":\"lodash\",\"version\":\"4.17.20\",\"purl\":\"pkg:npm/lodash@4.17.20\"},{\"type\":\"application\",\"name\":\"nginx\",\"version\":\"1.18.0\",\"cpe\":\"cpe:2.3:a:nginx:nginx:1.18.0:*:*:*:*:*:*:*\",\"components\":[{\"type\":\"file\",\"name\":\"y\"}]}]}",
    ),
    (
        "cyclonedx-xml",
        "<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\" version=\"1\"><components><component type=\"library\"><name>lodash</name><version>4.17.20</version><purl>pkg:npm/lodash@4.17.20</purl></component></components></bom>",
    ),
    (
        "spdx",
        "{\"spdxVersion\":\"SPDX-2.3\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"name\":\"x\",\"packages\":[{\"SPDXID\":\"SPDXRef-a\",\"name\":\"lodash\",\"versionInfo\":\"4.17.20\",\"externalRefs\":[{\"referenceCategory\":\"PACKAGE-MANAGER\",\"referenceType\":\"purl\",\"referenceLocator\":\"pkg:npm/lodash@4.17.20\"}]}],\"relationships\":[{\"spdxElementId\":\"SPDXRef-DOCUMENT\",\"relationshipType\":\"DESCRIBES\",\"relatedSpdxElement\":\"SPDXRef-a\"}]}",
    ),
    (
        "spdx-tag",
        "SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: x\n\nPackageName: lodash\nSPDXID: SPDXRef-a\nPackageVersion: 4.17.20\nExternalRef: PACKAGE-MANAGER purl pkg:npm/lodash@4.17.20\nPackageComment: <text>two\nlines</text>\n",
    ),
    (
        "gomod",
        "module example.org/m\n\ngo 1.21.3\n\nrequire (\n\tgolang.org/x/text v0.3.5\n\tgithub.com/x/y v1.0.0-20200101000000-abcdefabcdef // indirect\n)\n\nreplace golang.org/x/text => golang.org/x/text v0.3.6\n",
    ),
    (
        "gosum",
        "golang.org/x/text v0.3.5 h1:i6eZZ+zk0SOf0xgBpEpPD18qWcJda6q1sxt3S0kzyUQ=\ngolang.org/x/text v0.3.5/go.mod h1:5Zoc/QRtKVWzQOvBHzwgwnvSqSf8tZHEfyDLQHrjbdM=\n",
    ),
    (
        "pom",
        "<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1</version><properties><v>2.14.1</v></properties><dependencies><dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>${v}</version></dependency></dependencies><profiles><profile><id>p</id><activation><activeByDefault>true</activeByDefault></activation><dependencies><dependency><groupId>x</groupId><artifactId>y</artifactId><version>1</version></dependency></dependencies></profile></profiles></project>",
    ),
    (
        "dpkg",
        "Package: libssl1.1\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl (1.1.1n-0+deb11u1)\nVersion: 1.1.1n-0+deb11u1\nDescription: x\n more\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
    ),
    ("apk", "C:Q1x=\nP:musl\nV:1.2.4-r1\nA:x86_64\no:musl\nL:MIT\n\nP:libcrypto3\nV:3.1.1-r1\no:openssl\n"),
    (
        "requirements",
        "-r other.txt\n--index-url https://pypi.org/simple\ndjango==3.0 ; python_version >= \"3.6\" --hash=sha256:x\nrequests>=2\n-e git+https://github.com/x/y@abc#egg=y\n",
    ),
    (
        "ignore",
        "[[ignore]]\nid = \"CVE-2024-1234\"\npackage = \"lodash\"\nwhere = \"frontend/**\"\nreason = \"build tool only\"\nexpires = 2026-12-31\n",
    ),
    (
        "vex",
        "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"https://x.example/1\",\"author\":\"x\",\"timestamp\":\"2024-01-01T00:00:00Z\",\"version\":1,\"statements\":[{\"vulnerability\":{\"name\":\"CVE-2024-1\"},\"products\":[{\"@id\":\"pkg:npm/lodash@4.17.20\",\"subcomponents\":[{\"@id\":\"pkg:npm/x\"}]}],\"status\":\"not_affected\",\"justification\":\"component_not_present\"}]}",
    ),
    (
        "vex",
        "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"components\":[{\"bom-ref\":\"a\",\"type\":\"library\",\"name\":\"x\",\"purl\":\"pkg:npm/x@1\"}],\"vulnerabilities\":[{\"id\":\"CVE-2024-1\",\"analysis\":{\"state\":\"not_affected\",\"justification\":\"code_not_present\"},\"affects\":[{\"ref\":\"a\"}]}]}",
    ),
    (
        "vex",
        "{\"document\":{\"category\":\"csaf_vex\",\"csaf_version\":\"2.0\",\"title\":\"x\",\"publisher\":{\"category\":\"vendor\",\"name\":\"x\",\"namespace\":\"https://x.example\"},\"tracking\":{\"id\":\"x\",\"current_release_date\":\"2024-01-01T00:00:00Z\",\"initial_release_date\":\"2024-01-01T00:00:00Z\",\"revision_history\":[],\"status\":\"final\",\"version\":\"1\"}},\"product_tree\":{\"full_product_names\":[{\"product_id\":\"p\",\"name\":\"x\",\"product_identification_helper\":{\"purl\":\"pkg:npm/x@1\"}}]},\"vulnerabilities\":[{\"cve\":\"CVE-2024-1\",\"product_status\":{\"known_not_affected\":[\"p\"]}}]}",
    ),
];

/// Fixture files of other crates that are inputs of readers of inventories.
const FILES: [(&str, &str); 12] = [
    ("npm", "real/npm1/package-lock.json"),
    ("npm", "real/npm2/package-lock.json"),
    ("npm", "real/npm3/package-lock.json"),
    ("pipfile", "real/pipenv/Pipfile.lock"),
    ("pnpm", "real/pnpm7/pnpm-lock.yaml"),
    ("pnpm", "real/pnpm8/pnpm-lock.yaml"),
    ("pnpm", "real/pnpm9/pnpm-lock.yaml"),
    ("uv", "real/uv/uv.lock"),
    ("uv", "real/uv/pylock.toml"),
    ("yarn", "real/yarn1/yarn.lock"),
    ("yarn", "real/yarn4/yarn.lock"),
    ("rpm", "rpm/rpmdb.sqlite.zst"),
];

/// Every seed. `readers` are the names of the readers of inventories in the order the `inventory` target counts them.
///
/// # Errors
/// If a fixture cannot be read, or a seed is for a reader that there is not.
pub fn seeds(readers: &[&str]) -> Result<Vec<Seed>, Error> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let mut seeds = Vec::new();
    for (number, format) in Format::ALL.iter().enumerate() {
        let choice = u8::try_from(number)?;
        for file in listed(&crates.join("feeds/fixtures").join(format.slug()))? {
            let bytes = std::fs::read(&file)?;
            let name = format!("{}-{}", format.slug(), file.file_name().unwrap_or_default().to_string_lossy());
            seeds.push(Seed { target: "input", name: name.clone(), bytes: bytes.clone() });
            seeds.push(Seed { target: "parse", name, bytes: [&[choice], &*bytes].concat() });
        }
    }
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut add = |reader: &'static str, bytes: &[u8]| -> Result<(), Error> {
        let choice =
            readers.iter().position(|known| *known == reader).ok_or_else(|| format!("no reader `{reader}`"))?;
        let number = numbers.entry(reader).or_default();
        *number += 1;
        let name = format!("{reader}-{number}");
        seeds.push(Seed { target: "inventory", name, bytes: [&[u8::try_from(choice)?], bytes].concat() });
        Ok(())
    };
    for (reader, file) in FILES {
        let bytes = std::fs::read(crates.join("inventory/tests/fixtures").join(file))?;
        if file.ends_with(".zst") { add(reader, &zstd::decode_all(&*bytes)?)? } else { add(reader, &bytes)? }
    }
    for (reader, document) in DOCUMENTS {
        add(reader, document.as_bytes())?;
    }
    seeds.extend(archives(&crates.join("feeds/fixtures"))?);
    seeds.push(Seed { target: "store", name: "segment".to_owned(), bytes: segment(&crates.join("feeds/fixtures"))? });
    Ok(seeds)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    Ok(files)
}

/// Documents as they come packed: compressed, in archives, and in archives that are compressed.
fn archives(fixtures: &Path) -> Result<Vec<Seed>, Error> {
    let document = std::fs::read(listed(&fixtures.join(Format::Osv.slug()))?.first().ok_or("OSV has no fixture")?)?;
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(document.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append_data(&mut header, "folder/record.json", &*document)?;
    let tar = tar.into_inner()?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&document)?;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("folder/record.json", zip::write::SimpleFileOptions::default())?;
    zip.write_all(&document)?;
    let packed = [
        ("gzip", gzip.finish()?),
        ("zstd", zstd::encode_all(&*document, 3)?),
        ("tar-zstd", zstd::encode_all(&*tar, 3)?),
        ("tar", tar),
        ("zip", zip.finish()?.into_inner()),
    ];
    Ok(packed
        .into_iter()
        .map(|(name, bytes)| Seed { target: "input", name: format!("packed-{name}"), bytes })
        .collect())
}

/// The file of a store of the fixtures of OSV.
fn segment(fixtures: &Path) -> Result<Vec<u8>, Error> {
    let folder = tempfile::tempdir()?;
    let mut writer = StoreWriter::open(folder.path(), 1 << 20)?;
    let paths = [fixtures.join(Format::Osv.slug()), fixtures.join(Format::NvdPage.slug())];
    import::import(&mut writer, &paths, &Options::default(), day(), &mut |_| {})?;
    let mut open = vec![folder.path().to_owned()];
    let mut largest = Vec::new();
    while let Some(next) = open.pop() {
        for path in listed(&next)? {
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = std::fs::read(path)?;
                if bytes.len() > largest.len() {
                    largest = bytes;
                }
            }
        }
    }
    Ok(largest)
}
