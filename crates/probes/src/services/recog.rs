//! Fingerprints of the Recog project (<https://github.com/rapid7/recog>), loaded from a folder at run time.
//!
//! Recog is a collection of regular expressions over banners, kept as XML by its own community. None of it ships with this
//! program; whoever has a copy names its `xml` folder and gets its products where our own signatures know none. Only the
//! matching of banners that identification reads anyway is used.
//!
//! The files are as untrusted as any: size, number, depth and length are bounded, entities other than the predefined ones
//! are refused, and expressions run in an engine without backtracking. Expressions that need backtracking (look-around,
//! back-references) are left out and counted.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bartizan_domain::evidence::ServiceEvidence;
use bartizan_domain::evidence::service::MAX_BANNER;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use regex::{Regex, RegexBuilder};

use super::signatures::cpe_name;
use super::text::without_telnet_commands;
use super::wire::printable;
use super::{data, http, xwindow};

/// Files of a folder at most, bytes of each, fingerprints in all.
const MAX_FILES: usize = 500;
const MAX_BYTES: u64 = 8 << 20;
const MAX_FINGERPRINTS: usize = 100_000;
/// Characters of one expression, parameters of one fingerprint, bytes of one compiled expression.
const MAX_PATTERN: usize = 4000;
const MAX_PARAMS: usize = 60;
const MAX_COMPILED: usize = 1 << 20;
/// Nesting of elements; the format has three levels.
const MAX_DEPTH: usize = 8;

/// A loaded folder of fingerprints.
pub struct Recog {
    by_kind: HashMap<Kind, Vec<Fingerprint>>,
    /// Fingerprints in use.
    pub loaded: usize,
    /// Fingerprints whose expression this program cannot run.
    pub skipped: usize,
}

impl std::fmt::Debug for Recog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recog").field("loaded", &self.loaded).field("skipped", &self.skipped).finish_non_exhaustive()
    }
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecogError {
    /// A file or the folder cannot be read.
    #[error("cannot read `{path}`: {why}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A file breaks a rule.
    #[error("`{path}`: {why}")]
    Content {
        /// Which.
        path: PathBuf,
        /// The rule.
        why: String,
    },
    /// Nothing to use.
    #[error("`{0}` has no Recog fingerprints for the services that are identified here")]
    Empty(PathBuf),
}

/// What a database's expressions are matched against; the `matches` attribute of its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Ssh,
    HttpServer,
    Ftp,
    Smtp,
    Imap,
    Pop3,
    Mysql,
    Dns,
    Telnet,
    X11,
    HttpPoweredBy,
    HttpAuthentication,
    MysqlError,
    Snmp,
    Sip,
    Ntp,
    Nntp,
}

impl Kind {
    /// The kind of a database; `None` for those over text that is not gathered.
    fn of(matches: &str) -> Option<Self> {
        Some(match matches {
            "ssh.banner" => Self::Ssh,
            "http_header.server" => Self::HttpServer,
            "ftp.banner" => Self::Ftp,
            "smtp.banner" => Self::Smtp,
            "imap4.banner" => Self::Imap,
            "pop3.banner" => Self::Pop3,
            "mysql.banners" => Self::Mysql,
            "dns.versionbind" => Self::Dns,
            "telnet.banner" | "telnet.banners" => Self::Telnet,
            "x11.vendor" => Self::X11,
            "http_header.x-powered-by" => Self::HttpPoweredBy,
            "http_header.wwwauth" => Self::HttpAuthentication,
            "mysql.error" => Self::MysqlError,
            "snmp.sys_description" => Self::Snmp,
            "sip_header.server" => Self::Sip,
            "ntp.readvar" => Self::Ntp,
            "nntp.banner" => Self::Nntp,
            _ => return None,
        })
    }

    /// The texts that kinds look at, in the form their expressions expect, most telling first: from evidence, and from
    /// `heard`, which is what the server said first, headers and binary fields included.
    fn texts(found: &ServiceEvidence, heard: &[u8]) -> Vec<(Self, String)> {
        let banner = found.banner.as_deref().unwrap_or_default();
        // Behind a reply code of three digits.
        let after_code = || banner.get(4..).unwrap_or_default().trim().to_owned();
        let after = |prefix: &str| banner.strip_prefix(prefix).unwrap_or_default().to_owned();
        let text = |bytes: &[u8]| printable(bytes, MAX_BANNER);
        let mut texts = match found.service.as_deref().unwrap_or_default() {
            // The part after `SSH-2.0-`.
            "ssh" => vec![(Self::Ssh, banner.splitn(3, '-').nth(2).unwrap_or_default().to_owned())],
            "ftp" => vec![(Self::Ftp, after_code())],
            "smtp" => vec![(Self::Smtp, after_code())],
            "imap" => vec![(Self::Imap, after("* OK "))],
            "pop3" => vec![(Self::Pop3, after("+OK "))],
            "mysql" => match data::mysql_error(heard) {
                Some(message) => vec![(Self::MysqlError, text(message))],
                None => vec![(Self::Mysql, banner.to_owned())],
            },
            "dns" => vec![(Self::Dns, banner.to_owned())],
            "telnet" | "login-prompt" => vec![(Self::Telnet, text(&without_telnet_commands(heard)))],
            "x11" => xwindow::x11_vendor(heard).map(|(vendor, _)| vec![(Self::X11, vendor)]).unwrap_or_default(),
            "snmp" => vec![(Self::Snmp, banner.to_owned())],
            "sip" => vec![(Self::Sip, banner.to_owned())],
            "ntp" => vec![(Self::Ntp, format!("version=\"{banner}\","))],
            "nntp" => vec![(Self::Nntp, text(heard.get(4..).unwrap_or_default()))],
            _ => Vec::new(),
        };
        if found.speaks_http()
            && let Some(response) = http::parse(heard)
        {
            for (header, kind) in [
                ("server", Self::HttpServer),
                ("www-authenticate", Self::HttpAuthentication),
                ("x-powered-by", Self::HttpPoweredBy),
            ] {
                texts.extend(response.headers.get(header).map(|value| (kind, value.clone())));
            }
        }
        texts.retain(|(_, text)| !text.is_empty());
        texts
    }
}

struct Fingerprint {
    pattern: Regex,
    product: Option<Value>,
    version: Option<Value>,
    cpe: Option<String>,
}

/// A parameter: fixed, or the text of a group.
enum Value {
    Fixed(String),
    Group(usize),
}

impl Value {
    fn of(&self, captures: &regex::Captures<'_>) -> Option<String> {
        let text = match self {
            Self::Fixed(text) => text.as_str(),
            Self::Group(number) => captures.get(*number)?.as_str(),
        };
        Some(printable(text.as_bytes(), 60)).filter(|text| !text.is_empty())
    }
}

impl Recog {
    /// Reads every `.xml` file of a folder. What has such a name and is no file, such as a folder or a pipe, is passed over.
    ///
    /// # Errors
    /// The first file that cannot be read, is larger than the bounds or is no fingerprint file; a folder without any.
    pub fn load(folder: &Path) -> Result<Self, RecogError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |why| RecogError::Io { path, why }
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(io(folder))? {
            let path = entry.map_err(io(folder))?.path();
            if path.extension().is_some_and(|extension| extension == "xml")
                && fs::metadata(&path).map_err(io(&path))?.is_file()
            {
                files.push(path);
            }
        }
        files.sort();
        if files.len() > MAX_FILES {
            let why = format!("it has {} XML files: at most {MAX_FILES} are allowed", files.len());
            return Err(RecogError::Content { path: folder.to_owned(), why });
        }
        let mut recog = Self { by_kind: HashMap::new(), loaded: 0, skipped: 0 };
        for path in files {
            let mut text = String::new();
            let file = fs::File::open(&path).map_err(io(&path))?;
            file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(io(&path))?;
            if text.len() as u64 > MAX_BYTES {
                let why = format!("it is larger than the {MAX_BYTES} bytes allowed");
                return Err(RecogError::Content { path, why });
            }
            recog.add(&text).map_err(|why| RecogError::Content { path, why })?;
        }
        if recog.loaded == 0 {
            return Err(RecogError::Empty(folder.to_owned()));
        }
        Ok(recog)
    }

    /// Adds the fingerprints of one file. Files over text that is not gathered, and XML of another kind, add nothing.
    fn add(&mut self, text: &str) -> Result<(), String> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        let (mut depth, mut kind) = (0_usize, None);
        let mut current: Option<Draft> = None;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Eof if depth > 0 => return Err("it is cut: it ends within an element".to_owned()),
                Event::Eof => return Ok(()),
                event @ (Event::Start(_) | Event::Empty(_)) => {
                    let opens = matches!(event, Event::Start(_));
                    let (Event::Start(element) | Event::Empty(element)) = event else { continue };
                    depth += usize::from(opens);
                    if depth > MAX_DEPTH {
                        return Err(format!("elements are nested deeper than {MAX_DEPTH}"));
                    }
                    match element.name().as_ref() {
                        "fingerprints" => {
                            let attributes = attributes(&element)?;
                            // The one file of greetings that does not say what it matches. Others of a protocol without
                            // that are about answers which are not asked for here.
                            let telnet = attributes.get("protocol").filter(|name| *name == "telnet");
                            let telnet = telnet.map(|_| Kind::Telnet);
                            kind = attributes.get("matches").map_or(telnet, |name| Kind::of(name));
                            if kind.is_none() {
                                return Ok(());
                            }
                        }
                        "fingerprint" if kind.is_some() => current = Some(Draft::new(&attributes(&element)?)?),
                        "param" => {
                            if let Some(draft) = &mut current {
                                draft.param(&attributes(&element)?)?;
                            }
                        }
                        _ => {}
                    }
                }
                Event::End(element) => {
                    depth = depth.saturating_sub(1);
                    if element.name().as_ref() == "fingerprint"
                        && let (Some(draft), Some(kind)) = (current.take(), kind)
                    {
                        self.keep(kind, draft)?;
                    }
                }
                _ => {}
            }
        }
    }

    fn keep(&mut self, kind: Kind, draft: Draft) -> Result<(), String> {
        if self.loaded + self.skipped >= MAX_FINGERPRINTS {
            return Err(format!("more than the {MAX_FINGERPRINTS} fingerprints allowed"));
        }
        match draft.finish() {
            Some(fingerprint) => {
                self.loaded += 1;
                self.by_kind.entry(kind).or_default().push(fingerprint);
            }
            None => self.skipped += 1,
        }
        Ok(())
    }

    /// Fills in what our own signatures left open: a product, or the version of a product known without one. `heard` is what
    /// the server said first.
    pub fn enrich(&self, found: &mut ServiceEvidence, heard: &[u8]) {
        for (kind, text) in Kind::texts(found, heard) {
            if found.product.is_some() && found.version.is_some() {
                return;
            }
            self.enrich_from(found, kind, &text);
        }
    }

    fn enrich_from(&self, found: &mut ServiceEvidence, kind: Kind, text: &str) {
        let fingerprints = self.by_kind.get(&kind).map(Vec::as_slice).unwrap_or_default();
        for fingerprint in fingerprints {
            let Some(captures) = fingerprint.pattern.captures(text) else { continue };
            // The first that matches decides, in the order of the file; that it knows no product says something too.
            let Some(product) = fingerprint.product.as_ref().and_then(|value| value.of(&captures)) else { return };
            let version = fingerprint.version.as_ref().and_then(|value| value.of(&captures));
            let same = |known: &str| {
                let (known, product) = (known.to_ascii_lowercase(), product.to_ascii_lowercase());
                known.contains(&product) || product.contains(&known)
            };
            match &found.product {
                None => found.product = Some(product.clone()),
                Some(known) if same(known) && version.is_some() => {}
                Some(_) => return,
            }
            let known = found.cpe.as_deref().and_then(vendor_and_product);
            found.cpe = fingerprint.cpe.clone().or(known).map(|cpe| cpe_name(&cpe, version.as_deref()));
            found.version = version;
            return;
        }
    }
}

/// A fingerprint as it is read.
struct Draft {
    pattern: String,
    ignore_case: bool,
    dot_is_all: bool,
    params: usize,
    product: Option<Value>,
    version: Option<Value>,
    cpe: Option<String>,
}

impl Draft {
    fn new(attributes: &HashMap<String, String>) -> Result<Self, String> {
        let pattern = attributes.get("pattern").ok_or("a fingerprint has no pattern")?.clone();
        if pattern.len() > MAX_PATTERN {
            return Err(format!("a pattern has {} characters: at most {MAX_PATTERN} are allowed", pattern.len()));
        }
        let flags = attributes.get("flags").map(String::as_str).unwrap_or_default();
        Ok(Self {
            pattern,
            ignore_case: flags.contains("REG_ICASE"),
            // Both names mean the same: Ruby calls it multi-line when a dot matches the end of a line.
            dot_is_all: flags.contains("REG_DOT_NEWLINE") || flags.contains("REG_MULTILINE"),
            params: 0,
            product: None,
            version: None,
            cpe: None,
        })
    }

    fn param(&mut self, attributes: &HashMap<String, String>) -> Result<(), String> {
        self.params += 1;
        if self.params > MAX_PARAMS {
            return Err(format!("a fingerprint has more than the {MAX_PARAMS} parameters allowed"));
        }
        let text = |name: &str| attributes.get(name).map(String::as_str).unwrap_or_default();
        let group: usize = text("pos").parse().map_err(|_| format!("`{}` is no position of a group", text("pos")))?;
        let value = if group == 0 { Value::Fixed(text("value").to_owned()) } else { Value::Group(group) };
        match text("name") {
            "service.product" => self.product = Some(value),
            "service.version" => self.version = Some(value),
            "service.cpe23" => self.cpe = vendor_and_product(text("value")),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Option<Fingerprint> {
        let pattern = RegexBuilder::new(&self.pattern)
            .case_insensitive(self.ignore_case)
            .dot_matches_new_line(self.dot_is_all)
            // As in Ruby, for which the expressions were written: `^` and `$` are those of a line.
            .multi_line(true)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .build()
            .ok()?;
        Some(Fingerprint { pattern, product: self.product, version: self.version, cpe: self.cpe })
    }
}

/// `vendor:product` of a CPE in either form: `cpe:/a:openbsd:openssh:{service.version}`, `cpe:2.3:a:…`.
fn vendor_and_product(cpe: &str) -> Option<String> {
    let rest = cpe.strip_prefix("cpe:/a:").or_else(|| cpe.strip_prefix("cpe:2.3:a:"))?;
    let mut parts = rest.split(':');
    let plain = |part: &&str| {
        !part.is_empty() && part.len() <= 80 && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-+~".contains(c))
    };
    let (vendor, product) = (parts.next().filter(plain)?, parts.next().filter(plain)?);
    Some(format!("{vendor}:{product}"))
}

fn attributes(element: &BytesStart<'_>) -> Result<HashMap<String, String>, String> {
    let mut found = HashMap::new();
    for attribute in element.attributes().take(MAX_PARAMS) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = attribute.key.as_ref().to_owned();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        found.insert(name, value.into_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"<?xml version='1.0'?><fingerprints matches="ssh.banner" protocol="ssh">
        <!-- a comment -->
        <fingerprint pattern="^Lab&amp;Shell_([\d.]+)(?: (.*))?$" flags="REG_ICASE">
          <description>Lab</description><example service.version="1.2">Lab&amp;Shell_1.2</example>
          <param pos="0" name="service.vendor" value="Lab"/>
          <param pos="0" name="service.product" value="LabShell"/>
          <param pos="1" name="service.version"/>
          <param pos="0" name="service.cpe23" value="cpe:/a:lab:labshell:{service.version}"/>
        </fingerprint>
        <fingerprint pattern="^(?=look)ahead$"><param pos="0" name="service.product" value="x"/></fingerprint>
        </fingerprints>"#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn ssh(banner: &str) -> ServiceEvidence {
        ServiceEvidence { service: Some("ssh".into()), banner: Some(banner.into()), ..ServiceEvidence::default() }
    }

    #[test]
    fn fingerprints_fill_in_what_is_not_known() {
        let folder = folder(&[("ssh.xml", FILE), ("other.xml", "<fingerprints matches=\"x.y\"/>"), ("a.txt", "<")]);
        let recog = Recog::load(folder.path()).unwrap();
        assert_eq!((recog.loaded, recog.skipped), (1, 1));
        let mut found = ssh("SSH-2.0-lab&shell_1.2 x");
        recog.enrich(&mut found, b"");
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("LabShell"), Some("1.2")));
        assert_eq!(found.cpe.as_deref(), Some("cpe:2.3:a:lab:labshell:1.2:*:*:*:*:*:*:*"));
        let mut known = ServiceEvidence { product: Some("Other".into()), ..ssh("SSH-2.0-LabShell_1.2") };
        recog.enrich(&mut known, b"");
        assert_eq!((known.product.as_deref(), known.version), (Some("Other"), None));
        // A name without a version does not stay beside the version that was found.
        let cpe = Some("cpe:2.3:a:lab:labshell:*:*:*:*:*:*:*:*".to_owned());
        let mut named = ServiceEvidence { product: Some("LabShell".into()), cpe, ..ssh("SSH-2.0-Lab&Shell_1.2") };
        recog.enrich(&mut named, b"");
        assert_eq!(named.cpe.as_deref(), Some("cpe:2.3:a:lab:labshell:1.2:*:*:*:*:*:*:*"));
        let mut strange = ssh("nothing");
        recog.enrich(&mut strange, b"");
        assert_eq!(strange.product, None);
    }

    #[test]
    fn texts_are_taken_from_where_they_stand() {
        let file = |matches: &str, pattern: &str| {
            format!(
                "<fingerprints {matches}><fingerprint pattern=\"{pattern}\">\
                 <param pos=\"0\" name=\"service.product\" value=\"Thing\"/></fingerprint></fingerprints>"
            )
        };
        let http = ServiceEvidence {
            details: bartizan_domain::evidence::service::ServiceDetails::Http { status: 200, auth_schemes: Vec::new() },
            ..ServiceEvidence::default()
        };
        let page: &[u8] =
            b"HTTP/1.1 200 OK\r\nServer: x\r\nX-Powered-By: Thing/1\r\nWWW-Authenticate: Basic realm=\"Thing\"\r\n\r\n";
        let vendor: &[u8] =
            b"\x01\0\x0b\0\0\0\x64\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0Thing";
        let refused: &[u8] = b"\x10\0\0\0\xff\x6a\x04Thing refused";
        for (matches, pattern, service, banner, heard) in [
            ("matches=\"http_header.x-powered-by\"", "^Thing/1$", "http", "HTTP 200", page),
            ("matches=\"http_header.wwwauth\"", "^Basic realm=&quot;Thing&quot;$", "http", "HTTP 200", page),
            ("matches=\"x11.vendor\"", "^Thing$", "x11", "Thing 1", vendor),
            ("matches=\"mysql.error\"", "^Thing refused$", "mysql", "error 1130", refused),
            ("matches=\"snmp.sys_description\"", "^Thing 2$", "snmp", "Thing 2", b""),
            ("matches=\"sip_header.server\"", "^Thing$", "sip", "Thing", b""),
            ("matches=\"ntp.readvar\"", "version=&quot;Thing&quot;", "ntp", "Thing", b""),
            ("matches=\"nntp.banner\"", "^Thing ready$", "nntp", "", b"200 Thing ready\r\n"),
            ("protocol=\"telnet\"", "^Thing login:$", "telnet", "", b"\xff\xfd\x18Thing login: "),
        ] {
            let folder = folder(&[("a.xml", &file(matches, pattern))]);
            let recog = Recog::load(folder.path()).unwrap();
            let mut found =
                ServiceEvidence { service: Some(service.into()), banner: Some(banner.into()), ..http.clone() };
            if service != "http" {
                found.details = bartizan_domain::evidence::service::ServiceDetails::None;
            }
            recog.enrich(&mut found, heard);
            assert_eq!(found.product.as_deref(), Some("Thing"), "{matches}");
        }
        // Answers to commands that nobody gives are not greetings.
        let folder = folder(&[("a.xml", &file("protocol=\"smtp\"", "^x$"))]);
        assert!(matches!(Recog::load(folder.path()), Err(RecogError::Empty(_))));
    }

    #[test]
    fn files_that_break_a_rule_are_refused_by_name() {
        let deep = format!("<fingerprints matches=\"ssh.banner\">{}", "<a>".repeat(20));
        let long = format!("<fingerprints matches=\"ssh.banner\"><fingerprint pattern=\"{}\"/>", "a".repeat(5000));
        let entity = "<!DOCTYPE a [<!ENTITY x 'y'>]><fingerprints matches=\"&x;\"/>";
        let cut = FILE.split("<fingerprint pattern=\"^(?=").next().unwrap();
        for (text, part) in [
            (cut, "it is cut"),
            (deep.as_str(), "nested"),
            (long.as_str(), "at most 4000"),
            (entity, "bad.xml"),
            ("<fingerprints matches=\"ssh.banner\"></wrong>", "bad.xml"),
        ] {
            let folder = folder(&[("bad.xml", text)]);
            let error = Recog::load(folder.path()).unwrap_err().to_string();
            assert!(error.contains("bad.xml") && error.contains(part), "{error}");
        }
        assert!(matches!(Recog::load(folder(&[]).path()), Err(RecogError::Empty(_))));
        assert!(matches!(Recog::load(Path::new("/nonexistent")), Err(RecogError::Io { .. })));
    }

    /// A pipe would be waited for until somebody writes to it.
    #[cfg(unix)]
    #[test]
    fn only_files_are_read() {
        let folder = folder(&[("ssh.xml", FILE)]);
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.xml")).status().unwrap();
        assert!(made.success());
        std::fs::create_dir(folder.path().join("folder.xml")).unwrap();
        let (sender, loaded) = std::sync::mpsc::channel();
        let path = folder.path().to_owned();
        std::thread::spawn(move || sender.send(Recog::load(&path).map(|recog| recog.loaded)));
        let loaded = loaded.recv_timeout(std::time::Duration::from_secs(20)).expect("it waits for the pipe");
        assert_eq!(loaded.unwrap(), 1);
    }

    proptest! {
        #[test]
        fn no_file_and_no_banner_breaks_anything(text in "\\PC{0,200}", cut in 0_usize..900, banner in "\\PC{0,100}") {
            let mut recog = Recog { by_kind: HashMap::new(), loaded: 0, skipped: 0 };
            let _ = recog.add(&text);
            let head: String = FILE.chars().take(cut).collect();
            let _ = recog.add(&format!("{head}{text}"));
            let _ = recog.add(FILE);
            for service in ["ssh", "http", "ftp", "smtp", "imap", "pop3", "mysql", "dns", "telnet", "x11"] {
                let mut found = ServiceEvidence { service: Some(service.into()), ..ssh(&banner) };
                recog.enrich(&mut found, b"");
            }
        }
    }
}
