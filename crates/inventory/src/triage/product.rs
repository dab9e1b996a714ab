//! Products: what a VEX statement about a part of something is limited to, and what is audited.
//!
//! Rules: the OpenVEX specification ("Product", "Subcomponent": the statement is about the impact of the vulnerable part on
//! *that product*), CSAF's relationships (section 3.2.3.4), CycloneDX' BOM-Links. A statement about a part of one product
//! says nothing about the same part in another, so it holds only where what is audited is known to be that product: its
//! SBOM says so (`metadata.component`, serial number, what SPDX *describes*), its operating system does (by CPE), or the
//! caller. Package URLs are compared as OpenVEX does: what the statement leaves out (version, qualifiers) may be anything.

use bartizan_matching::cpe::{Cpe, Relation};

/// Names of one product, any of which is enough: package URL, CPE name, serial number, id or name as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product(pub Vec<String>);

impl Product {
    /// A product by those of these names that are not empty.
    pub(super) fn of<'t>(names: impl IntoIterator<Item = &'t str>) -> Self {
        Self(names.into_iter().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// Whether one of these names of something that is audited means the product.
    #[must_use]
    pub fn is_among(&self, audited: &[String]) -> bool {
        self.0.iter().any(|stated| audited.iter().any(|audited| means(stated, audited)))
    }

    /// For people.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.0.first().map_or("a product without a name", String::as_str)
    }
}

/// Whether what a statement names means what is audited.
fn means(stated: &str, audited: &str) -> bool {
    if stated == audited {
        return true;
    }
    match (PackageUrl::read(stated), PackageUrl::read(audited)) {
        (Some(stated), Some(audited)) => return stated.means(&audited),
        (None, None) => {}
        _ => return false,
    }
    matches!(
        (Cpe::parse(stated), Cpe::parse(audited)),
        (Ok(stated), Ok(audited)) if matches!(stated.relation(&audited), Relation::Equal | Relation::Superset)
    )
}

/// A package URL of any type, taken apart.
struct PackageUrl {
    name: String,
    version: String,
    qualifiers: Vec<(String, String)>,
}

impl PackageUrl {
    fn read(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // An `@` before the last slash is that of a scope.
        let slash = rest.rfind('/')?;
        let (name, version) = match rest[slash..].split_once('@') {
            Some((name, version)) => (format!("{}{name}", &rest[..slash]), version),
            None => (rest.to_owned(), ""),
        };
        let qualifiers = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_ascii_lowercase(), decoded(value)))
            .collect();
        Some(Self { name: decoded(&name).to_ascii_lowercase(), version: decoded(version), qualifiers })
    }

    fn means(&self, audited: &Self) -> bool {
        self.name == audited.name
            && (self.version.is_empty() || self.version == audited.version)
            && self.qualifiers.iter().all(|qualifier| audited.qualifiers.contains(qualifier))
    }
}

/// Percent-encoding undone; what is no such code stays.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_general_name_means_the_special_one_and_not_the_other_way_round() {
        for (stated, audited, expected) in [
            ("pkg:oci/app", "pkg:oci/app@sha256%3Aabc?repository_url=ghcr.io/x/app", true),
            ("pkg:oci/app@sha256:abc", "pkg:oci/app@sha256%3Aabc", true),
            ("pkg:oci/app@sha256:abd", "pkg:oci/app@sha256%3Aabc", false),
            ("pkg:oci/app?repository_url=ghcr.io/x/app", "pkg:oci/app", false),
            ("pkg:oci/app", "pkg:oci/other", false),
            ("pkg:npm/%40a/app", "pkg:npm/@a/app@1", true),
            ("pkg:npm/app", "pkg:oci/app", false),
            ("https://example.org/app", "https://example.org/app", true),
            ("https://example.org/app", "https://example.org/other", false),
            ("cpe:/o:redhat:enterprise_linux:9", "cpe:2.3:o:redhat:enterprise_linux:9:*:*:*:*:*:*:*", true),
            ("cpe:/o:redhat:enterprise_linux:9", "cpe:2.3:o:redhat:enterprise_linux:8:*:*:*:*:*:*:*", false),
            ("cpe:/o:redhat:enterprise_linux:9", "pkg:oci/app", false),
        ] {
            assert_eq!(Product::of([stated]).is_among(&[audited.to_owned()]), expected, "{stated} {audited}");
        }
        assert!(!Product::default().is_among(&[]));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(stated in "(pkg:|cpe:/)?\\PC{0,40}", audited in "pkg:\\PC{0,40}") {
            let _ = Product::of([&*stated]).is_among(&[audited]);
        }
    }
}
