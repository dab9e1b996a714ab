//! The names under which statements may speak of a package, and why one made about the name may be about another thing.

use crate::model::{Authority, Ecosystem, NameKind, Origin, Package, Text};

/// A name and version of the package under which statements may speak of it.
pub(super) struct Subject {
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) kind: NameKind,
}

/// The names under which statements may speak of a package.
pub(super) fn subjects(package: &Package) -> Vec<Subject> {
    let own = |kind| Subject { name: package.name.clone(), version: package.version.clone(), kind };
    let Some(source) = &package.source else { return vec![own(NameKind::Binary), own(NameKind::Source)] };
    let mut all = vec![
        own(NameKind::Binary),
        Subject { name: source.name.clone(), version: source.version.clone(), kind: NameKind::Source },
    ];
    all.extend(signed_kernel(package));
    // Records of these name the source mostly, and now and then a package that is built from it.
    let either = matches!(
        package.ecosystem,
        Ecosystem::OpenEuler
            | Ecosystem::AzureLinux
            | Ecosystem::RockyLinux
            | Ecosystem::Wolfi
            | Ecosystem::Chainguard
            | Ecosystem::MinimOs
            | Ecosystem::Alpaquita
            | Ecosystem::BellSoft
    );
    if either && source.name != package.name {
        all.push(own(NameKind::Source));
    }
    all
}

/// The kernel that a source package of signed images is made of. Debian builds `linux-signed-amd64 (6.1.76+1)` from
/// `linux 6.1.76-1`, and `linux-signed-5.10-amd64` from `linux-5.10`; Ubuntu builds `linux-signed-aws` from `linux-aws` under
/// the same version. Trackers and notices speak of the latter only.
fn signed_kernel(package: &Package) -> Option<Subject> {
    let source = package.source.as_ref()?;
    let flavour = source.name.strip_prefix("linux-signed")?;
    let (name, version) = match package.ecosystem {
        Ecosystem::Ubuntu => (format!("linux{flavour}"), source.version.to_string()),
        Ecosystem::Debian => {
            // The last word is the architecture.
            let (series, _) = flavour.rsplit_once('-').unwrap_or(("", ""));
            (format!("linux{series}"), source.version.replacen('+', "-", 1))
        }
        _ => return None,
    };
    Some(Subject { name: name.into(), version: version.into(), kind: NameKind::Source })
}

/// Why a statement made about the package's name may not be about this package.
pub(super) fn foreign(package: &Package, subject: &Subject) -> Option<&'static str> {
    match package.true_origin() {
        Origin::ThirdParty => return Some("the package comes from another repository than the distribution's"),
        Origin::Vcs => return Some("the package comes from a version control system, not from the registry"),
        Origin::Local => return Some("the package is a local path, not the one of the registry"),
        Origin::Registry => {}
    }
    if package.ecosystem == Ecosystem::GitHubActions && package.version.split('.').count() < 3 {
        return Some("the version is a tag that moves with its releases, so that the newest of them may be meant");
    }
    let companion = match &package.ecosystem {
        Ecosystem::Debian | Ecosystem::Ubuntu | Ecosystem::Echo => is_deb_companion(package, subject),
        other if other.purl_type() == "rpm" => is_rpm_companion(package),
        other if other.purl_type() == "apk" => is_apk_companion(package, subject),
        _ => false,
    };
    companion.then_some("the package accompanies a kernel and contains no code that runs in it")
}

fn is_deb_companion(package: &Package, subject: &Subject) -> bool {
    let kernel_source = subject.kind == NameKind::Source && is_deb_kernel(&subject.name);
    let runs = ["linux-image", "linux-modules", "linux-signed", "linux-buildinfo"];
    package.source.is_some()
        && kernel_source
        && (!runs.iter().any(|prefix| package.name.starts_with(prefix))
            || package.name.contains("headers")
            || package.name.contains("-doc")
            || package.name.contains("tools"))
}

/// Source packages of Debian and Ubuntu called `linux-…` that are no kernels. Kernels have more flavours than anybody lists
/// (`linux-aws`, `linux-6.1`, `linux-maguro`).
const NO_KERNELS: [&str; 13] = [
    "apfs-rw",
    "atm",
    "base",
    "firmware",
    "ftpd",
    "igd",
    "minidisc",
    "ntfs",
    "pam",
    "show-player",
    "sgx",
    "user-chroot",
    "wlan-ng",
];

/// Whether a source package of Debian or Ubuntu is a kernel's.
fn is_deb_kernel(source: &str) -> bool {
    match source.strip_prefix("linux") {
        Some("") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(|flavour| {
            !NO_KERNELS
                .iter()
                .any(|other| flavour.strip_prefix(other).is_some_and(|end| end.is_empty() || end.starts_with('-')))
        }),
        None => false,
    }
}

/// Alpine builds a kernel's headers as `linux-headers` and as `linux-lts-dev`; everything else of a kernel's source runs.
fn is_apk_companion(package: &Package, subject: &Subject) -> bool {
    let not_kernels = ["linux-pam", "linux-firmware", "linux-tools", "linux-atm"];
    (&*subject.name == "linux" || subject.name.starts_with("linux-"))
        && !not_kernels.iter().any(|other| subject.name.starts_with(other))
        && (package.name.ends_with("-dev") || package.name.ends_with("-headers"))
}

/// Bulletins list every binary package of the kernel's source, also what only talks to a kernel or is compiled against it.
fn is_rpm_companion(package: &Package) -> bool {
    if package.ecosystem.authority() != Authority::Vendor {
        return false;
    }
    let of_kernel = match &package.source {
        Some(source) => is_kernel(&source.name),
        None => {
            is_kernel(&package.name) || matches!(&*package.name, "perf" | "bpftool" | "python3-perf" | "python-perf")
        }
    };
    let beside = ["headers", "-doc", "tools", "-devel", "-abi-", "-macros", "-syms"];
    of_kernel && (!is_kernel(&package.name) || beside.iter().any(|word| package.name.contains(word)))
}

/// `kernel`, `kernel-rt`, `kernel-default` (SUSE), `kernel-uek` (Oracle), `linux` (Photon).
fn is_kernel(name: &str) -> bool {
    ["kernel", "linux"].iter().any(|kernel| {
        name.strip_prefix(kernel).is_some_and(|rest| {
            // `kernel6.12` is Amazon's, `linux-firmware` and the like are packages of their own.
            rest.is_empty()
                || rest.starts_with(|first: char| first.is_ascii_digit())
                || rest.starts_with('-') && !["-firmware", "-pam"].iter().any(|other| rest.starts_with(other))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourcePackage;

    fn package(ecosystem: Ecosystem, name: &str, source: &str, version: &str) -> Package {
        let mut package = Package::new(ecosystem, name, version);
        package.source = Some(SourcePackage { name: source.into(), version: version.into() });
        package
    }

    #[test]
    fn signed_kernels_are_the_kernel_they_are_made_of() {
        for (ecosystem, source, version, expected) in [
            (Ecosystem::Debian, "linux-signed-amd64", "6.1.76+1", Some("linux 6.1.76-1")),
            (Ecosystem::Debian, "linux-signed-arm64", "6.9.7+1~bpo12+1", Some("linux 6.9.7-1~bpo12+1")),
            (Ecosystem::Debian, "linux-signed-5.10-amd64", "5.10.209+2~deb10u1", Some("linux-5.10 5.10.209-2~deb10u1")),
            (Ecosystem::Ubuntu, "linux-signed", "5.15.0-91.101", Some("linux 5.15.0-91.101")),
            (Ecosystem::Ubuntu, "linux-signed-hwe-6.5", "6.5.0-14.14", Some("linux-hwe-6.5 6.5.0-14.14")),
            (Ecosystem::Ubuntu, "linux", "5.15.0-91.101", None),
            (Ecosystem::RedHat, "linux-signed", "1", None),
        ] {
            let found = subjects(&package(ecosystem, "linux-image", source, version)).into_iter().nth(2);
            assert_eq!(found.map(|one| format!("{} {}", one.name, one.version)).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn only_what_accompanies_a_kernel_is_a_companion() {
        let is = |ecosystem: Ecosystem, name: &str, source: &str| {
            let package = package(ecosystem, name, source, "1");
            subjects(&package).iter().any(|subject| foreign(&package, subject).is_some())
        };
        for (name, source) in [
            ("linux-libc-dev", "linux"),
            ("linux-headers-6.1.0-18-amd64", "linux"),
            ("linux-aws-headers-5.15.0-1051", "linux-aws"),
            ("linux-tools-common", "linux-hwe-6.5"),
            ("linux-perf-5.10", "linux-5.10"),
            ("linux-headers-3.0.0-5-maguro", "linux-maguro"),
            ("linux-headers-3.1.10-9-grouper", "linux-grouper"),
            ("linux-headers-3.4.0-1-krillin", "linux-krillin"),
        ] {
            assert!(is(Ecosystem::Ubuntu, name, source), "{name}");
        }
        for (name, source) in [
            ("linux-image-6.1.0-18-amd64", "linux"),
            ("linux-modules-5.15.0-1051-aws", "linux-aws"),
            ("linux-image-6.1.0-18-amd64", "linux-signed-amd64"),
            ("linux-firmware", "linux-firmware"),
            ("linux-firmware-raspi", "linux-firmware-raspi"),
            ("libatm1", "linux-atm"),
            ("libpam0g", "pam"),
        ] {
            assert!(!is(Ecosystem::Ubuntu, name, source), "{name}");
        }
        for (name, source) in [("linux-pam", "linux-pam"), ("linux-pam-dev", "linux-pam"), ("linux-lts", "linux-lts")] {
            assert!(!is(Ecosystem::Alpine, name, source), "{name}");
        }
        for (name, source) in [("linux-headers", "linux-headers"), ("linux-lts-dev", "linux-lts")] {
            assert!(is(Ecosystem::Alpine, name, source), "{name}");
        }
    }

    #[test]
    fn names_of_rocky_are_of_sources_and_now_and_then_of_packages() {
        let found =
            subjects(&package(Ecosystem::RockyLinux, "java-11-openjdk-headless", "java-11-openjdk", "1:11.0.20"));
        let names: Vec<(&str, NameKind)> = found.iter().map(|one| (&*one.name, one.kind)).collect();
        assert!(names.contains(&("java-11-openjdk", NameKind::Source)));
        assert!(names.contains(&("java-11-openjdk-headless", NameKind::Source)));
    }

    #[test]
    fn what_runs_in_a_kernel_and_what_accompanies_it() {
        let is = |name: &str, source: &str| is_rpm_companion(&package(Ecosystem::AlmaLinux, name, source, "1"));
        for name in ["kernel", "kernel-core", "kernel-modules-extra", "kernel-rt-core", "kernel-default", "kernel6.12"]
        {
            assert!(!is(name, "kernel"), "{name}");
        }
        for name in ["kernel-headers", "kernel-tools-libs", "kernel-devel", "perf", "bpftool", "python3-perf", "rtla"] {
            assert!(is(name, "kernel"), "{name}");
        }
        assert!(!is("openssl-devel", "openssl"));
        assert!(!is("linux-firmware", "linux-firmware"));
        let bare = |name: &str| is_rpm_companion(&Package::new(Ecosystem::RedHat, name, "1"));
        assert!(bare("perf") && bare("kernel-headers") && !bare("kernel") && !bare("perftest"));
    }
}
