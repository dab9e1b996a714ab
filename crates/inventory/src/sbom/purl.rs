//! Package URLs as inventories use them: type, name and qualifiers to an ecosystem, a release and a package.
//!
//! Rules: the purl specification and its list of types; the qualifiers `distro`, `epoch`, `upstream` and `rpmmod` as Syft and
//! Trivy write them, which the specification leaves to the type.
//!
//! The subpath of a Go URL is a part of the module's path, as Syft writes it.
//!
//! Not supported: other subpaths (they name a place inside a package), and types without an ecosystem: those are kept as an
//! unknown ecosystem and reported as not covered. Go's paths in lower case, as the specification asks for, are read as they
//! are unless the document names the module in its own spelling beside the URL.

use bartizan_matching::model::{Ecosystem, Package, SourcePackage};

use crate::os::Os;

/// The package a package URL names. `os` is the system the document speaks of, for URLs without `distro`. `None` is
/// a URL of something that is no package (`pkg:oci`, `pkg:docker`: images).
///
/// # Errors
/// Names the rule that is broken.
pub fn package(text: &str, os: Option<&Os>) -> Result<Option<Package>, &'static str> {
    let rest = text.trim().strip_prefix("pkg:").ok_or("it does not begin with `pkg:`")?.trim_start_matches('/');
    let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, path) = rest.split_once('/').ok_or("it has no name")?;
    let kind = kind.to_ascii_lowercase();
    let path = path.trim_matches('/');
    // The version follows the last `@` after the last `/`: scopes of npm are encoded, but not by every tool.
    let name_begin = path.rfind('/').map_or(0, |at| at + 1);
    let (path, version) = match path[name_begin..].rfind('@') {
        Some(at) if at > 0 => (&path[..name_begin + at], decoded(&path[name_begin + at + 1..])),
        _ => (path, String::new()),
    };
    let (namespace, name) = match path.rsplit_once('/') {
        Some((namespace, name)) => (namespace.split('/').map(decoded).collect::<Vec<_>>().join("/"), decoded(name)),
        None => (String::new(), decoded(path)),
    };
    if name.is_empty() {
        return Err("it has no name");
    }
    let qualifier = |key: &str| {
        qualifiers.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.eq_ignore_ascii_case(key).then(|| decoded(value)).filter(|value| !value.is_empty())
        })
    };
    let joined = |separator: &str| {
        if namespace.is_empty() { name.clone() } else { format!("{namespace}{separator}{name}") }
    };
    let ecosystem = match kind.as_str() {
        "oci" | "docker" => return Ok(None),
        "deb" | "rpm" | "apk" | "alpm" => {
            return Ok(Some(of_distribution(&kind, &namespace, &name, &version, &qualifier, os)));
        }
        other => Ecosystem::KNOWN.iter().find(|known| known.purl_type() == other).cloned(),
    };
    let Some(ecosystem) = ecosystem else {
        return Ok(Some(Package::new(Ecosystem::of_name(&kind), joined("/"), version)));
    };
    let name = match ecosystem {
        Ecosystem::Maven => joined(":"),
        // Conan's namespace is a user, cargo and gems have none.
        Ecosystem::Conan | Ecosystem::CratesIo | Ecosystem::RubyGems | Ecosystem::PyPi => name.clone(),
        // The path of a Go module may be longer than the three parts that tools write as namespace and name
        // (`github.com/golang-jwt/jwt` with `#v4`). Only where the URL says that it is of a package it names a place inside.
        Ecosystem::Go if !subpath.is_empty() && qualifier("type").as_deref() != Some("package") => {
            format!("{}/{}", joined("/"), decoded(subpath.trim_matches('/')))
        }
        _ => joined("/"),
    };
    // Go's standard library, as Syft and the advisories name it, and as cyclonedx-gomod does.
    let (name, version) = match ecosystem {
        Ecosystem::Go if matches!(&*name, "stdlib" | "std") => {
            ("stdlib".to_owned(), version.trim_start_matches("go").to_owned())
        }
        _ => (name, version),
    };
    Ok(Some(Package::new(ecosystem, name, version)))
}

fn of_distribution(
    kind: &str,
    namespace: &str,
    name: &str,
    version: &str,
    qualifier: &dyn Fn(&str) -> Option<String>,
    os: Option<&Os>,
) -> Package {
    let stated = qualifier("distro").map(|distro| match distro.rsplit_once('-') {
        Some((id, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => Os::of_id(id, version),
        // A code name (`bookworm`), or a distribution without releases (`wolfi`).
        _ if namespace.is_empty() => Os::of_id(&distro, ""),
        _ => Os::of_id(namespace, &distro),
    });
    let of_namespace = Os::of_id(namespace, "");
    let system = match (stated, os) {
        (Some(stated), _) => stated,
        (None, Some(os)) if namespace.is_empty() || os.ecosystem == of_namespace.ecosystem => os.clone(),
        (None, _) if namespace.is_empty() => Os::unknown(Ecosystem::Other(kind.into())),
        (None, _) => Os::unknown(of_namespace.ecosystem),
    };
    let epoch = qualifier("epoch").filter(|epoch| epoch != "0" && !version.contains(':'));
    let version = epoch.map_or_else(|| version.to_owned(), |epoch| format!("{epoch}:{version}"));
    let mut package = Package::new(system.ecosystem, name, version.as_str());
    package.release = system.release;
    package.arch = qualifier("arch").unwrap_or_default().into();
    package.module = qualifier("rpmmod")
        .or_else(|| qualifier("modularitylabel"))
        .map(|label| label.split(':').take(2).collect::<Vec<_>>().join(":"))
        .unwrap_or_default()
        .into();
    package.source = qualifier("upstream").map(|upstream| source(&upstream, name, &version));
    package
}

/// `name`, `name@version`, or the file name of a source rpm.
fn source(upstream: &str, name: &str, version: &str) -> SourcePackage {
    if let Some(stem) = upstream.strip_suffix(".src.rpm") {
        let mut parts = stem.rsplitn(3, '-');
        if let (Some(release), Some(number), Some(name)) = (parts.next(), parts.next(), parts.next()) {
            let epoch = version.split_once(':').map(|(epoch, _)| format!("{epoch}:")).unwrap_or_default();
            return SourcePackage { name: name.into(), version: format!("{epoch}{number}-{release}").into() };
        }
    }
    let (source, of_source) = upstream.split_once('@').unwrap_or((upstream, version));
    let source = if source.is_empty() { name } else { source };
    SourcePackage { name: source.into(), version: of_source.into() }
}

/// The package URL of a package: as the inventory stated it, else made from name and version. An ecosystem without a type
/// becomes `generic`.
#[must_use]
pub fn of(package: &Package) -> String {
    if !package.purl.is_empty() {
        return package.purl.to_string();
    }
    let ecosystem = &package.ecosystem;
    let kind = match ecosystem.purl_type() {
        "" => "generic",
        kind => kind,
    };
    let name: &str = &package.name;
    let (namespace, name) = match ecosystem {
        Ecosystem::Maven => name.split_once(':').map_or((None, name), |(group, artifact)| (Some(group), artifact)),
        _ if matches!(kind, "deb" | "rpm" | "apk" | "alpm") => (Some(distribution(ecosystem)), name),
        _ => name.rsplit_once('/').map_or((None, name), |(namespace, name)| (Some(namespace), name)),
    };
    let mut text = format!("pkg:{kind}/");
    for part in namespace.into_iter().flat_map(|namespace| namespace.split('/')) {
        encode(part, &mut text);
        text.push('/');
    }
    encode(name, &mut text);
    if !package.version.is_empty() {
        text.push('@');
        encode(&package.version, &mut text);
    }
    let mut qualifiers = Vec::new();
    if !package.arch.is_empty() {
        qualifiers.push(("arch", package.arch.to_string()));
    }
    if !package.release.is_empty() {
        qualifiers.push(("distro", format!("{}-{}", distribution(ecosystem), package.release)));
    }
    for (index, (key, value)) in qualifiers.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

/// The namespace of a distribution's packages, and its id in `distro`.
fn distribution(ecosystem: &Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Debian => "debian",
        Ecosystem::Ubuntu => "ubuntu",
        Ecosystem::RedHat => "rhel",
        Ecosystem::AlmaLinux => "almalinux",
        Ecosystem::RockyLinux => "rocky",
        Ecosystem::CentOs => "centos",
        Ecosystem::OracleLinux => "ol",
        Ecosystem::AmazonLinux => "amzn",
        Ecosystem::Fedora => "fedora",
        Ecosystem::Suse => "sles",
        Ecosystem::OpenSuse => "opensuse-leap",
        Ecosystem::Mageia => "mageia",
        Ecosystem::OpenEuler => "openeuler",
        Ecosystem::Photon => "photon",
        Ecosystem::AzureLinux => "azurelinux",
        Ecosystem::Alpine => "alpine",
        Ecosystem::Wolfi => "wolfi",
        Ecosystem::Chainguard => "chainguard",
        Ecosystem::MinimOs => "minimos",
        Ecosystem::Alpaquita => "alpaquita",
        Ecosystem::BellSoft => "bellsoft-hardened-containers",
        Ecosystem::Echo => "echo",
        Ecosystem::Arch => "arch",
        _ => "unknown",
    }
}

/// Percent-encoding of everything but what the specification leaves as it is.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => into.push(char::from(byte)),
            other => {
                into.push('%');
                for digit in [other >> 4, other & 15] {
                    into.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
                }
            }
        }
    }
}

/// Percent-decoding; what is not an escape stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                // Two hex digits fit into a byte.
                plain.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            (byte, ..) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> String {
        let package = package(text, None).unwrap().unwrap();
        let release = if package.release.is_empty() { String::new() } else { format!(":{}", package.release) };
        let source = package.source.map(|s| format!(" <- {} {}", s.name, s.version)).unwrap_or_default();
        format!("{}{release} {} {}{source}", package.ecosystem, package.name, package.version)
    }

    #[test]
    fn types_names_and_qualifiers() {
        for (text, expected) in [
            ("pkg:npm/%40angular/core@12.0.0", "npm @angular/core 12.0.0"),
            ("pkg:npm/@angular/core@12.0.0", "npm @angular/core 12.0.0"),
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                "Maven org.apache.logging.log4j:log4j-core 2.14.1",
            ),
            ("pkg:golang/github.com/gin-gonic/gin@v1.6.0?type=package#binding", "Go github.com/gin-gonic/gin v1.6.0"),
            ("pkg:golang/github.com/golang-jwt/jwt@v4.4.0#v4", "Go github.com/golang-jwt/jwt/v4 v4.4.0"),
            (
                "pkg:golang/github.com/aws/aws-sdk-go-v2@v1.2.0#service/s3",
                "Go github.com/aws/aws-sdk-go-v2/service/s3 v1.2.0",
            ),
            ("pkg:golang/stdlib@1.20.1", "Go stdlib 1.20.1"),
            ("pkg:golang/std@go1.20.1?type=module", "Go stdlib 1.20.1"),
            ("pkg:pypi/django@4.2", "PyPI django 4.2"),
            ("pkg:cargo/time@0.1.45", "crates.io time 0.1.45"),
            ("pkg:composer/symfony/http-kernel@v4.4.0", "Packagist symfony/http-kernel v4.4.0"),
            (
                "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&upstream=glibc&distro=debian-12",
                "Debian:12 libc6 2.36-9+deb12u4 <- glibc 2.36-9+deb12u4",
            ),
            (
                "pkg:deb/debian/libgcc-s1@12.2.0-14%2Bb1?upstream=gcc-12%4012.2.0-14&distro=bookworm",
                "Debian:12 libgcc-s1 12.2.0-14+b1 <- gcc-12 12.2.0-14",
            ),
            ("pkg:deb/ubuntu/dpkg@1.19.0.4?distro=ubuntu-22.04", "Ubuntu:22.04 dpkg 1.19.0.4"),
            (
                "pkg:rpm/redhat/openssl-libs@1.1.1k-6.el8_5?arch=x86_64&epoch=1&upstream=openssl-1.1.1k-6.el8_5.src.rpm&distro=rhel-8.6",
                "Red Hat:8 openssl-libs 1:1.1.1k-6.el8_5 <- openssl 1:1.1.1k-6.el8_5",
            ),
            ("pkg:apk/alpine/busybox@1.36.1-r2?distro=alpine-3.18.4", "Alpine:3.18 busybox 1.36.1-r2"),
            ("pkg:deb/debian/x@1", "Debian x 1"),
            ("pkg:cran/zoo@1.8", "CRAN zoo 1.8"),
            ("pkg:hackage/aeson@2.0", "Hackage aeson 2.0"),
            ("pkg:unheard/of@1", "unheard of 1"),
            ("pkg:deb/echo/x@1?distro=echo", "Echo x 1"),
            ("pkg:rpm/azurelinux/x@1-1?distro=azurelinux-3.0", "Azure Linux:3 x 1-1"),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
        assert_eq!(package("pkg:oci/debian@sha256%3Aabc", None), Ok(None));
        for bad in ["npm/x@1", "pkg:npm", "pkg:npm/", "pkg:npm/@1"] {
            // `@1` alone is a name, which no registry has.
            assert!(package(bad, None).is_err() || bad.ends_with("@1"), "{bad}");
        }
    }

    #[test]
    fn the_system_of_the_document_helps_out() {
        let os = Os::of_id("debian", "11");
        let found = package("pkg:deb/debian/bash@5.1", Some(&os)).unwrap().unwrap();
        assert_eq!(&*found.release, "11");
        let other = package("pkg:deb/ubuntu/bash@5.1", Some(&os)).unwrap().unwrap();
        assert_eq!(&*other.release, "", "the release of another distribution is not taken");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut bash = Package::new(Ecosystem::Debian, "bash", "1:5.1+b1~x");
        bash.release = "12".into();
        bash.arch = "amd64".into();
        for (package, text) in [
            (Package::new(Ecosystem::Npm, "@angular/core", "12.0.0"), "pkg:npm/%40angular/core@12.0.0"),
            (Package::new(Ecosystem::Maven, "org.x:y", "1"), "pkg:maven/org.x/y@1"),
            (Package::new(Ecosystem::Go, "github.com/a/b", "v1.0.0"), "pkg:golang/github.com/a/b@v1.0.0"),
            (bash, "pkg:deb/debian/bash@1:5.1%2Bb1~x?arch=amd64&distro=debian-12"),
        ] {
            assert_eq!(of(&package), text);
            let again = super::package(text, None).unwrap().unwrap();
            assert_eq!(again, package, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_of_any_name_is_read_again(name in "[a-zA-Z0-9._+ é%@-]{1,20}", version in "[0-9a-z.+~:-]{1,20}") {
            let package = Package::new(Ecosystem::CratesIo, name.as_str(), version.as_str());
            prop_assert_eq!(super::package(&of(&package), None).unwrap().unwrap(), package);
        }

        #[test]
        fn no_text_panics(text in "(pkg:)?[a-z/@%0-9?&=#é.-]{0,60}") {
            let _ = package(&text, None);
        }
    }
}
