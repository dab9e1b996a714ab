//! A private DNS tree of real servers: a signed root, a signed top-level domain `test`, and zones with known faults.
//!
//! BIND (`named`) is authoritative for everything, NSD is a second server of the zones that ask for one, `unbound` is
//! the validating resolver in front. All listen on private ports of loopback addresses, so no privilege is needed; the
//! resolver finds each zone by a stub entry, because a delegation cannot name a port. Zones are signed by
//! `dnssec-signzone` (BIND) with keys made for this lab, and the anchor of the root is in [`DnsLab::trust_anchors`].
//!
//! `named` and `unbound` run from copies in the lab's folder: Debian's AppArmor profiles are attached to the installed
//! paths and allow no other folders.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Process, free_port};

/// How a zone is signed and linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Not at all.
    Unsigned,
    /// Rightly, with NSEC.
    Good,
    /// Rightly, with NSEC3 and so many extra iterations.
    Nsec3(u16),
    /// With signatures that have expired.
    Expired,
    /// With signatures that end within hours.
    Expiring,
    /// Rightly, but the parent has the DS record of another key.
    WrongDs,
    /// Rightly, but the parent has no DS record.
    Unlinked,
    /// With RSA/SHA-1, and a SHA-1 digest at the parent.
    Sha1,
}

/// A zone of the lab.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Name without the trailing dot, directly below `test`.
    pub name: String,
    /// Records beside SOA, NS and the name server's address, in zone file form; `@` is the apex.
    pub records: String,
    /// How it is signed.
    pub signing: Signing,
    /// Whether NSD on `::1` serves the zone too, as `ns2`, and gives it to anyone who asks for a transfer.
    pub open_on_ipv6: bool,
}

/// Records of a domain that does mail right, and has CAA.
pub const GOOD_RECORDS: &str = "@ IN A 127.0.0.1\nwww IN A 127.0.0.1\n@ IN MX 10 mail\nmail IN A 127.0.0.1\n\
@ IN TXT \"v=spf1 mx -all\"\n@ IN CAA 0 issue \"ca.test\"\n\
_dmarc IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@@@\"\n";

impl Zone {
    /// A zone that is right in every respect.
    #[must_use]
    pub fn good(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            records: GOOD_RECORDS.replace("@@@", &format!("@{name}")),
            signing: Signing::Good,
            open_on_ipv6: false,
        }
    }

    /// The same with other signing.
    #[must_use]
    pub fn signed(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    /// The same with `from` replaced in its records, which must be there.
    ///
    /// # Panics
    /// If `from` does not occur.
    #[must_use]
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.records.contains(from), "{} has no `{from}`", self.name);
        self.records = self.records.replace(from, to);
        self
    }

    /// The same with more records.
    #[must_use]
    pub fn with(mut self, records: &str) -> Self {
        self.records.push_str(records);
        self.records.push('\n');
        self
    }

    /// The same with these records alone.
    #[must_use]
    pub fn only(mut self, records: &str) -> Self {
        self.records = format!("{records}\n");
        self
    }
}

/// The running tree.
#[derive(Debug)]
pub struct DnsLab {
    /// The validating resolver.
    pub resolver: SocketAddr,
    /// Port of every authoritative server.
    pub authoritative_port: u16,
    /// Anchor of the root, one DS record a line.
    pub trust_anchors: Vec<String>,
    processes: Vec<Process>,
    dir: TempDir,
}

impl DnsLab {
    /// Signs and serves `zones`.
    ///
    /// # Panics
    /// If a program is missing or does not accept its configuration; the message carries its output.
    #[must_use]
    pub fn start(zones: &[Zone]) -> Self {
        let dir = tempfile::Builder::new().prefix("bartizan-dns-").tempdir().unwrap();
        let root = dir.path();
        let delegations: String = zones.iter().map(|zone| publish(root, zone)).collect();
        // NSEC3 with opt-out at the top-level domain and NSEC at the root, as in the real tree.
        let tld = sign(root, "test", &zone_file("test", &delegations, &[]), &["-3", "-", "-H", "0", "-A"], "13");
        let link = delegation("test", &tld.ds);
        let root_zone = sign(root, ".", &zone_file(".", &link, &[]), &[], "13");
        let port = free_port();
        let mut lab = Self {
            resolver: SocketAddr::from(([127, 0, 0, 1], free_port())),
            authoritative_port: port,
            trust_anchors: root_zone.ds,
            processes: Vec::new(),
            dir,
        };
        lab.start_named(zones);
        lab.start_nsd(zones);
        lab.start_unbound(zones);
        lab
    }

    /// The folder of the lab.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn start_named(&mut self, zones: &[Zone]) {
        let root = self.dir.path().to_owned();
        let mut conf = format!(
            "options {{ directory \"{dir}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
             recursion no; allow-transfer {{ none; }}; notify no; dnssec-validation no; pid-file none;\n\
             session-keyfile none; querylog no; }};\ncontrols {{ }};\n",
            dir = root.display(),
            port = self.authoritative_port,
        );
        for name in [".", "test"].into_iter().chain(zones.iter().map(|zone| zone.name.as_str())) {
            let file = served_file(&root, name);
            writeln!(conf, "zone \"{name}\" {{ type primary; file \"{}\"; }};", file.display()).unwrap();
        }
        let path = root.join("named.conf");
        fs::write(&path, conf).unwrap();
        let mut command = Command::new(copy_of("/usr/sbin/named", "bind9", &root));
        command.args(["-g", "-n", "1", "-c"]).arg(&path);
        let mut process = Process::spawn("named", "bind9", command, &root.join("named.log"));
        process.wait_for_port(SocketAddr::from(([127, 0, 0, 1], self.authoritative_port)));
        self.processes.push(process);
    }

    fn start_nsd(&mut self, zones: &[Zone]) {
        let open: Vec<&Zone> = zones.iter().filter(|zone| zone.open_on_ipv6).collect();
        if open.is_empty() {
            return;
        }
        let root = self.dir.path().to_owned();
        let dir = root.display();
        let mut conf = format!(
            "server:\n  ip-address: ::1\n  port: {port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
             zonesdir: \"{dir}\"\n  database: \"\"\n  pidfile: \"{dir}/nsd.pid\"\n  xfrdfile: \"{dir}/nsd.xfrd\"\n  \
             xfrdir: \"{dir}\"\n  zonelistfile: \"{dir}/nsd.zones\"\n  do-ip4: no\nremote-control:\n  control-enable: no\n",
            port = self.authoritative_port,
        );
        for zone in open {
            let file = served_file(&root, &zone.name);
            writeln!(conf, "zone:\n  name: {}\n  zonefile: {}\n  provide-xfr: ::1 NOKEY", zone.name, file.display())
                .unwrap();
        }
        let path = root.join("nsd.conf");
        fs::write(&path, conf).unwrap();
        let mut command = Command::new(copy_of("/usr/sbin/nsd", "nsd", &root));
        command.arg("-d").arg("-c").arg(&path);
        let mut process = Process::spawn("nsd", "nsd", command, &root.join("nsd.log"));
        process.wait_for_port(SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), self.authoritative_port));
        self.processes.push(process);
    }

    fn start_unbound(&mut self, zones: &[Zone]) {
        let root = self.dir.path().to_owned();
        let anchors = root.join("anchors");
        fs::write(&anchors, self.trust_anchors.join("\n") + "\n").unwrap();
        let mut conf = format!(
            "server:\n  interface: 127.0.0.1@{resolver}\n  port: {resolver}\n  do-daemonize: no\n  use-syslog: no\n  \
             logfile: \"\"\n  chroot: \"\"\n  username: \"\"\n  directory: \"{dir}\"\n  pidfile: \"\"\n  num-threads: 1\n  \
             do-ip6: no\n  do-not-query-localhost: no\n  module-config: \"validator iterator\"\n  \
             trust-anchor-file: \"{anchors}\"\n  local-zone: \"test.\" nodefault\n  verbosity: 1\n\
             remote-control:\n  control-enable: no\n",
            resolver = self.resolver.port(),
            dir = root.display(),
            anchors = anchors.display(),
        );
        for name in [".", "test"].into_iter().chain(zones.iter().map(|zone| zone.name.as_str())) {
            writeln!(conf, "stub-zone:\n  name: \"{name}\"\n  stub-addr: 127.0.0.1@{}", self.authoritative_port)
                .unwrap();
        }
        let path = root.join("unbound.conf");
        fs::write(&path, conf).unwrap();
        let mut command = Command::new(copy_of("/usr/sbin/unbound", "unbound", &root));
        command.arg("-d").arg("-c").arg(&path);
        let mut process = Process::spawn("unbound", "unbound", command, &root.join("unbound.log"));
        process.wait_for_port(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.resolver.port()));
        self.processes.push(process);
    }
}

/// A signed zone: the DS records for its parent.
struct Signed {
    ds: Vec<String>,
}

/// Writes and signs a zone and gives back what its parent publishes.
fn publish(root: &Path, zone: &Zone) -> String {
    let servers: &[&str] =
        if zone.open_on_ipv6 { &["ns1 IN A 127.0.0.1", "ns2 IN AAAA ::1"] } else { &["ns1 IN A 127.0.0.1"] };
    let text = zone_file(&zone.name, &zone.records, servers);
    let iterations;
    let mut algorithm = "13";
    let options: &[&str] = match zone.signing {
        Signing::Unsigned => {
            fs::write(served_file(root, &zone.name), text).unwrap();
            return delegation_of(zone, &[]);
        }
        Signing::Nsec3(count) => {
            iterations = count.to_string();
            &["-3", "-", "-H", &iterations]
        }
        Signing::Expired => &["-P", "-s", "20240101000000", "-e", "20240201000000"],
        Signing::Expiring => &["-s", "now-2592000", "-e", "now+10800"],
        Signing::Sha1 => {
            algorithm = "5";
            &[]
        }
        Signing::Good | Signing::WrongDs | Signing::Unlinked => &[],
    };
    let signed = sign(root, &zone.name, &text, options, algorithm);
    let ds: Vec<String> = match zone.signing {
        Signing::Unlinked => Vec::new(),
        Signing::WrongDs => {
            let other = keys(root, "other", &zone.name, "13");
            vec![ds_of(&other, "-2")]
        }
        Signing::Sha1 => vec![ds_of(&key_file(root, &zone.name, "257"), "-1")],
        _ => signed.ds,
    };
    delegation_of(zone, &ds)
}

fn delegation_of(zone: &Zone, ds: &[String]) -> String {
    let mut text = delegation(&zone.name, ds);
    if zone.open_on_ipv6 {
        writeln!(text, "{0}. IN NS ns2.{0}.\nns2.{0}. IN AAAA ::1", zone.name).unwrap();
    }
    text
}

fn delegation(name: &str, ds: &[String]) -> String {
    let mut text = format!("{name}. IN NS ns1.{name}.\nns1.{name}. IN A 127.0.0.1\n");
    for record in ds {
        writeln!(text, "{record}").unwrap();
    }
    text
}

fn zone_file(name: &str, records: &str, servers: &[&str]) -> String {
    let origin = if name == "." { ".".to_owned() } else { format!("{name}.") };
    let servers = if servers.is_empty() { &["ns1 IN A 127.0.0.1"] } else { servers };
    let mut text = format!("$ORIGIN {origin}\n$TTL 300\n@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n");
    for server in servers {
        let host = server.split(' ').next().unwrap();
        writeln!(text, "@ IN NS {host}\n{server}").unwrap();
    }
    text + records
}

fn served_file(root: &Path, name: &str) -> PathBuf {
    let base = if name == "." { "root" } else { name };
    root.join(format!("{base}.zone"))
}

/// Makes a key-signing and a zone-signing key and signs with both.
fn sign(root: &Path, name: &str, text: &str, options: &[&str], algorithm: &str) -> Signed {
    let ksk = keys(root, "keys", name, algorithm);
    let plain = root.join(format!("{}.plain", served_file(root, name).file_name().unwrap().to_string_lossy()));
    fs::write(&plain, text).unwrap();
    let origin = if name == "." { ".".to_owned() } else { format!("{name}.") };
    let mut command = Command::new("/usr/bin/dnssec-signzone");
    command.current_dir(root).args(["-S", "-K", "keys", "-d", ".", "-o", &origin]);
    command.args(options).arg("-f").arg(served_file(root, name)).arg(&plain);
    run(command, "bind9-utils");
    Signed { ds: vec![ds_of(&ksk, "-2")] }
}

/// Makes the keys of a zone in `folder` and gives back the file of the key-signing key.
fn keys(root: &Path, folder: &str, name: &str, algorithm: &str) -> PathBuf {
    fs::create_dir_all(root.join(folder)).unwrap();
    let mut made = PathBuf::new();
    for flag in [&["-f", "KSK"][..], &[]] {
        let mut command = Command::new("/usr/bin/dnssec-keygen");
        command.current_dir(root).args(["-q", "-K", folder, "-a", algorithm]);
        if algorithm == "5" {
            command.args(["-b", "2048"]);
        }
        command.args(flag).arg(name);
        let output = run(command, "bind9-utils");
        if !flag.is_empty() {
            made = root.join(folder).join(format!("{}.key", output.trim()));
        }
    }
    made
}

/// The public key file of `name` with these flags (257: key-signing key).
fn key_file(root: &Path, name: &str, flags: &str) -> PathBuf {
    let prefix = format!("K{name}.+");
    let found = fs::read_dir(root.join("keys")).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let file = path.file_name()?.to_string_lossy().into_owned();
        let fits = file.starts_with(&prefix) && file.ends_with(".key");
        (fits && fs::read_to_string(&path).unwrap().contains(&format!("DNSKEY {flags} "))).then_some(path)
    });
    found.last().unwrap()
}

fn ds_of(key: &Path, digest: &str) -> String {
    let mut command = Command::new("/usr/bin/dnssec-dsfromkey");
    command.arg(digest).arg(key);
    run(command, "bind9-utils").trim().to_owned()
}

fn run(mut command: Command, package: &str) -> String {
    let what = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{what} cannot be started ({error}): install the package {package}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn copy_of(program: &str, package: &str, root: &Path) -> PathBuf {
    let copy = root.join(Path::new(program).file_name().unwrap());
    fs::copy(program, &copy).unwrap_or_else(|error| panic!("{program} ({error}): install the package {package}"));
    copy
}

/// The zones of the standard lab, each with one fault (or none), and what a scan is expected to find there.
#[must_use]
pub fn standard_zones() -> BTreeMap<&'static str, (Zone, &'static [&'static str])> {
    let spf = "v=spf1 mx -all";
    let eleven: String = (1..=11).map(|n| format!("a:h{n}.spf11.test ")).collect();
    let hosts: String = (1..=11).map(|n| format!("h{n} IN A 127.0.0.1\n")).collect();
    let dmarc = |name: &str| format!("v=DMARC1; p=reject; rua=mailto:dmarc@{name}");
    let mut zones: BTreeMap<&'static str, (Zone, &'static [&'static str])> = BTreeMap::new();
    let mut add = |name: &'static str, zone: fn(Zone) -> Zone, expected: &'static [&'static str]| {
        zones.insert(name, (zone(Zone::good(name)), expected));
    };
    add("good.test", |zone| zone, &[]);
    add("unsigned.test", |zone| zone.signed(Signing::Unsigned), &["dnssec.insecure"]);
    add("unlinked.test", |zone| zone.signed(Signing::Unlinked), &["dnssec.insecure"]);
    add("expired.test", |zone| zone.signed(Signing::Expired), &["dnssec.bogus"]);
    add("wrongds.test", |zone| zone.signed(Signing::WrongDs), &["dnssec.bogus"]);
    add("nsec3.test", |zone| zone.signed(Signing::Nsec3(0)), &[]);
    add("iterations.test", |zone| zone.signed(Signing::Nsec3(10)), &["dnssec.weak"]);
    add("expiring.test", |zone| zone.signed(Signing::Expiring), &["dnssec.weak"]);
    add("sha1.test", |zone| zone.signed(Signing::Sha1), &["dnssec.weak"]);
    add("nocaa.test", |zone| zone.replace("@ IN CAA 0 issue \"ca.test\"\n", ""), &["dns.caa_missing"]);
    add(
        "iodef.test",
        |zone| zone.replace("CAA 0 issue \"ca.test\"", "CAA 0 iodef \"mailto:a@iodef.test\""),
        &["caa.weak"],
    );
    add(
        "axfr.test",
        |mut zone| {
            zone.open_on_ipv6 = true;
            zone
        },
        &["dns.axfr"],
    );
    add("spf2.test", |zone| zone.with("@ IN TXT \"v=spf1 a -all\""), &["spf.multiple"]);
    add("spfbad.test", |zone| zone.replace("v=spf1 mx -all", "v=spf1 ipv4:127.0.0.1 -all"), &["spf.syntax"]);
    add(
        "spfvoid.test",
        |zone| zone.replace("v=spf1 mx -all", "v=spf1 a:x1.spfvoid.test a:x2.spfvoid.test mx:x3.spfvoid.test -all"),
        &["spf.void"],
    );
    add("plusall.test", |zone| zone.replace("v=spf1 mx -all", "v=spf1 +all"), &["spf.plus_all"]);
    add("neutral.test", |zone| zone.replace("v=spf1 mx -all", "v=spf1 mx ?all"), &["spf.neutral"]);
    add("softok.test", |zone| zone.replace("v=spf1 mx -all", "v=spf1 mx ~all"), &[]);
    // More text than a UDP answer holds: the resolver truncates and is asked again over TCP.
    add("big.test", |zone| (0..12).fold(zone, |zone, n| zone.with(&format!("@ IN TXT \"{n:0>250}\""))), &[]);
    add(
        "softfail.test",
        |zone| zone.replace("v=spf1 mx -all", "v=spf1 mx ~all").replace("p=reject", "p=none"),
        &["dmarc.none", "spf.soft"],
    );
    add("nospf.test", |zone| zone.replace("@ IN TXT \"v=spf1 mx -all\"\n", ""), &["spf.missing"]);
    add("nodmarc.test", |zone| zone.replace("_dmarc IN", "other IN"), &["dmarc.missing"]);
    add("dmarcnone.test", |zone| zone.replace("p=reject", "p=none"), &["dmarc.none"]);
    add("dmarcweak.test", |zone| zone.replace("p=reject", "p=reject; sp=none; pct=50"), &["dmarc.weak"]);
    add(
        "nullmx.test",
        |zone| {
            zone.only("@ IN A 127.0.0.1\n@ IN MX 0 .\n@ IN TXT \"v=spf1 -all\"\n@ IN CAA 0 issue \"ca.test\"\n_dmarc IN TXT \"v=DMARC1; p=reject\"")
        },
        &[],
    );
    add("parked.test", |zone| zone.only("@ IN A 127.0.0.1\n@ IN CAA 0 issue \"ca.test\""), &["nomail.profile"]);
    let eleven = Zone::good("spf11.test").replace(spf, &format!("v=spf1 {eleven}-all")).with(&hosts);
    zones.insert("spf11.test", (eleven, &["spf.lookups"]));
    let sub = "app IN A 127.0.0.1\nnews IN MX 10 mail\nnews IN TXT \"v=spf1 mx -all\"\n";
    let organisation = Zone::good("org.test")
        .with(sub)
        .replace(&dmarc("org.test"), "v=DMARC1; p=reject; rua=mailto:dmarc@reports.test");
    zones.insert("org.test", (organisation, &[]));
    let reports = Zone::good("reports.test").with("org.test._report._dmarc IN TXT \"v=DMARC1\"");
    zones.insert("reports.test", (reports, &[]));
    zones
}
