//! The real Recog folder, if there is one to load: `fingerprints/recog-xml.tar.zst` in the folder `BARTIZAN_CORPUS`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; a skip is said")]

use std::path::PathBuf;
use std::process::Command;

use bartizan_domain::evidence::ServiceEvidence;
use bartizan_domain::evidence::service::ServiceDetails;
use bartizan_probes::services::recog::Recog;

#[test]
fn the_real_folder_is_read_and_its_texts_are_found() {
    let Some(corpus) = std::env::var_os("BARTIZAN_CORPUS").map(PathBuf::from) else {
        eprintln!("BARTIZAN_CORPUS is not set: there is no folder of Recog to read");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar")
        .args(["--zstd", "-xf"])
        .arg(corpus.join("fingerprints/recog-xml.tar.zst"))
        .arg("-C")
        .arg(folder.path())
        .status();
    assert!(unpacked.unwrap().success(), "tar and zstd cannot unpack the folder");
    // Compiling every expression takes a debug build many seconds; the long tests do.
    let xml = folder.path().join("xml");
    let is_long = std::env::var_os("BARTIZAN_TEST_LONG").is_some();
    if !is_long {
        let few = ["http_xpoweredby.xml", "http_wwwauth.xml", "x11_banners.xml", "sip_banners.xml", "nntp_banners.xml"];
        for entry in std::fs::read_dir(&xml).unwrap() {
            let path = entry.unwrap().path();
            if !few.iter().any(|name| path.ends_with(name)) {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    let recog = Recog::load(&xml).unwrap();
    let at_least = if is_long { 2000 } else { 100 };
    assert!(recog.loaded > at_least && recog.skipped * 20 < recog.loaded, "{recog:?}");
    let http = ServiceDetails::Http { status: 200, auth_schemes: Vec::new() };
    let powered: &[u8] = b"HTTP/1.1 200 OK\r\nX-Powered-By: PHP/8.2.14\r\n\r\n";
    let realm: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Transmission\"\r\n\r\n";
    let vendor = [&[1, 0, 11, 0, 0, 0, 100, 0][..], &[0; 16], &[26, 0], &[0; 14], b"AT&T Laboratories Cambridge"];
    let vendor = {
        let mut vendor = vendor.concat();
        vendor[24] = 27;
        vendor
    };
    for (service, banner, heard, product, version) in [
        ("http", "HTTP 200", powered, "PHP", Some("8.2.14")),
        ("http", "HTTP 401", realm, "Transmission", None),
        ("x11", "AT&T Laboratories Cambridge 3332", vendor.as_slice(), "Xvnc", None),
        ("sip", "Cisco-SIPGateway/IOS-15.2.4.M3", b"", "IOS", None),
        ("nntp", "", b"200 news.test Lyris ListManager NNTP Service ready (posting ok).\r\n", "ListManager", None),
    ] {
        let mut found = ServiceEvidence {
            service: Some(service.to_owned()),
            banner: Some(banner.to_owned()),
            details: if service == "http" { http.clone() } else { ServiceDetails::None },
            ..ServiceEvidence::default()
        };
        recog.enrich(&mut found, heard);
        let is = (found.product.as_deref(), found.version.as_deref());
        assert_eq!((is.0.map(|name| name.contains(product)), is.1), (Some(true), version), "{service}: {found:?}");
    }
}
