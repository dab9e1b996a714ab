//! What is asked of whom: lists of addresses, hosts alone, ports by name, the interface, spellings of other tools.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::common::{bartizan, run, run_in, stderr, stdout};
use super::namespaces::{Lab, ip};
use super::{document, listener};

fn addresses(document: &Value) -> Vec<&str> {
    document["hosts"].as_array().unwrap().iter().map(|host| host["address"].as_str().unwrap()).collect()
}

/// A list of addresses is looked through first; a handful of them is taken at its word.
#[test]
fn a_long_list_of_addresses_is_looked_through_as_a_network_is() {
    let Some(lab) = Lab::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let list = |name: &str, last: std::ops::RangeInclusive<u8>| {
        let lines: String = last.map(|last| format!("10.99.0.{last}\n")).collect();
        std::fs::write(folder.path().join(name), lines).unwrap();
        format!("@{}", folder.path().join(name).display())
    };
    let (long, short) = (list("long", 1..=120), list("short", 1..=4));
    for engine in ["syn", "connect"] {
        let base = ["-p", "8000,8001", "--engine", engine, "-o", "json"];
        let output = lab.ports(&[&[long.as_str()][..], &base].concat());
        assert_eq!(output.status.code(), Some(0), "{engine}: {}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(addresses(&found), ["10.99.0.1", "10.99.0.2", "10.99.0.3"], "{engine}");
        assert_eq!((&found["scan"]["addresses"], &found["scan"]["answered"]), (&120.into(), &3.into()));
        assert_eq!(found["scan"]["partial"], false);
        let output = lab.ports(&[&[short.as_str()][..], &base].concat());
        assert_eq!(output.status.code(), Some(3), "{engine}: {}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(found["scan"]["partial_reasons"].to_string().contains("10.99.0.4"), "{found}");
        // What stands beside a list on the command line is meant.
        let output = lab.ports(&[&[long.as_str(), "10.99.0.200"][..], &base].concat());
        assert_eq!(output.status.code(), Some(3), "{engine}: {}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let reasons = found["scan"]["partial_reasons"].as_array().unwrap();
        assert!(reasons.len() == 1 && reasons[0].as_str().unwrap().contains("10.99.0.200"), "{engine}: {reasons:?}");
    }
    // Of many that are named singly and silent, most are counted.
    let few = list("few", 100..=150);
    let output = lab.ports(&[&few, "-p", "8000", "-o", "json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reasons = found["scan"]["partial_reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 11, "{reasons:?}");
    assert!(reasons[10].as_str().unwrap().starts_with("41 more addresses"), "{reasons:?}");
    assert_eq!(found["scan"]["status"], "completed", "they were asked, and are silent");
}

#[test]
fn hosts_alone_are_looked_for_when_no_port_is_to_be_asked() {
    let Some(lab) = Lab::new() else { return };
    for engine in ["syn", "connect"] {
        for switch in ["--discover-only", "-sn"] {
            let base = ["10.99.0.0/28", "--exclude", "10.99.0.2", switch, "--engine", engine, "-o"];
            let output = lab.ports(&[&base[..], &["json"]].concat());
            assert_eq!(output.status.code(), Some(0), "{engine}: {}", stderr(&output));
            let found: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(addresses(&found), ["10.99.0.1", "10.99.0.3"], "{engine}");
            let hosts = found["hosts"].as_array().unwrap();
            assert!(hosts.iter().all(|host| host["ports"] == Value::Array(Vec::new()) && host["answered"] == true));
            assert_eq!((&found["scan"]["tcp_ports"], &found["scan"]["answered"]), (&"".into(), &2.into()));
        }
    }
    let base = ["10.99.0.1", "10.99.0.77", "-sn"];
    let output = lab.ports(&base);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let table = stdout(&output);
    assert!(table.contains("10.99.0.1: up, neighbour"), "{table}");
    assert!(table.contains("10.99.0.77") && table.contains("1 of 2 addresses answered"), "{table}");
    let lines = stdout(&lab.ports(&[&base[..], &["-o", "jsonl"]].concat()));
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&line["address"], &line["reason"]), (&"10.99.0.1".into(), &"neighbour".into()));
    let xml = stdout(&lab.ports(&[&base[..], &["-o", "xml"]].concat()));
    assert!(xml.contains("<status state=\"up\" reason=\"arp-response\"") && !xml.contains("<port"), "{xml}");
    let found = stdout(&lab.ports(&[&base[..], &["--open", "-o", "json"]].concat()));
    assert_eq!(addresses(&serde_json::from_str(&found).unwrap()), ["10.99.0.1"], "who did not answer is not open");
    for other in [&["-p", "80"][..], &["-sV"], &["--udp"], &["--top-ports", "5"], &["-Pn"], &["-sS"]] {
        let output = run(&[&["ports", "127.0.0.1", "-sn"][..], other].concat());
        assert_eq!(output.status.code(), Some(2), "{other:?}");
        assert!(stderr(&output).contains("--discover-only"), "{other:?}: {}", stderr(&output));
    }
}

/// Where no port is asked, the hosts are all there is to list.
#[test]
fn only_open_lists_every_host_that_answered_when_hosts_alone_are_looked_for() {
    let base = ["ports", "127.0.0.1", "127.0.0.18", "-sn", "--open", "-o"];
    let found = document(&[&base[..], &["json"]].concat());
    assert_eq!(addresses(&found), ["127.0.0.1", "127.0.0.18"]);
    for (format, part) in [
        ("table", "127.0.0.18: up"),
        ("jsonl", "{\"address\":\"127.0.0.18\""),
        ("csv", "\n127.0.0.18,"),
        ("xml", "addr=\"127.0.0.18\""),
    ] {
        let text = stdout(&run(&[&base[..], &[format]].concat()));
        assert!(text.contains(part), "{format}: {text}");
    }
}

/// Services are asked over the interface that the ports were found over, whatever the routes say.
#[test]
fn services_are_identified_over_the_interface_that_was_named() {
    let Some(lab) = Lab::new() else { return };
    let (near, far) = (&lab.near, &lab.far);
    assert!(ip(&format!("link add w0 netns {near} type veth peer name w1 netns {far}")));
    assert!(ip(&format!("-n {near} link set w0 up")) && ip(&format!("-n {far} link set w1 up")));
    assert!(ip(&format!("-n {near} address add 10.98.0.2/24 dev w0")));
    // By the routes the server would be on a link where nobody answers for it.
    assert!(ip(&format!("-n {near} route add 10.99.0.1/32 dev w0")));
    lab.rules(
        "table arp lab { chain input { type filter hook input priority 0; policy accept;\n iifname w1 drop\n }\n }\n",
    );
    for engine in ["syn", "connect"] {
        let base = ["10.99.0.1", "-p", "8000", "--engine", engine, "--no-discovery", "-sV", "-o", "json"];
        let output = lab.ports(&[&base[..], &["--interface", "v0"]].concat());
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        assert_eq!(output.status.code(), Some(0), "{engine}: {found}");
        assert_eq!(found["hosts"][0]["ports"][0]["service"], "http", "{engine}: {found}");
        let output = lab.ports(&[&base[..], &["--interface", "w0", "--wait", "200"]].concat());
        assert!(!stdout(&output).contains("\"http\""), "{engine}: {}", stdout(&output));
    }
}

/// A host without an open port is counted, and so is each port that is not listed.
#[test]
fn only_open_ports_are_listed_and_the_others_counted() {
    let (_server, port) = listener("127.0.0.9");
    let ports = format!("{port},1-3");
    let base = ["ports", "127.0.0.9-11", "-p", &ports, "--engine", "connect", "--open", "-o"];
    let found = document(&[&base[..], &["json"]].concat());
    assert_eq!(addresses(&found), ["127.0.0.9"]);
    assert_eq!((&found["scan"]["addresses"], &found["scan"]["answered"]), (&3.into(), &3.into()));
    let host = &found["hosts"][0];
    assert_eq!(host["ports"].as_array().unwrap().len(), 1);
    assert_eq!((&host["summarised"][0]["state"], &host["summarised"][0]["count"]), (&"closed".into(), &3.into()));
    let table = stdout(&run(&[&base[..], &["table"]].concat()));
    assert!(table.contains("Not shown: 3 tcp closed") && table.contains("3 of 3 addresses answered"), "{table}");
    assert!(!table.contains("127.0.0.10"), "{table}");
    let xml = stdout(&run(&[&base[..], &["xml"]].concat()));
    assert!(
        xml.contains("<extraports state=\"closed\" count=\"3\"")
            && xml.contains("<hosts up=\"3\" down=\"0\" total=\"3\"/>"),
        "{xml}"
    );
    let lines = stdout(&run(&[&base[..], &["jsonl"]].concat()));
    assert_eq!(lines.lines().count(), 1, "{lines}");
}

#[test]
fn ports_are_named_by_service_by_rank_and_by_what_is_left_out() {
    let asked = |arguments: &[&str]| {
        let base = ["ports", "127.0.0.1", "--engine", "connect", "--wait", "100", "-o", "json"];
        let found = document(&[&base[..], arguments].concat());
        let set = |name: &str| found["scan"][name].as_str().unwrap().to_owned();
        (set("tcp_ports"), set("udp_ports"))
    };
    let pair = |tcp: &str, udp: &str| (tcp.to_owned(), udp.to_owned());
    assert_eq!(asked(&["-p", "http,ssh,1000-1001"]), pair("22,80,1000-1001", ""));
    assert_eq!(asked(&["-p", "1-5,U:9,10", "--exclude-ports", "2,U:10"]), pair("1,3-5", "9"));
    assert_eq!(asked(&["--top-ports", "3"]), asked(&["-p", "top:3"]));
    for (arguments, part) in [
        (&["--top-ports", "0"][..], "top:0"),
        (&["--top-ports", "5", "-p", "80"], "--top-ports"),
        (&["--top-ports", "5", "--udp"], "--top-ports 5"),
        (&["-p", "80", "--exclude-ports", "1-"], "leaves no port"),
        (&["-p", "nonsense"], "`nonsense`"),
    ] {
        let output = run(&[&["ports", "127.0.0.1"][..], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
    }
}

/// What a printer would print is asked only by those who say so; what it says by itself is shown to people in any case.
#[test]
fn printers_are_asked_like_everything_else_only_on_demand() {
    let printer = TcpListener::bind(("127.0.0.13", 9100)).unwrap();
    std::thread::spawn(move || {
        for stream in printer.incoming() {
            let mut stream = stream.unwrap();
            // Scanned, confirmed, or gone before it is served.
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let mut request = [0; 1024];
            let count = stream.read(&mut request).unwrap_or(0);
            if request[..count].starts_with(b"GET ") {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nServer: sample/1.0\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    let base = ["ports", "127.0.0.13", "-p", "9100", "--engine", "connect", "--timeout", "2", "-o", "json", "-sV"];
    let service = |arguments: &[&str]| {
        let found = document(&[&base[..], arguments].concat());
        found["hosts"][0]["ports"][0]["service"].as_str().map(str::to_owned)
    };
    assert_eq!(service(&[]), None);
    assert_eq!(service(&["--ask-everything"]).as_deref(), Some("http"));
    let refused = run(&["ports", "127.0.0.13", "-p", "9100", "--ask-everything"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("without -sV"), "{}", stderr(&refused));
}

#[test]
fn spellings_of_nmap_mean_what_they_mean_there() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = listener("127.0.0.12");
    std::fs::write(folder.path().join("hosts.txt"), "127.0.0.12\n").unwrap();
    let arguments =
        ["ports", "-sT", "-Pn", "-n", "-p", &port.to_string(), "-iL", "hosts.txt", "-oX", "a.xml", "-o", "csv"];
    let output = run_in(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let xml = std::fs::read_to_string(folder.path().join("a.xml")).unwrap();
    assert!(xml.contains("addr=\"127.0.0.12\"") && xml.contains("-Pn -n -p"), "{xml}");
    assert_eq!(stdout(&output).lines().count(), 2);
    let together = ["ports", "-sTV", "-Pn", "-p", &port.to_string(), "-iLhosts.txt", "-oX", "-"];
    let output = run_in(folder.path(), &[&together[..], &["--timeout", "1"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("addr=\"127.0.0.12\""), "{}", stdout(&output));
}

/// A state file that somebody made for the purpose is as good as none.
#[test]
fn an_empty_state_file_is_one_that_begins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), "").unwrap();
    for services in [&[][..], &["-sV"]] {
        let arguments = ["ports", "127.0.0.1", "-p", "1", "--resume", "state"];
        std::fs::write(folder.path().join("state"), "").unwrap();
        let output = run_in(folder.path(), &[&arguments[..], services].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}

/// The file that stands for `/etc/hosts` in a network namespace (ip-netns(8)), for as long as it is wanted.
struct HostsFile(PathBuf);

impl HostsFile {
    fn new(namespace: &str, text: &str) -> Self {
        let folder = PathBuf::from("/etc/netns").join(namespace);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("hosts"), text).unwrap();
        Self(folder)
    }
}

impl Drop for HostsFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn names_without_a_dot_mean_what_they_mean_to_this_machine() {
    let Some(lab) = Lab::new() else { return };
    let _hosts = HostsFile::new(&lab.near, "127.0.0.1 localhost\n10.99.0.1 nas\n10.99.0.3 router\n");
    let output = lab.ports(&["nas", "router", "--exclude", "router", "-p", "8000", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(addresses(&found), ["10.99.0.1"]);
    assert_eq!(found["hosts"][0]["names"][0], "nas");
    let output = lab.ports(&["no-such-name-here", "-p", "8000", "-o", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("no-such-name-here was not scanned"), "{}", stderr(&output));
    let output = lab.ports(&["10.99.0.1", "--exclude", "no-such-name-here", "-p", "8000"]);
    assert_eq!(output.status.code(), Some(2), "what must not be touched has to be known: {}", stderr(&output));
}

/// A network of a million addresses is one target; the bound is that of the engine.
#[test]
fn a_target_may_be_as_large_as_the_engine_takes() {
    let (_server, port): (TcpListener, u16) = listener("127.0.0.13");
    // All but a few of them are excluded, which is not what is measured here.
    let port = port.to_string();
    let arguments = ["127.0.0.0/12", "--exclude", "127.0.0.0-127.0.0.12,127.0.0.14-127.15.255.255", "-p", &port];
    let found = document(&[&["ports", "-o", "json"][..], &arguments].concat());
    assert_eq!((addresses(&found), &found["scan"]["addresses"]), (vec!["127.0.0.13"], &1.into()));
    for target in ["10.0.0.0/9", "2001:db8::/64"] {
        let output = run(&["ports", target, "-p", "22"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(target) && stderr(&output).contains("at most 4194304"), "{}", stderr(&output));
    }
}

/// Name servers that give other addresses in turn are no reason to begin anew: a scan that is taken up keeps those it had,
/// and its results say so.
#[test]
fn a_scan_that_is_taken_up_keeps_the_addresses_of_its_names() {
    let Some(lab) = Lab::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let base = ["nas", "-p", "8000", "--resume", state.to_str().unwrap(), "-o"];
    let hosts = HostsFile::new(&lab.near, "10.99.0.1 nas\n");
    let full = lab.ports(&[&base[..], &["json=/dev/full"]].concat());
    assert_eq!(full.status.code(), Some(2), "{}", stderr(&full));
    assert!(state.exists());
    drop(hosts);
    for text in ["10.99.0.3 nas\n", "127.0.0.1 localhost\n"] {
        let _hosts = HostsFile::new(&lab.near, text);
        let output = lab.ports(&[&base[..], &["json=/dev/full"]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let output = lab.ports(&[&base[..], &["json"], &["-o", "csv=/dev/full"]].concat());
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        assert_eq!(addresses(&found), ["10.99.0.1"], "{text}");
        assert_eq!((&found["hosts"][0]["names"][0], &found["scan"]["addresses"]), (&"nas".into(), &1.into()), "{text}");
        assert_eq!(found["scan"]["partial"], false, "{text}: {found}");
    }
}

/// A name that led nowhere when the scan was begun is not forgotten, and one that is excluded meanwhile is no obstacle.
#[test]
fn names_that_come_and_go_meanwhile_are_told_of() {
    let Some(lab) = Lab::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let base = ["nas", "late", "-p", "8000", "--resume", state.to_str().unwrap(), "-o"];
    let kept = |more: &[&str]| {
        let output = lab.ports(&[&base[..], more, &["-o", "csv=/dev/full"]].concat());
        assert!(state.exists(), "{}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        let reasons = found["scan"]["partial_reasons"].to_string();
        (addresses(&found).join(" "), reasons)
    };
    let hosts = HostsFile::new(&lab.near, "10.99.0.1 nas\n");
    let (scanned, reasons) = kept(&["json"]);
    assert_eq!(scanned, "10.99.0.1");
    assert!(reasons.contains("late was not scanned"), "{reasons}");
    drop(hosts);
    let _hosts = HostsFile::new(&lab.near, "10.99.0.1 nas\n10.98.0.1 late\n");
    let (scanned, reasons) = kept(&["json"]);
    assert_eq!(scanned, "10.99.0.1");
    assert!(reasons.contains("late was not scanned: it led nowhere when this scan was begun"), "{reasons}");
    let (scanned, reasons) = kept(&["json", "--exclude", "late"]);
    assert_eq!((scanned.as_str(), reasons.as_str()), ("10.99.0.1", "[]"));
    let (scanned, _) = kept(&["json", "--exclude", "nas"]);
    assert_eq!(scanned, "", "what is excluded meanwhile is not told of");
}

/// A flag wins over the environment, and that over the file, also where one excludes the other.
#[test]
fn what_was_typed_overrules_the_environment_and_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("both.toml", "[ports]\nports = \"22,80\"\nservice-detection = true\nask-everything = true\n"),
        ("top.toml", "[ports]\ntop-ports = 7\n"),
        ("hosts.toml", "[ports]\ndiscover-only = true\n"),
        ("udp.toml", "[ports]\nudp = true\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let asked = |file: &str, environment: Option<(&str, &str)>, arguments: &[&str]| {
        let mut command = bartizan();
        if !file.is_empty() {
            command.env("BARTIZAN_CONFIG", file);
        }
        command.envs(environment).current_dir(folder.path());
        command.args(["ports", "127.0.0.1", "--wait", "100", "-o", "json"]).args(arguments).output().unwrap()
    };
    let ports = Some(("BARTIZAN_PORTS", "81"));
    for (file, environment, arguments, tcp) in [
        ("", ports, &["--top-ports", "1"][..], "443"),
        ("", ports, &["-sn"], ""),
        ("", ports, &["--discover-only"], ""),
        ("both.toml", None, &["-sn"], ""),
        ("both.toml", ports, &["--top-ports", "1"], "443"),
        ("both.toml", ports, &[], "81"),
        ("top.toml", None, &["-p", "82"], "82"),
        ("top.toml", ports, &[], "81"),
        ("top.toml", None, &["-sU", "-p", "T:82"], "82"),
        ("hosts.toml", None, &["-p", "82"], "82"),
        ("hosts.toml", ports, &[], "81"),
        ("hosts.toml", None, &[], ""),
        ("udp.toml", None, &["--top-ports", "1"], "443"),
        ("udp.toml", None, &["-sn"], ""),
        ("", Some(("BARTIZAN_ENGINE", "syn")), &["-sT", "-p", "82"], "82"),
    ] {
        let output = asked(file, environment, arguments);
        let case = format!("{file} {environment:?} {arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{case}: {}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["scan"]["tcp_ports"], tcp, "{case}");
        assert_eq!(found["scan"]["udp_ports"], "", "{case}");
        let detects = file == "both.toml" && arguments != ["-sn"];
        assert_eq!(found["scan"]["service_detection"], detects, "{case}");
        if environment.is_some_and(|(name, _)| name == "BARTIZAN_ENGINE") {
            assert_eq!(found["scan"]["engine"], "connect", "{case}");
        }
    }
    // Of two that were typed none wins.
    for (file, arguments, part) in [
        ("", &["-p", "80", "--top-ports", "3"][..], "--top-ports 3 and --ports 80"),
        ("", &["-sn", "-p", "80"], "--discover-only"),
        ("", &["-sT", "--engine", "syn"], "only one engine"),
        ("", &["-p", "80", "--ask-everything"], "without -sV"),
        ("both.toml", &["-sn", "-Pn"], "--no-discovery"),
    ] {
        let output = asked(file, None, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
    }
}
