//! `bartizan ports` over a network of its own: two namespaces with a veth pair between them, and web servers at the far
//! end. Needs root, `ip`, `nft` and `python3`; without root the tests say so and do nothing.
#![allow(clippy::print_stderr, reason = "a test that cannot run says so")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::common::{stderr, stdout};
use serde_json::Value;

pub struct Lab {
    pub near: String,
    pub far: String,
    servers: Vec<Child>,
}

pub fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split_whitespace()).status().unwrap().success()
}

/// Near is 10.99.0.2 and fd99::2; far is 10.99.0.1, 10.99.0.3, fd99::1, fd99::3 with a web server on port 8000 of each.
impl Lab {
    pub fn new() -> Option<Self> {
        if bartizan_portscan::raw_available().is_err() || !ip("netns list") {
            eprintln!("NOT RUN: network namespaces need root with CAP_NET_RAW");
            return None;
        }
        let tag = format!("bzcl{}", std::process::id());
        let tag = format!("{tag}-{:x}", std::ptr::from_ref(&tag) as usize & 0xfff);
        let mut lab = Self { near: format!("{tag}n"), far: format!("{tag}f"), servers: Vec::new() };
        let (near, far) = (lab.near.clone(), lab.far.clone());
        for name in [&near, &far] {
            assert!(ip(&format!("netns add {name}")) && ip(&format!("-n {name} link set lo up")));
        }
        assert!(ip(&format!("link add v0 netns {near} type veth peer name v1 netns {far}")));
        for (name, device, hosts) in [(&near, "v0", &[2][..]), (&far, "v1", &[1, 3])] {
            for host in hosts {
                assert!(ip(&format!("-n {name} address add 10.99.0.{host}/24 dev {device}")));
                assert!(ip(&format!("-n {name} address add fd99::{host}/64 dev {device} nodad")));
            }
            assert!(ip(&format!("-n {name} link set {device} up")));
        }
        for address in ["10.99.0.1", "10.99.0.3", "fd99::1", "fd99::3"] {
            let server = Command::new("ip")
                .args(["netns", "exec", &far, "python3", "-m", "http.server", "--bind", address, "8000"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            lab.servers.push(server.unwrap());
            let limit = Instant::now() + Duration::from_secs(60);
            let asks = "import socket, sys; socket.create_connection((sys.argv[1], 8000), 2)";
            while !lab.near(&["python3", "-c", asks, address]).status.success() {
                assert!(Instant::now() < limit, "no web server at {address}");
            }
        }
        // What the servers' start has left in the tables must not answer for the scan.
        assert!(ip(&format!("-n {near} neigh flush all")));
        Some(lab)
    }

    pub fn near(&self, command: &[&str]) -> Output {
        Command::new("ip").args(["netns", "exec", &self.near]).args(command).output().unwrap()
    }

    /// A server of the far end that answers nothing but requests for the time (RFC 5905).
    pub fn tell_the_time(&mut self, address: &str, port: u16) {
        const SERVER: &str = "
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], int(sys.argv[2])))
print('ready', flush=True)
while True:
    request, client = server.recvfrom(2048)
    if len(request) == 48 and request[0] & 7 == 3:
        server.sendto(bytes([0x24, 2]) + bytes(22) + request[40:48] + bytes(16), client)
";
        let mut server = Command::new("ip")
            .args(["netns", "exec", &self.far, "python3", "-c", SERVER, address, &port.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.servers.push(server);
        assert_eq!(line, "ready\n");
    }

    /// Gives both ends an address more.
    pub fn give(&self, near: &str, far: &str) {
        for (name, address, device) in [(&self.near, near, "v0"), (&self.far, far, "v1")] {
            assert!(ip(&format!("-n {name} address add {address} dev {device}")));
        }
    }

    pub fn ports(&self, arguments: &[&str]) -> Output {
        self.near(&[&[env!("CARGO_BIN_EXE_bartizan"), "ports"], arguments].concat())
    }

    pub fn rules(&self, text: &str) {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.far, "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub fn counted(&self, name: &str) -> u64 {
        let list = ["netns", "exec", &self.far, "nft", "list", "counter", "netdev", "lab", name];
        let text = stdout(&Command::new("ip").args(list).output().unwrap());
        let (_, rest) = text.split_once("packets ").unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        for name in [&self.near, &self.far] {
            ip(&format!("netns delete {name}"));
        }
    }
}

/// Counted where frames come in, so that ARP and neighbour discovery count as well.
#[test]
fn no_frame_of_any_phase_is_for_an_excluded_address() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table netdev lab { counter excluded { }\n counter allowed { }\n\
         chain ingress { type filter hook ingress device v1 priority 0; policy accept;\n\
         ip daddr 10.99.0.3 counter name excluded\n arp daddr ip 10.99.0.3 counter name excluded\n\
         ip6 daddr { fd99::3, ff02::1:ff00:3 } counter name excluded\n\
         ip daddr 10.99.0.1 counter name allowed\n arp daddr ip 10.99.0.1 counter name allowed\n\
         ip6 daddr { fd99::1, ff02::1:ff00:1 } counter name allowed\n }\n }\n",
    );
    let ports = ["-p", "T:8000,8001,U:53", "-sV", "-o", "json", "--allow-partial"];
    for engine in ["syn", "connect"] {
        for discovery in [&[][..], &["--no-discovery"]] {
            let targets =
                ["10.99.0.0/30", "fd99::/126", "--exclude", "10.99.0.2-3,fd99::2,fd99::3", "--engine", engine];
            let output = lab.ports(&[&targets[..], &ports, discovery].concat());
            assert_eq!(output.status.code(), Some(0), "{engine}: {}", stderr(&output));
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            let open: Vec<(&str, &str)> = (document["hosts"].as_array().unwrap().iter())
                .flat_map(|host| host["ports"].as_array().unwrap())
                .filter(|port| port["state"] == "open")
                .map(|port| (port["address"].as_str().unwrap(), port["service"].as_str().unwrap()))
                .collect();
            assert_eq!(open, [("10.99.0.1", "http"), ("fd99::1", "http")], "{engine} {discovery:?}");
        }
    }
    assert_eq!(lab.counted("excluded"), 0);
    assert!(lab.counted("allowed") > 100, "the counter counts: {}", lab.counted("allowed"));
}

#[test]
fn what_the_raw_engine_saw_is_in_every_format() {
    let Some(lab) = Lab::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, xml, csv, lines) = (file("a.json"), file("a.xml"), file("a.csv"), file("a.jsonl"));
    let outputs = [format!("json={json}"), format!("xml={xml}"), format!("csv={csv}"), format!("jsonl={lines}")];
    let mut arguments = vec!["10.99.0.1", "-p", "8000-8099", "--engine", "syn", "--rate-host", "5000"];
    outputs.iter().for_each(|output| arguments.extend(["-o", output.as_str()]));
    let output = lab.ports(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let document: Value = serde_json::from_str(&read(&json)).unwrap();
    let host = &document["hosts"][0];
    assert_eq!((host["reason"].as_str(), host["mac"].as_str().map(str::len)), (Some("neighbour"), Some(17)));
    assert!(host["rtt_us"].as_u64().unwrap() > 0);
    assert_eq!((host["ports"][0]["port"].as_u64(), host["ports"][0]["ttl"].as_u64()), (Some(8000), Some(64)));
    let xml = read(&xml);
    for part in ["reason=\"arp-response\"", "addrtype=\"mac\"", "reason_ttl=\"64\"", "-p 8000-8099 --engine syn"] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    // One open port, and the 99 others as one line and one row.
    let lines: Vec<Value> = read(&lines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!((lines[1]["state"].as_str(), lines[1]["count"].as_u64()), (Some("closed"), Some(99)));
    assert_eq!(read(&csv).lines().filter(|row| row.ends_with(",99")).count(), 1, "{}", read(&csv));
}

/// A port that accepts once and never again, one that refuses the second time, and a sound one: each is one line.
#[test]
fn an_open_port_is_one_line_with_the_last_word_of_it() {
    let Some(lab) = Lab::new() else { return };
    let first_only = |port: u16, what: &str| {
        format!(
            "tcp dport {port} tcp flags syn meter m{port} {{ ip daddr limit rate over 1/hour burst 1 packets }} {what}\n"
        )
    };
    for engine in ["syn", "connect"] {
        lab.rules(&format!(
            "table inet lab {{}}\n delete table inet lab\n table inet lab {{ chain output {{ type nat hook prerouting priority -100;\n\
             tcp dport {{ 8001, 8002 }} redirect to :8000\n }}\n chain raw {{ type filter hook prerouting priority -300;\n{}{} }}\n }}\n",
            first_only(8001, "drop"),
            first_only(8002, "drop"),
        ));
        let output = lab.ports(&[
            "10.99.0.1",
            "-p",
            "8000-8020",
            "--engine",
            engine,
            "--open",
            "--wait",
            "300",
            "--no-discovery",
            "-o",
            "jsonl",
        ]);
        assert_eq!(output.status.code(), Some(0), "{engine}: {}", stderr(&output));
        let text = stdout(&output);
        let mut ports: Vec<(u64, bool)> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|line| (line["port"].as_u64().unwrap(), line["unconfirmed"] == true))
            .collect();
        ports.sort_unstable();
        assert_eq!(ports, [(8000, false), (8001, true), (8002, true)], "{engine}: {text}");
    }
}

/// Without a way to an address nothing was scanned, and every output says so.
#[test]
fn addresses_without_a_way_to_them_are_named_and_make_the_scan_incomplete() {
    let Some(lab) = Lab::new() else { return };
    assert!(ip(&format!("-n {} route add 10.97.0.0/24 via 10.99.0.77", lab.near)));
    for engine in ["syn", "connect"] {
        for (network, single, reason, words) in [
            ("192.0.2.0/30", "192.0.2.9", "no-route", "no route"),
            ("10.97.0.0/30", "10.97.0.9", "no-router", "router on the way does not answer"),
        ] {
            let base = ["-p", "80,443", "--engine", engine];
            let output = lab.ports(&[&[network][..], &base].concat());
            assert_eq!(output.status.code(), Some(3), "{engine}: {}", stderr(&output));
            assert!(stderr(&output).contains("4 addresses were not reached"), "{engine}: {}", stderr(&output));
            assert!(stderr(&output).contains(words), "{engine}: {}", stderr(&output));
            let named = |format: &str| {
                let output = lab.ports(&[&[single][..], &base, &["-o", format]].concat());
                assert_eq!(output.status.code(), Some(3), "{engine} {format}: {}", stderr(&output));
                stdout(&output)
            };
            assert!(named("table").contains(&format!("{single}: not reached")), "{engine}");
            assert!(named("csv").contains(&format!("{single},,,tcp,unreachable,{reason}")), "{engine}");
            let lines = named("jsonl");
            let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
            assert_eq!((line["address"].as_str(), line["state"].as_str()), (Some(single), Some("unreachable")));
            assert_eq!(line["reason"], reason);
        }
    }
    // A host that drops everything is nothing of the kind.
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
         ip daddr 10.99.0.3 drop\n }\n }\n",
    );
    for engine in ["syn", "connect"] {
        for discovery in [&[][..], &["--no-discovery"]] {
            let base = ["10.99.0.2-3", "-p", "80,443", "--exclude", "10.99.0.2", "--engine", engine, "-o", "json"];
            let output = lab.ports(&[&base[..], discovery].concat());
            assert_eq!(output.status.code(), Some(0), "{engine} {discovery:?}: {}", stderr(&output));
            assert!(!stdout(&output).contains("unreachable"), "{engine} {discovery:?}: {}", stdout(&output));
        }
    }
}

/// A network on the link is whole with its own address and its two that belong to no host in it.
#[test]
fn a_network_on_the_link_is_scanned_to_its_end_and_its_broadcast_address_is_no_target() {
    let Some(lab) = Lab::new() else { return };
    for engine in ["syn", "connect"] {
        for discovery in [&[][..], &["--no-discovery", "--wait", "200"]] {
            let base = ["10.99.0.0/24", "-p", "T:8000,U:53", "--engine", engine, "-o", "json"];
            let output = lab.ports(&[&base[..], discovery].concat());
            assert_eq!(output.status.code(), Some(0), "{engine} {discovery:?}: {}", stderr(&output));
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(document["scan"]["partial"], false, "{engine} {discovery:?}");
            let answered: Vec<&str> = (document["hosts"].as_array().unwrap().iter())
                .filter(|host| host["answered"] == true)
                .map(|host| host["address"].as_str().unwrap())
                .collect();
            assert_eq!(answered, ["10.99.0.1", "10.99.0.2", "10.99.0.3"], "{engine} {discovery:?}");
            assert!(!stdout(&output).contains("10.99.0.255"), "{engine} {discovery:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let resume = ["--resume", state.to_str().unwrap()];
        let base = ["10.99.0.255", "10.99.0.1", "-p", "8000", "--engine", engine];
        let output = lab.ports(&[&base[..], &resume].concat());
        assert!(!state.exists(), "a job that was refused leaves nothing to go on from");
        assert_eq!(output.status.code(), Some(2), "{engine}: {}", stderr(&output));
        assert!(stderr(&output).contains("10.99.0.255 belongs to no host"), "{engine}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

/// While hosts are looked for, no port has a result: progress says what goes on instead.
#[test]
fn progress_tells_of_the_search_for_hosts() {
    let Some(lab) = Lab::new() else { return };
    // Nobody forwards there, so that it is silent behind a router that answers.
    assert!(ip(&format!("-n {} route add 10.97.0.0/24 via 10.99.0.1", lab.near)));
    for engine in ["syn", "connect"] {
        let output =
            lab.ports(&["10.97.0.0/24", "10.99.0.0/30", "-p", "8000", "--engine", engine, "--progress", "json"]);
        let text = stderr(&output);
        let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let searching: Vec<&Value> = events.iter().filter(|event| event["phase"] == "discovery").collect();
        assert!(!searching.is_empty(), "{engine}: {text}");
        let number = |event: &Value, name: &str| event[name].as_u64().unwrap();
        assert!(searching.iter().any(|event| number(event, "attempts") > 0), "{engine}: {text}");
        assert!(searching.iter().any(|event| number(&event["hosts"], "total") >= 256), "{engine}: {text}");
    }
}
