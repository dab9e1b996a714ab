//! What a document is, told by its first bytes.
//!
//! JSON is told by the keys of its outermost objects, text and tables by their first lines, XML by its root. Names of files
//! never matter. Linear in [`PEEK`].

use super::Format;
use super::debian_cves::is_between_entries;

/// How many bytes are looked at.
pub const PEEK: usize = 256 << 10;

/// The format of a document that begins with these bytes.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<Format> {
    let head = &head[..head.len().min(PEEK)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace())?;
    match first {
        b'{' | b'[' => json(head).or_else(|| text(head)),
        b'<' => {
            let start = &head[..head.len().min(8192)];
            memchr::memmem::find(start, b"<oval_definitions")
                .or_else(|| memchr::memmem::find(start, b":oval_definitions"))
                .map(|_| Format::Oval)
        }
        _ => text(head),
    }
}

/// What a document is that is known and not read, and what is read in its place.
#[must_use]
pub fn refused(head: &[u8]) -> Option<&'static str> {
    let head = &head[..head.len().min(PEEK)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match head.iter().find(|byte| !byte.is_ascii_whitespace())? {
        b'{' | b'[' => {
            let shape = Shape::of(head);
            if shape.has("resultsPerPage") && shape.has("cveChanges") {
                Some("a page of NVD's history of changes, which is not read: its CVE pages state what holds now")
            } else if shape.has("cpe_23_item") {
                Some(
                    "an entry of NVD's CPE dictionary of version 1, which is not read: the dictionary of version 2.0 is",
                )
            } else {
                None
            }
        }
        b'<' => memchr::memmem::find(&head[..head.len().min(8192)], b"<cpe-list")
            .map(|_| "NVD's CPE dictionary as XML, which is not read: the JSON of version 2.0 is"),
        _ => None,
    }
}

fn text(head: &[u8]) -> Option<Format> {
    let text = String::from_utf8_lossy(&head[..head.len().min(64 << 10)]);
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let first = lines.next()?;
    if first.starts_with("#model_version") || first.starts_with("cve,epss,percentile") {
        return Some(Format::Epss);
    }
    let columns: Vec<&str> = first.split(',').map(|column| column.trim_matches('"')).collect();
    let has = |name: &str| columns.contains(&name);
    if has("cveID") && has("dateAdded") {
        return Some(Format::KevCsv);
    }
    if has("codes") && has("file") && has("id") {
        return Some(Format::ExploitDb);
    }
    if has("cve_id") && has("n_reference_pocs") {
        return Some(Format::PocIndex);
    }
    if is_debian_entry(first) {
        return Some(Format::DebianList);
    }
    if is_debian_cves(&text) {
        return Some(Format::DebianCves);
    }
    let line_with = |key: &str| text.lines().take(400).any(|line| line.starts_with(key));
    if line_with("Candidate:") {
        return Some(Format::UbuntuTracker);
    }
    if (line_with("gem:") || line_with("engine:")) && (line_with("title:") || line_with("url:") || line_with("cve:")) {
        return Some(Format::Ruby);
    }
    if line_with("packages:") && (line_with("distroversion:") || line_with("reponame:") || line_with("urlprefix:")) {
        return Some(Format::SecdbYaml);
    }
    if first == "---" && line_with("releases:") && text.contains("releaseCycle:") {
        return Some(Format::EolPage);
    }
    if line_with("id:") && line_with("affected:") && (line_with("modified:") || line_with("published:")) {
        return Some(Format::OsvYaml);
    }
    None
}

/// `[29 Mar 2023] DSA-5380-1 …`
fn is_debian_entry(line: &str) -> bool {
    let Some((day, rest)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) else { return false };
    day.len() <= 12 && ["DSA-", "DLA-", "DTSA-"].iter().any(|prefix| rest.starts_with(prefix))
}

/// `CVE-2031-1 (…)` and indented lines about packages.
fn is_debian_cves(text: &str) -> bool {
    let named = |line: &str| line.starts_with("CVE-") || line.starts_with("TEMP-");
    // The last line may be cut in its middle.
    let whole = text.rsplit_once('\n').map_or(text, |(whole, _)| whole);
    let mut lines = whole.lines().take(400).filter(|line| !line.trim().is_empty() && !is_between_entries(line));
    let first = lines.next().is_some_and(named);
    let mut packages = false;
    first
        && lines.all(|line| {
            let indented = line.starts_with(['\t', ' ']);
            let inner = line.trim_start();
            packages |= indented
                && ["- ", "[", "{", "RESERVED", "REJECTED", "NOT-FOR-US", "NOTE:"]
                    .iter()
                    .any(|mark| inner.starts_with(mark));
            indented || named(line)
        })
        && packages
}

/// The keys of the outermost objects of a JSON text, as far as they are seen.
#[derive(Default)]
struct Shape {
    array: bool,
    /// Keys of the outermost object, or of the first in the outermost array.
    keys: Vec<String>,
    /// Keys one level deeper, with the key they stand below; arrays between do not count.
    inner: Vec<(String, String)>,
    /// Keys two levels deeper, with the key of the level between.
    innermost: Vec<(String, String)>,
}

impl Shape {
    /// Reads the first value of `head`. It may be cut anywhere.
    fn of(head: &[u8]) -> Self {
        let mut shape = Self::default();
        // For each open bracket: whether it is an object, and the last key seen in it.
        let mut open: Vec<(bool, String)> = Vec::new();
        let mut key_follows = false;
        let mut at = 0;
        while at < head.len() {
            match head[at] {
                b'{' => {
                    open.push((true, String::new()));
                    key_follows = true;
                }
                b'[' => {
                    if open.is_empty() {
                        shape.array = true;
                    }
                    open.push((false, String::new()));
                    key_follows = false;
                }
                b'}' | b']' => {
                    open.pop();
                    key_follows = false;
                    let outermost = open.is_empty() || (open.len() == 1 && shape.array);
                    if outermost {
                        return shape;
                    }
                }
                b',' => key_follows = open.last().is_some_and(|(object, _)| *object),
                b'"' => {
                    let start = at + 1;
                    at = start;
                    loop {
                        match memchr::memchr2(b'"', b'\\', &head[at.min(head.len())..]) {
                            None => return shape,
                            Some(offset) if head[at + offset] == b'"' => {
                                at += offset;
                                break;
                            }
                            Some(offset) => at += offset + 2,
                        }
                    }
                    if key_follows {
                        key_follows = false;
                        let key = String::from_utf8_lossy(&head[start..at.min(start + 200)]).into_owned();
                        shape.key(&mut open, key);
                    }
                }
                _ => {}
            }
            if open.len() > 200 {
                return shape;
            }
            at += 1;
        }
        shape
    }

    fn key(&mut self, open: &mut [(bool, String)], key: String) {
        let objects: Vec<&str> = open.iter().filter(|(object, _)| *object).map(|(_, key)| key.as_str()).collect();
        match objects[..] {
            [_] => self.keys.push(key.clone()),
            [above, _] if self.inner.len() < 5000 => self.inner.push((above.to_owned(), key.clone())),
            [_, above, _] if self.innermost.len() < 5000 => self.innermost.push((above.to_owned(), key.clone())),
            _ => {}
        }
        if let Some((_, last)) = open.last_mut() {
            *last = key;
        }
    }

    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known == key)
    }

    fn has_inner(&self, above: &str, key: &str) -> bool {
        self.inner.iter().any(|(known_above, known)| known_above == above && known == key)
    }

    /// Whether the object below the first key has this key.
    fn first_has(&self, key: &str) -> bool {
        self.keys.first().is_some_and(|first| self.has_inner(first, key))
    }
}

fn json(head: &[u8]) -> Option<Format> {
    let shape = Shape::of(head);
    let has = |key: &str| shape.has(key);
    let inner = |above: &str, key: &str| shape.has_inner(above, key);
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let format = if has("CVE_Items") {
        Format::Nvd1
    } else if inner("cve", "CVE_data_meta") {
        Format::Nvd1Record
    } else if (has("dataType") && (has("dataVersion") || has("containers") || has("cveMetadata")))
        || (has("containers") && (has("cveMetadata") || inner("containers", "cna") || inner("containers", "adp")))
        || (has("cveMetadata") && inner("cveMetadata", "cveId"))
    {
        Format::Cve5
    } else if has("catalogVersion") || inner("vulnerabilities", "cveID") {
        Format::KevJson
    } else if has("_annotation") && has("cve") {
        Format::NvdOverride
    } else if has("matchStrings") {
        Format::NvdMatchPage
    } else if (has("matchCriteriaId") && has("criteria")) || inner("matchString", "matchCriteriaId") {
        Format::NvdMatch
    } else if (has("cpe23Uri") && has("cpe_name")) || inner("matches", "cpe23Uri") {
        Format::NvdMatch1
    } else if has("products") && has("resultsPerPage") {
        Format::NvdCpePage
    } else if (has("cpeName") && has("cpeNameId")) || inner("cpe", "cpeNameId") {
        Format::NvdCpe
    } else if has("resultsPerPage") && has("format") || inner("vulnerabilities", "cve") && !has("document") {
        // Other pages of the API are of no use here.
        let cve = !has("cveChanges") && !has("sources");
        return cve.then_some(Format::NvdPage);
    } else if has("document") && (inner("document", "csaf_version") || inner("document", "tracking")) {
        Format::Csaf
    } else if has("statements") && (has("metadata") || has("@context")) {
        Format::OpenVex
    } else if has("notices") && (has("total_results") || inner("notices", "cves_ids")) {
        Format::UbuntuNotices
    } else if has("cves") && (has("total_results") || inner("cves", "packages")) {
        Format::UbuntuCves
    } else if has("product_name") && has("advisories") {
        Format::Notus
    } else if has("module_name") && has("vulnerable_versions") {
        Format::NodePackage
    } else if has("vulnerable") && (has("patched") || has("ref")) {
        Format::NodeCore
    } else if has("packages") && (has("apkurl") || has("distroversion") || has("urlprefix")) {
        Format::SecdbJson
    } else if has("releases") && has("versions") {
        Format::EolReleaseData
    } else if shape.array && has("cycle") {
        Format::EolApi
    } else if has("schema_version") && has("result") {
        Format::EolApiV1
    } else if has("ID") && has("Info") {
        Format::Nuclei
    } else if (has("id") && (has("vulnStatus") || has("sourceIdentifier")))
        || (has("cve") && (inner("cve", "vulnStatus") || inner("cve", "descriptions")))
    {
        Format::NvdRecord
    } else if has("ghsa_id") && (has("vulnerabilities") || has("summary")) {
        Format::Ghsa
    } else if has("id") && (has("modified") || has("affected") || has("schema_version")) {
        Format::Osv
    } else if shape.first_has("fullname") && shape.first_has("rank") {
        Format::Metasploit
    } else if shape.inner.iter().any(|(_, key)| key.starts_with("CVE-") || key.starts_with("TEMP-"))
        && shape
            .innermost
            .iter()
            .any(|(above, key)| (above.starts_with("CVE-") || above.starts_with("TEMP-")) && key == "releases")
    {
        Format::DebianTracker
    } else if shape.keys.first().is_some_and(|first| number(first)) && shape.first_has("releases") {
        Format::UbuntuDatabase
    } else if shape.keys.first().is_some_and(|first| number(first)) && shape.first_has("vulnerable") {
        Format::NodeCoreIndex
    } else {
        return None;
    };
    Some(format)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn content_tells_the_format() {
        let is = |text: &str, format: Format| assert_eq!(recognise(text.as_bytes()), Some(format), "{text}");
        is("{\"CVE_data_type\":\"CVE\",\"CVE_Items\":[", Format::Nvd1);
        is("{\"cve\":{\"CVE_data_meta\":{\"ID\":\"CVE-2021-1\"}},\"impact\":{}}", Format::Nvd1Record);
        is("{\"containers\":{\"cna\":{", Format::Cve5);
        is("{\"title\":\"x\",\"catalogVersion\":\"1\"", Format::KevJson);
        is("{\"resultsPerPage\":1,\"startIndex\":0,\"format\":\"NVD_CVE\",\"vulnerabilities\":[]}", Format::NvdPage);
        is("{\"resultsPerPage\":1,\"format\":\"NVD_CPEMatchString\",\"matchStrings\":[]}", Format::NvdMatchPage);
        is("{\"criteria\":\"cpe:2.3:a:b:c\",\"matchCriteriaId\":\"x\",\"matches\":[]}", Format::NvdMatch);
        is("[{\"cpe23Uri\":\"cpe:2.3:a:b:c\",\"cpe_name\":[]}]", Format::NvdMatch1);
        is("{\"id\":\"CVE-2020-1234\",\"sourceIdentifier\":\"x\"", Format::NvdRecord);
        is("[{\"id\": \"GHSA-x\", \"modified\": \"2020\"}]", Format::Osv);
        is("{\"curl\":{\"CVE-2020-1\":{\"description\":\"d\",\"releases\":{", Format::DebianTracker);
        is("{\"4011-1\":{\"description\":\"d\",\"releases\":{", Format::UbuntuDatabase);
        is("\u{feff}cveID,vendorProject,product,dateAdded\n", Format::KevCsv);
        is("#model_version:v1,score_date:2026-01-01\ncve,epss,percentile\n", Format::Epss);
        is("[{\"ghsa_id\":\"GHSA-x\",\"vulnerabilities\":[]}]", Format::Ghsa);
        is("CVE-2031-1 (x)\n\tRESERVED\nCVE-2031-2\n\t- curl 8.0-1\n", Format::DebianCves);
        is("begin claimed by x\nCVE-2031-1 (x)\n\t- curl 8.0-1\n--\nend claimed by x\nCV", Format::DebianCves);
        is("[29 Mar 2023] DSA-5380-1 xorg-server - security update\n", Format::DebianList);
        is("PublicDate: x\nCandidate: CVE-2020-1\n", Format::UbuntuTracker);
        is("---\ngem: a\ncve: 2020-1\n", Format::Ruby);
        is("<?xml version=\"1.0\"?>\n<oval_definitions xmlns=\"x\">", Format::Oval);
        is("{\"resultsPerPage\":1,\"format\":\"NVD_CPE\",\"products\":[]}", Format::NvdCpePage);
        is("{\"deprecated\":false,\"cpeName\":\"cpe:2.3:a:b:c\",\"cpeNameId\":\"x\"}", Format::NvdCpe);
        for text in ["", "   ", "<html>", "{}", "[]", "hello"] {
            assert_eq!(recognise(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_known_and_not_read_is_named() {
        for (text, word) in [
            ("{\"resultsPerPage\":1,\"format\":\"NVD_CVEHistory\",\"cveChanges\":[]}", "history"),
            ("{\"name\":\"cpe:/a:b:c\",\"cpe_23_item\":{\"name\":\"cpe:2.3:a:b:c\"}}", "version 1"),
            ("<?xml version='1.0'?>\n<cpe-list xmlns=\"x\">", "XML"),
        ] {
            assert_eq!(recognise(text.as_bytes()), None, "{text}");
            assert!(refused(text.as_bytes()).is_some_and(|why| why.contains(word)), "{text}");
        }
        assert_eq!(refused(b"{\"x\":1}"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_recognised_or_not(bytes: Vec<u8>) {
            let _ = refused(&bytes);
            let _ = recognise(&bytes);
        }

        #[test]
        fn any_cut_of_json_is_recognised_or_not(text in "[\\[\\]{}\":,a-z\\\\ ]{0,80}") {
            let _ = recognise(text.as_bytes());
        }
    }
}
