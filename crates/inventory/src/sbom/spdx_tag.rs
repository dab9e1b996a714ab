//! SPDX documents in tag-value form, 2.2 and 2.3.
//!
//! Rules: the SPDX specification: `Tag: value` lines, values over several lines between `<text>` and `</text>`; a
//! `PackageName` begins a package, `FileName` and `SnippetSPDXID` end it. `ExternalRef` is category, type and locator.
//!
//! Not supported: files, snippets and relationships.

use std::collections::HashMap;

use super::Item;
use super::spdx::{built_from, finish, is_cpe, paths};
use crate::component::{ReadError, Reading, utf8};

/// Reads a tag-value document. Linear in its size.
///
/// # Errors
/// If it has no `SPDXVersion: SPDX-2.`.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let mut items: Vec<(Item, bool)> = Vec::new();
    let mut version = None;
    let mut in_package = false;
    let mut in_text = false;
    for line in utf8(bytes)?.lines() {
        if in_text {
            in_text = !line.contains("</text>");
            continue;
        }
        let line = line.trim();
        let Some((tag, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else { continue };
        let value = value.trim();
        in_text = value.contains("<text>") && !value.contains("</text>");
        match tag {
            "SPDXVersion" => version = Some(value.to_owned()),
            "PackageName" => {
                in_package = true;
                items.push((Item { name: value.to_owned(), ..Item::default() }, false));
            }
            "FileName" | "SnippetSPDXID" => in_package = false,
            _ => {}
        }
        let Some((item, is_system)) = items.last_mut().filter(|_| in_package) else { continue };
        match tag {
            "PackageVersion" => value.clone_into(&mut item.version),
            "PackageSourceInfo" => {
                let value = value.trim_start_matches("<text>").trim_end_matches("</text>");
                item.paths = paths(value);
                item.source = built_from(value);
            }
            "PrimaryPackagePurpose" => *is_system = value == "OPERATING-SYSTEM",
            "ExternalRef" => {
                let mut words = value.split_whitespace();
                if let (Some(_category), Some(kind), Some(locator)) = (words.next(), words.next(), words.next()) {
                    if kind.ends_with("purl") {
                        item.purl = Some(locator.to_owned());
                    } else if is_cpe(kind) {
                        item.cpes.push(locator.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    match version {
        Some(version) if version.starts_with("SPDX-2.") => finish(items, &HashMap::new()),
        Some(version) => Err(ReadError::Unsupported(format!("`{}` is not read", crate::component::one_line(&version)))),
        None => Err(ReadError::Syntax("it has no SPDXVersion".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n# packages\n\
        PackageName: lodash\nSPDXID: SPDXRef-1\nPackageVersion: 4.17.20\n\
        PackageComment: <text>PackageName: not\nPackageName: this\n</text>\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:npm/lodash@4.17.20\n\
        ExternalRef: SECURITY cpe23Type cpe:2.3:a:lodash:lodash:4.17.20:*:*:*:*:node.js:*:*\n\n\
        FileName: ./x\nPackageVersion: 9\n\nPackageName: plain\nPackageVersion: 1\n";

    #[test]
    fn packages_and_references() {
        let reading = read(TEXT.as_bytes()).unwrap();
        assert_eq!(reading.packages.len(), 1);
        let lodash = &reading.packages[0];
        assert_eq!((&*lodash.name, &*lodash.version, lodash.cpes.len()), ("lodash", "4.17.20", 1));
        assert_eq!(reading.gaps[0].subject, "plain");
        assert!(read(b"PackageName: x\n").is_err());
    }

    #[test]
    fn the_source_package_is_read() {
        let text = "SPDXVersion: SPDX-2.3\nPackageName: libssl3\nPackageVersion: 3.0.9-1\n\
            PackageSourceInfo: <text>built package from: openssl 3.0.9-1</text>\n\
            ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libssl3@3.0.9-1?distro=debian-12\n";
        let reading = read(text.as_bytes()).unwrap();
        let source = reading.packages[0].source.as_ref().unwrap();
        assert_eq!((&*source.name, &*source.version), ("openssl", "3.0.9-1"));
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..TEXT.len(), byte in any::<u8>()) {
            let mut bytes = TEXT.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
