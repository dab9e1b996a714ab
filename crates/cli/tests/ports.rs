//! `bartizan ports` as its users see it: formats, refusals, exclusions, interrupts, and its XML in the eyes of tools that
//! read nmap's.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "ports/choices.rs"]
mod choices;
mod common;
#[path = "ports/delivery.rs"]
mod delivery;
#[path = "ports/exclusions.rs"]
mod exclusions;
#[path = "ports/masked.rs"]
mod masked;
#[path = "ports/namespaces.rs"]
mod namespaces;
#[path = "ports/terminal.rs"]
mod terminal;
#[path = "ports/unprivileged.rs"]
mod unprivileged;
#[path = "ports/zones.rs"]
mod zones;

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use common::{Peer, bartizan, run, run_in, stderr, stdout};
use serde_json::Value;

fn listener(address: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn document(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn help_is_stable() {
    let output = run(&["ports", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn bad_input_names_the_value_and_the_rule_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.txt"), "192.0.2.1\n300.1.1.1\n").unwrap();
    fs::write(folder.path().join("many.txt"), "10.0.0.0/16\n".repeat(65)).unwrap();
    let before = listing(folder.path());
    for (arguments, part) in [
        (&["127.0.0.1", "-p", "0"][..], "`0`"),
        (&["127.0.0.1", "-p", "70000"], "`70000`"),
        (&["127.0.0.1", "-p", "5-2"], "`5-2`"),
        (&["127.0.0.1", "-p", ""], "empty"),
        (&["127.0.0.1", "-p", "U:0"], "`0`"),
        (&["127.0.0.1", "-p", "X:80"], "`X:80`"),
        (&["10.0.0.0/2", "-p", "80"], "at most 4194304"),
        (&["2001:db8::/32", "-p", "80"], "at most 4194304"),
        (&["@many.txt", "-p", "80"], "at most 4194304"),
        (&["127.0.0.1:80"], "-p 80"),
        (&["foo!", "-p", "80"], "`foo!`"),
        (&["fe80::1", "-p", "80"], "RFC 4007 section 11"),
        (&["[fe80::1]", "-p", "80"], "--interface"),
        (&["fe80::/120", "-p", "80"], "RFC 4007 section 11"),
        (&["fe80::1%no-such-device", "-p", "80"], "`no-such-device`"),
        (&["2001:db8::1%lo", "-p", "80"], "only link-local"),
        (&["127.0.0.1", "--exclude", "fe80::1%no-such-device"], "`no-such-device`"),
        (&["169.254.169.254", "-p", "80"], "metadata"),
        (&["127.0.0.1", "--exclude", "10.0.0.0/33"], "`10.0.0.0/33`"),
        (&["127.0.0.1", "--exclude-file", "bad.txt"], "bad.txt:2"),
        (&["127.0.0.1", "--exclude-file", "none.txt"], "none.txt"),
        (
            &["127.0.0.1", "--exclude", "no-such-name.invalid", "--resolver", "127.0.0.1:9", "-p", "80"],
            "no-such-name.invalid",
        ),
        (&["127.0.0.1", "@-", "--exclude-file", "-"], "can be read once"),
        (&["127.0.0.1", "--exclude-file", "-", "--exclude-file", "/dev/stdin"], "can be read once"),
        (&["@-", "@-", "-p", "80"], "can be read once"),
        (&["127.0.0.1", "--rate", "0"], "--rate"),
        (&["127.0.0.1", "--retries", "12"], "0..=11"),
        (&["127.0.0.1", "--wait", "9000"], "50..=8000"),
        (&["127.0.0.1", "--rate-host", "0"], "--rate-host"),
        (&["127.0.0.1", "-p", "80", "--interface", "no-such-device"], "no-such-device"),
        (&["127.0.0.1", "--engine", "warp"], "warp"),
        (&["127.0.0.1", "-sS", "-sT", "-p", "80"], "one engine"),
        (&["127.0.0.1", "-sU", "-sT", "-p", "U:top:10"], "top:N"),
        (&["127.0.0.1", "-o", "sarif"], "unknown format `sarif`"),
        (&["127.0.0.1", "-o", "xml=nowhere/out.xml"], "nowhere/out.xml"),
        (&["127.0.0.1", "-o", "xml", "-o", "csv"], "only one format"),
        (&["127.0.0.1", "--recog", "nowhere", "-p", "80"], "nowhere"),
    ] {
        let output = run_in(folder.path(), &[&["ports", "-o", "json=out.json"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert_eq!(listing(folder.path()), before, "{arguments:?} left something behind");
    }
    let output = run_in(folder.path(), &["ports", "127.0.0.1", "--exclude", "127.0.0.0/8", "-p", "80"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
fn open_and_closed_ports_are_told_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let (_open, port) = listener("127.0.0.1");
    let (closed, shut) = listener("127.0.0.1");
    drop(closed);
    let ports = format!("{port},{shut}");
    let outputs = ["-o", "json=a.json", "-o", "jsonl=a.jsonl", "-o", "csv=a.csv", "-o", "xml=a.xml", "-o", "table"];
    let output = run_in(folder.path(), &[&["ports", "127.0.0.1", "-p", &ports][..], &outputs].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains(&format!("{port}/tcp")) && stdout(&output).contains("1 open port;"),
        "{}",
        stdout(&output)
    );
    assert_eq!(listing(folder.path()), ["a.csv", "a.json", "a.jsonl", "a.xml"]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let document: Value = serde_json::from_str(&read("a.json")).unwrap();
    assert_eq!(document["schema"], "bartizan.ports/1");
    let states: Vec<(u64, &str, &str)> = document["hosts"][0]["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| (port["port"].as_u64().unwrap(), port["state"].as_str().unwrap(), port["reason"].as_str().unwrap()))
        .collect();
    let mut expected = vec![(u64::from(port), "open", "syn-ack"), (u64::from(shut), "closed", "conn-refused")];
    expected.sort_unstable();
    assert_eq!(states, expected);
    let lines: Vec<Value> = read("a.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), lines[0]["state"].as_str()), (2, Some("open")));
    for key in ["address", "port", "protocol", "state", "reason", "service"] {
        assert!(lines.iter().all(|line| line.as_object().unwrap().contains_key(key)), "{key}");
    }
    assert_eq!(read("a.csv").lines().count(), 3);
    let only_open = run(&["ports", "127.0.0.1", "-p", &ports, "--open", "-o", "csv"]);
    assert_eq!(stdout(&only_open).lines().count(), 2);
}

#[test]
fn ipv6_ports_are_found() {
    let (_open, port) = listener("::1");
    let document = document(&["ports", "::1", "-p", &port.to_string(), "-o", "json"]);
    assert_eq!(document["hosts"][0]["address"], "::1");
    assert_eq!(document["hosts"][0]["ports"][0]["state"], "open");
}

#[test]
fn excluded_addresses_are_never_contacted() {
    let (forbidden, port) = listener("127.0.0.2");
    let (_other, _) = (TcpListener::bind(("127.0.0.3", port)).unwrap(), ());
    forbidden.set_nonblocking(true).unwrap();
    let port = port.to_string();
    for exclusion in [
        &["--exclude", "127.0.0.2"][..],
        &["--exclude", "127.0.0.0-127.0.0.2"],
        &["--exclude-file", "out"],
        &["--exclude-file", "several"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("out"), "# ours\n127.0.0.2/32\n").unwrap();
        fs::write(folder.path().join("several"), "192.0.2.1, 127.0.0.2 # ours,\n\n127.0.0.9\t198.51.100.0/24,\n")
            .unwrap();
        let output = run_in(
            folder.path(),
            &[&["ports", "127.0.0.2-3", "-p", &port, "-o", "json", "--no-discovery"][..], exclusion].concat(),
        );
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let addresses: Vec<&str> =
            document["hosts"].as_array().unwrap().iter().map(|host| host["address"].as_str().unwrap()).collect();
        assert_eq!(addresses, ["127.0.0.3"], "{exclusion:?}");
        assert!(forbidden.accept().is_err(), "{exclusion:?}: an excluded address was contacted");
    }
}

#[test]
fn services_are_identified_when_asked_for() {
    let site = Peer::site();
    let port = site.target().rsplit(':').next().unwrap().to_owned();
    for switch in ["--service-detection", "-sV"] {
        let document = document(&["ports", "127.0.0.1", "-p", &port, switch, "-o", "json"]);
        assert_eq!(document["hosts"][0]["ports"][0]["service"], "http", "{switch}");
    }
    let plain = document(&["ports", "127.0.0.1", "-p", &port, "-o", "json"]);
    assert_eq!(plain["hosts"][0]["ports"][0]["service"], Value::Null);
    let mute = Peer::closing();
    let port = mute.target().rsplit(':').next().unwrap().to_owned();
    let unknown = document(&["ports", "127.0.0.1", "-p", &port, "-sV", "-o", "json"]);
    let port = &unknown["hosts"][0]["ports"][0];
    assert_eq!((port["state"].as_str(), &port["service"]), (Some("open"), &Value::Null));
}

#[test]
fn an_interrupt_writes_what_there_is_and_marks_it() {
    let folder = tempfile::tempdir().unwrap();
    let silent = Peer::silent();
    let port = silent.target().rsplit(':').next().unwrap().to_owned();
    let mut child = bartizan()
        .current_dir(folder.path())
        .args(["ports", "127.0.0.1", "-p", &port, "-sV", "--timeout", "60", "-o", "json=a.json", "-o", "xml=a.xml"])
        .spawn()
        .unwrap();
    // The port scan and the first question.
    silent.wait_for_a_connection();
    silent.wait_for_a_connection();
    common::interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(listing(folder.path()), ["a.json", "a.xml"]);
    let document: Value = serde_json::from_slice(&fs::read(folder.path().join("a.json")).unwrap()).unwrap();
    assert_eq!(document["scan"]["status"], "cancelled");
    assert_eq!(document["scan"]["partial"], true);
    assert_eq!(document["hosts"][0]["ports"][0]["state"], "open");
    assert!(fs::read_to_string(folder.path().join("a.xml")).unwrap().contains("exit=\"error\""));
}

#[test]
fn a_name_that_does_not_resolve_is_a_gap() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let base = ["ports", "shop.example.com", "-p", "80", "--timeout", "1", "--resolver", &resolver];
    assert_eq!(run(&base).status.code(), Some(3));
    assert_eq!(run(&[&base[..], &["--allow-partial"]].concat()).status.code(), Some(0));
}

/// The XML against nmap's own document type and in the parser that most Python tools use.
#[test]
fn tools_that_read_nmap_xml_read_ours() {
    let folder = tempfile::tempdir().unwrap();
    let site = Peer::site();
    let port = site.target().rsplit(':').next().unwrap().to_owned();
    let ports = format!("{port},1-60");
    let output = run_in(
        folder.path(),
        &["ports", "127.0.0.1", "::1", "-p", &ports, "-sV", "-o", "xml=a.xml", "-o", "json=a.json"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let check = r#"
import sys
from lxml import etree
from libnmap.parser import NmapParser

dtd = etree.DTD("/usr/share/nmap/nmap.dtd")
tree = etree.parse("a.xml")
assert dtd.validate(tree), dtd.error_log
report = NmapParser.parse_fromfile("a.xml")
assert report.hosts_up == 2 and report.hosts_total == 2, (report.hosts_up, report.hosts_total)
host = next(host for host in report.hosts if host.address == "127.0.0.1")
service = next(s for s in host.services if s.port == int(sys.argv[1]))
assert (service.state, service.service, service.protocol) == ("open", "http", "tcp"), service
assert host.is_up() and report.started > 0 and report.elapsed >= 0
"#;
    let done = Command::new("python3").current_dir(folder.path()).args(["-c", check, &port]).output().unwrap();
    assert!(
        done.status.success(),
        "install nmap (Debian), lxml and python-libnmap (PyPI): {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn listing(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Interrupted, a scan leaves an exact state and says how to go on; without a state file it says how to have one.
#[test]
fn an_interrupted_scan_says_how_to_go_on() {
    use std::io::{BufRead as _, Read as _};
    for resume in [&["--resume", "state"][..], &[]] {
        let folder = tempfile::tempdir().unwrap();
        let base = ["ports", "127.0.0.5", "-p", "1-20000", "--engine", "connect", "--no-discovery"];
        let mut child = bartizan()
            .current_dir(folder.path())
            .args(base)
            .args(resume)
            .args(["--rate", "4000", "--progress", "json", "-o", "json=a.json"])
            .spawn()
            .unwrap();
        let mut progress = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let mut done = 0;
        while done < 100 {
            line.clear();
            assert!(progress.read_line(&mut line).unwrap() > 0, "it ended too soon");
            done = serde_json::from_str::<Value>(&line).unwrap()["ports"]["done"].as_u64().unwrap_or(0);
        }
        common::interrupt(&child);
        let mut rest = String::new();
        progress.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
        // All that has a state is told of, not only what was listed.
        let stopped: Value = serde_json::from_slice(&fs::read(folder.path().join("a.json")).unwrap()).unwrap();
        let host = &stopped["hosts"][0];
        let counted = host["summarised"].as_array().unwrap().iter().map(|sum| sum["count"].as_u64().unwrap());
        let told = counted.sum::<u64>() + host["ports"].as_array().unwrap().len() as u64;
        assert!((done..20_000).contains(&told), "{told} ports told of after {done} were done");
        if resume.is_empty() {
            assert!(rest.contains("--resume FILE"), "{rest}");
            continue;
        }
        assert!(rest.contains("the same command goes on from there"), "{rest}");
        let output = run_in(folder.path(), &[&base[..], resume, &["-o", "json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let sums =
            document["hosts"][0]["summarised"].as_array().unwrap().iter().map(|sum| sum["count"].as_u64().unwrap());
        let listed = document["hosts"][0]["ports"].as_array().unwrap().len() as u64;
        assert_eq!(sums.sum::<u64>() + listed, 20_000);
        assert_eq!(listing(folder.path()), ["a.json"]);
    }
}

/// What stands beside a state file and is no list of services is somebody's.
#[test]
fn a_file_that_is_not_ours_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("state", "hello"), ("state.services", "precious")] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let arguments = ["ports", "127.0.0.1", "-p", "1", "-sV", "--resume", "state"];
    let output = run_in(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not a list of services"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(folder.path().join("state.services")).unwrap(), "precious");
    assert_eq!(std::fs::read_to_string(folder.path().join("state")).unwrap(), "hello");
    let endless = run_in(folder.path(), &["ports", "127.0.0.1", "-p", "1", "--resume", "/dev/zero"]);
    assert!(stderr(&endless).contains("no regular file"), "{}", stderr(&endless));
}

/// Killed without warning, a scan goes on from its state file: every port has its state in the end.
#[test]
fn a_killed_scan_is_taken_up_again() {
    use std::io::BufRead as _;
    let folder = tempfile::tempdir().unwrap();
    let listeners: Vec<(TcpListener, u16)> = (0..20).map(|_| listener("127.0.0.3")).collect();
    let base = ["ports", "127.0.0.3", "-p", "-", "--engine", "connect", "--no-discovery", "--resume", "state"];
    let mut killed = bartizan()
        .current_dir(folder.path())
        .args(base)
        .args(["--rate", "20000", "--progress", "json", "-o", "json=killed.json"])
        .spawn()
        .unwrap();
    let progress = std::io::BufReader::new(killed.stderr.take().unwrap());
    for line in progress.lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["ports"]["done"].as_u64().is_some_and(|done| done > 15_000) {
            break;
        }
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What is written is whole: the state, and no result.
    assert!(folder.path().join("state").exists(), "{:?}", listing(folder.path()));
    assert!(!folder.path().join("killed.json").exists());
    let output = run_in(folder.path(), &[&base[..], &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let host = &document["hosts"][0];
    let mut open: Vec<u16> = host["ports"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|port| port["state"] == "open")
        .map(|port| u16::try_from(port["port"].as_u64().unwrap()).unwrap())
        .collect();
    // Other programs may listen on every address.
    open.retain(|port| listeners.iter().any(|(_, listening)| listening == port));
    let mut expected: Vec<u16> = listeners.iter().map(|(_, port)| *port).collect();
    expected.sort_unstable();
    assert_eq!(open, expected);
    let counted: u64 = host["summarised"].as_array().unwrap().iter().map(|sum| sum["count"].as_u64().unwrap()).sum();
    assert_eq!(host["ports"].as_array().unwrap().len() as u64 + counted, 65_535);
    assert!(!folder.path().join("state").exists(), "a complete scan leaves no state");
    let other = run_in(folder.path(), &["ports", "127.0.0.3", "-p", "80", "-o", "json=state"]);
    assert_eq!(other.status.code(), Some(0), "{}", stderr(&other));
    let foreign = run_in(folder.path(), &base);
    assert_eq!(foreign.status.code(), Some(2), "a file that is no state is refused and kept");
    assert!(stderr(&foreign).contains("state"), "{}", stderr(&foreign));
    assert!(fs::read_to_string(folder.path().join("state")).unwrap().contains("bartizan.ports/1"));
}

#[test]
fn udp_services_are_found_and_identified() {
    let server = bartizan_test_support::lab::services::remote::unbound();
    let (address, port) = (server.address.ip().to_string(), server.address.port());
    // On a port that says nothing about it: silent to an empty datagram, and then asked in its own protocol.
    let udp = format!("U:{port}");
    let base = ["ports", &address, "-p", &udp, "-o", "json"];
    let silent = document(&[&base[..], &["--allow-partial"]].concat());
    assert_eq!(silent["hosts"][0]["ports"][0]["state"], "open|filtered");
    assert_eq!((&silent["hosts"][0]["answered"], &silent["scan"]["partial"]), (&false.into(), &true.into()));
    let identified = document(&[&base[..], &["-sV"]].concat());
    // Whoever answers at last is there.
    assert_eq!((&identified["hosts"][0]["answered"], &identified["scan"]["answered"]), (&true.into(), &1.into()));
    assert_eq!(identified["scan"]["partial"], false, "{identified}");
    let found = &identified["hosts"][0]["ports"][0];
    assert_eq!((found["protocol"].as_str(), found["port"].as_u64()), (Some("udp"), Some(u64::from(port))));
    assert_eq!((found["state"].as_str(), found["product"].as_str()), (Some("open"), Some("Unbound")));
}

/// A line for each open port while the scan is still at work on others, and none of them twice.
#[test]
fn open_ports_are_told_while_the_scan_goes_on() {
    use std::io::BufRead as _;
    let (_open, port) = listener("127.0.0.4");
    let mut child = bartizan()
        .args([
            "ports",
            "127.0.0.4",
            "-p",
            "-",
            "--engine",
            "connect",
            "--no-discovery",
            "--rate",
            "2000",
            "-o",
            "jsonl",
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut ours = 0;
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if line["port"].as_u64() == Some(u64::from(port)) {
            ours += 1;
            // At this rate the whole scan takes more than half a minute.
            assert!(child.try_wait().unwrap().is_none(), "the line came only when the scan was over");
            common::interrupt(&child);
        }
    }
    assert_eq!((ours, child.wait().unwrap().code()), (1, Some(130)));
}

/// Killed while services are identified, a scan goes on with those that are left, and asks no port again.
#[test]
fn a_scan_killed_during_identification_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = listener("127.0.0.1");
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&asked);
    std::thread::spawn(move || {
        use std::io::Write as _;
        for mut stream in server.incoming().flatten() {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        }
    });
    let silent = Peer::silent();
    let ports = format!("{port},{}", silent.target().rsplit(':').next().unwrap());
    let base = ["ports", "127.0.0.1", "-p", &ports, "-sV", "--resume", "state", "--engine", "connect", "-o", "json"];
    let mut child = bartizan().current_dir(folder.path()).args(base).args(["--timeout", "60"]).spawn().unwrap();
    let saved = folder.path().join("state.services");
    let begin = std::time::Instant::now();
    while !fs::read_to_string(&saved).is_ok_and(|text| text.contains("ssh")) {
        assert!(begin.elapsed().as_secs() < 60, "nothing is remembered");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(listing(folder.path()), ["state", "state.services"]);
    let other = run_in(folder.path(), &[&base[..], &["--retries", "3"]].concat());
    assert_eq!(other.status.code(), Some(2), "{}", stderr(&other));
    assert!(stderr(&other).contains("attempts: 2") && stderr(&other).contains("attempts: 4"), "{}", stderr(&other));
    let before = asked.load(std::sync::atomic::Ordering::SeqCst);
    let output = run_in(folder.path(), &[&base[..], &["--timeout", "1"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found: Vec<&Value> = document["hosts"][0]["ports"].as_array().unwrap().iter().collect();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|port| port["state"] == "open"), "{found:?}");
    assert!(found.iter().any(|port| port["service"] == "ssh"), "{found:?}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), before, "what was known was asked again");
    assert!(listing(folder.path()).is_empty(), "{:?}", listing(folder.path()));
}

/// Ports that stay silent at an empty datagram are all asked, however many there are.
#[test]
fn a_udp_service_among_many_silent_ports_is_identified() {
    let server = bartizan_test_support::lab::services::remote::unbound();
    let address = server.address.ip();
    let silent: Vec<std::net::UdpSocket> = (0..40).map(|_| std::net::UdpSocket::bind((address, 0)).unwrap()).collect();
    let mut ports: Vec<String> = silent.iter().map(|socket| socket.local_addr().unwrap().port().to_string()).collect();
    ports.push(server.address.port().to_string());
    let udp = format!("U:{}", ports.join(","));
    let arguments = ["ports", &address.to_string(), "-p", &udp, "-sV", "--timeout", "1", "-o", "json"];
    let document = document(&arguments);
    let host = &document["hosts"][0];
    assert_eq!((host["ports"].as_array().unwrap().len(), &host["ports"][0]["product"]), (1, &Value::from("Unbound")));
    assert_eq!(host["summarised"][0]["count"], 40);
}

/// What accepts on every port proves nothing, also where only a few ports were asked.
#[test]
fn counts_come_as_lines_and_rows_unless_only_open_ports_are_wanted() {
    let (_open, port) = listener("127.0.0.5");
    let spec = format!("{port},1-99");
    let base = ["ports", "127.0.0.5", "-p", &spec, "--engine", "connect"];
    let lines = stdout(&run(&[&base[..], &["-o", "jsonl"]].concat()));
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["port"], last["state"].as_str()), (&Value::Null, Some("closed")));
    assert!(last["count"].as_u64().unwrap() > 80, "{last}");
    let only = stdout(&run(&[&base[..], &["-o", "jsonl", "--open"]].concat()));
    assert!(!only.contains("closed"), "{only}");
}

/// With scans of both protocols asked for, ports without a prefix are of both.
#[test]
fn udp_and_a_tcp_scan_together_ask_both() {
    for switches in [&["-sU", "-sT"][..], &["-sU", "-sT", "--no-discovery"]] {
        let ports = ["ports", "127.0.0.1", "-p", "9,T:10", "--wait", "100", "-o", "json"];
        let document = document(&[&ports[..], switches].concat());
        assert_eq!((&document["scan"]["tcp_ports"], &document["scan"]["udp_ports"]), (&"9-10".into(), &"9".into()));
    }
}

/// A second run of the same command is refused before it touches what the first one has remembered.
#[test]
fn a_second_run_leaves_the_services_of_the_first_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let silent = Peer::silent();
    let port = silent.target().rsplit(':').next().unwrap().to_owned();
    let command = ["ports", "127.0.0.1", "-p", &port, "-sV", "--timeout", "60", "--resume", "state"];
    let mut first = bartizan().current_dir(folder.path()).args(command).spawn().unwrap();
    // The port scan and the first question.
    silent.wait_for_a_connection();
    silent.wait_for_a_connection();
    let services = folder.path().join("state.services");
    let before = fs::metadata(&services).unwrap().ino();
    let second = run_in(folder.path(), &command);
    assert_eq!(second.status.code(), Some(2), "{}", stderr(&second));
    assert!(stderr(&second).contains("another run is using it"), "{}", stderr(&second));
    assert_eq!(fs::metadata(&services).unwrap().ino(), before, "it is still the first one's file");
    common::interrupt(&first);
    assert_eq!(first.wait().unwrap().code(), Some(130));
}
