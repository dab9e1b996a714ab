//! The demo recording in `content/demo/`: that it is usable, and how it is made.
//!
//! It is the evidence file of a real scan of real servers (nginx, OpenSSH, Redis, BIND, NSD) that belong to an
//! organisation that does not exist, at documentation addresses (RFC 5737). To make it anew, as root, because the
//! servers use the ports their protocols have:
//!
//! ```sh
//! unshare -n sh -c 'ip link set lo up && ip route add local 192.0.2.0/24 dev lo &&
//!     cargo test -p bartizan-cli --test demo -- --ignored'
//! ```
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use bartizan_catalog::Catalog;
use bartizan_checks::judge;
use bartizan_domain::{Outcome, Severity};
use bartizan_engine::ScanSettings;
use bartizan_evidence::file::{Ending, Reader};
use bartizan_test_support::lab::certificates::{Authority, Key, Leaf};
use bartizan_test_support::lab::dns::{DnsLab, Signing, Zone};
use bartizan_test_support::lab::process::Process;
use bartizan_test_support::lab::registration::{RdapLab, rdap_domain};
use common::{run, stderr};

const RECORDING: &str = "demo/demo.evidence";
/// Bytes the recording may add to the program.
const MAX_SIZE: usize = 300_000;

#[test]
fn the_shipped_recording_shows_something_of_everything() {
    let bytes = Catalog::bytes(RECORDING).expect("content/demo/demo.evidence ships");
    assert!(bytes.len() <= MAX_SIZE, "{} bytes", bytes.len());
    let catalog = Catalog::builtin();
    let mut reader = Reader::new(bytes).unwrap();
    let settings: ScanSettings = serde_json::from_value(reader.header().settings.clone()).unwrap();
    let (mut hosts, mut failed, mut worst, mut passed) = (0, BTreeSet::new(), BTreeSet::new(), 0);
    while let Some(record) = reader.next_record().unwrap() {
        assert!(record.evidence.reached(), "{}", record.evidence.asset);
        for verdict in judge::judge(catalog, &settings.selection, &record.evidence, &settings.judge) {
            match verdict.outcome {
                Outcome::Fail => {
                    worst.insert(verdict.severity.unwrap());
                    failed.insert(verdict.check_id);
                }
                Outcome::Pass => passed += 1,
                _ => {}
            }
        }
        hosts += 1;
    }
    assert!(matches!(reader.ending(), Some(Ending::Complete(_))));
    assert!(hosts >= 6, "{hosts} hosts");
    assert!(failed.len() >= 20, "{failed:?}");
    assert!(passed >= 50, "{passed} passes");
    assert!(worst.contains(&Severity::Critical) && worst.contains(&Severity::Low), "{worst:?}");
}

#[test]
#[ignore = "records the demo data; needs root and a network namespace, see the top of this file"]
fn record() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    let _nginx = nginx(root, &authority);
    let _redis = redis(root);
    let _sshd = sshd(root);
    let zone = Zone::good("harbour.test").only(
        "@ IN A 192.0.2.10\nwww IN A 192.0.2.10\nshop IN A 192.0.2.11\nlegacy IN A 192.0.2.12\n\
         build IN A 192.0.2.13\nvpn IN A 192.0.2.14\n@ IN MX 10 mail\nmail IN A 192.0.2.10\n\
         @ IN TXT \"v=spf1 mx ~all\"\n_dmarc IN TXT \"v=DMARC1; p=none\"",
    );
    let parked = Zone::good("old-harbour.test").only("@ IN A 192.0.2.10").signed(Signing::Unsigned);
    let dns = DnsLab::start(&[zone, parked]);
    let anchors = root.join("anchors");
    fs::write(&anchors, dns.trust_anchors.join("\n")).unwrap();
    let soon =
        (chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()) + chrono::Duration::days(12)).to_rfc3339();
    let rdap = RdapLab::start(&BTreeMap::from([
        (
            "harbour.test".to_owned(),
            rdap_domain("harbour.test", Some("2029-03-01T10:00:00Z"), &["client transfer prohibited"]),
        ),
        ("old-harbour.test".to_owned(), rdap_domain("old-harbour.test", Some(&soon), &["active"])),
    ]));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content").join(RECORDING);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let output = run(&[
        "scan",
        "harbour.test",
        "www.harbour.test",
        "shop.harbour.test",
        "legacy.harbour.test",
        "build.harbour.test",
        "vpn.harbour.test",
        "old-harbour.test",
        "192.0.2.13",
        "--profile",
        "full",
        "--ca-file",
        authority.root_file().to_str().unwrap(),
        "--trust-anchor",
        anchors.to_str().unwrap(),
        "--resolver",
        &dns.resolver.to_string(),
        "--authoritative-port",
        &dns.authoritative_port.to_string(),
        "--rdap-bootstrap",
        &rdap.bootstrap_url(),
        "-o",
        &format!("evidence={}", file.display()),
        "-o",
        "table",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// One nginx for all web sites, good and bad.
fn nginx(root: &Path, authority: &Authority) -> Process {
    let days = chrono::Duration::days;
    let rsa = |leaf: Leaf| Leaf { key: Key::Rsa(2048), ..leaf };
    let www = Leaf {
        names: vec!["www.harbour.test".into(), "harbour.test".into(), "old-harbour.test".into()],
        ..Leaf::good("www.harbour.test")
    };
    let shop = rsa(Leaf { begins: days(-85), ends: days(5), ..Leaf::good("shop.harbour.test") });
    let legacy = rsa(Leaf { begins: days(-400), ends: days(-20), ..Leaf::good("legacy.harbour.test") });
    let vpn = Leaf::good("gateway.harbour.test");
    let site = |name: &str, files: &[(&str, &str)]| {
        for (file, text) in files {
            let path = root.join(name).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root.join(name).display().to_string()
    };
    let page =
        |title: &str| format!("<!doctype html><html lang=\"en\"><title>{title}</title><h1>{title}</h1></html>\n");
    let expires = (chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()) + days(180)).to_rfc3339();
    let good = site(
        "www",
        &[
            ("index.html", &page("Harbour")),
            (".well-known/security.txt", &format!("Contact: mailto:security@harbour.test\nExpires: {expires}\n")),
        ],
    );
    let login = "<!doctype html><title>Shop</title><script src=\"https://cdn.partner.test/shop.js\"></script>\
                 <form action=\"/login\" method=\"post\"><input type=\"password\" name=\"p\"></form>\n";
    let shop_root = site("shop", &[("index.html", login)]);
    let legacy_root = site(
        "legacy",
        &[
            ("index.html", &page("Timetable")),
            (".git/HEAD", "ref: refs/heads/main\n"),
            (
                ".git/config",
                "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = https://git.harbour.test/timetable.git\n",
            ),
            (".env", "APP_ENV=production\nDB_HOST=127.0.0.1\nDB_USER=timetable\nDB_PASSWORD=not-a-real-password\n"),
            ("files/a.txt", "a\n"),
        ],
    );
    let build_root = site("build", &[("list/one.txt", "1\n"), ("list/two.txt", "2\n")]);
    let mut servers = String::new();
    let tls = |leaf: &Leaf, extra: &str| {
        let identity = authority.leaf(leaf);
        format!("ssl_certificate {}; ssl_certificate_key {}; {extra}", identity.chain.display(), identity.key.display())
    };
    let headers = "add_header Strict-Transport-Security 'max-age=31536000; includeSubDomains' always;\
        add_header Content-Security-Policy \"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\" always;\
        add_header X-Content-Type-Options nosniff always; add_header Referrer-Policy no-referrer always;";
    let modern = "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE+AESGCM;";
    let old = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers ALL:!aNULL:!eNULL:@SECLEVEL=0;";
    let ancient = "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;";
    let mut server = |text: String| writeln!(servers, "server {{ {text} }}").unwrap();
    server("listen 192.0.2.10:80; server_tokens off; return 301 https://$host$request_uri;".to_owned());
    server(format!("listen 192.0.2.10:443 ssl; server_tokens off; {} {headers} root {good};", tls(&www, modern)));
    server("listen 192.0.2.11:80; return 301 https://$host$request_uri;".to_owned());
    server(format!(
        "listen 192.0.2.11:443 ssl; {} root {shop_root}; add_header Set-Cookie 'session=0123456789; Path=/';\
         add_header Strict-Transport-Security 'max-age=86400';",
        tls(&shop, old)
    ));
    server(format!("listen 192.0.2.12:80; root {legacy_root};"));
    server(format!("listen 192.0.2.12:443 ssl; {} root {legacy_root};", tls(&legacy, ancient)));
    server(format!("listen 192.0.2.13:8080; root {build_root}/list; autoindex on;"));
    server(format!("listen 192.0.2.14:443 ssl; server_tokens off; {} {headers} root {good};", tls(&vpn, modern)));
    let conf = root.join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {dir}/nginx.pid; error_log stderr; events {{ }}\n\
         http {{ access_log off; types {{ text/html html; text/plain txt; }} default_type application/octet-stream;\n\
         client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;\n\
         scgi_temp_path {dir}/t5;\n{servers} }}\n",
        dir = root.display()
    );
    fs::write(&conf, text).unwrap();
    let mut command = Command::new("nginx");
    command.env("OPENSSL_CONF", "/dev/null").args(["-e", "stderr", "-p"]).arg(root).arg("-c").arg(&conf);
    let mut process = Process::spawn("nginx", "nginx-light", command, &root.join("nginx.log"));
    process.wait_for_port("192.0.2.14:443".parse().unwrap());
    process
}

/// Redis with no password.
fn redis(root: &Path) -> Process {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "192.0.2.13", "--port", "6379", "--protected-mode", "no", "--save", "", "--dir"]).arg(root);
    let mut process = Process::spawn("redis-server", "redis-server", command, &root.join("redis.log"));
    process.wait_for_port("192.0.2.13:6379".parse().unwrap());
    process
}

/// OpenSSH with algorithms of former days.
fn sshd(root: &Path) -> Process {
    let key = root.join("host_key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    fs::create_dir_all("/run/sshd").unwrap();
    let conf = root.join("sshd_config");
    let text = format!(
        "ListenAddress 192.0.2.13:22\nHostKey {}\nPidFile none\nUsePAM no\nPasswordAuthentication yes\n\
         KexAlgorithms +diffie-hellman-group14-sha1\nCiphers +aes128-cbc\nMACs +hmac-sha1-96\n",
        key.display()
    );
    fs::write(&conf, text).unwrap();
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f"]).arg(&conf);
    let mut process = Process::spawn("sshd", "openssh-server", command, &root.join("sshd.log"));
    process.wait_for_port("192.0.2.13:22".parse().unwrap());
    process
}
