//! Link-local addresses with their zones: targets, exclusions, every format, and runs that are taken up again.

use serde_json::Value;

use super::common::{stderr, stdout};
use super::namespaces::{Lab, ip};

/// A web server on port 8000 of fe80::1:1 and fe80::1:3 at the far end of `v0`; the same addresses are at the end of `w0` too, and
/// have no server there.
fn lab() -> Option<Lab> {
    let lab = Lab::new()?;
    let (near, far) = (&lab.near, &lab.far);
    assert!(ip(&format!("link add w0 netns {near} type veth peer name w1 netns {far}")));
    for (space, device, hosts) in
        [(near, "v0", &[2][..]), (near, "w0", &[2]), (far, "v1", &[1, 3]), (far, "w1", &[1, 3])]
    {
        assert!(ip(&format!("-n {space} link set {device} up")));
        for host in hosts {
            assert!(ip(&format!("-n {space} address add fe80::1:{host}/64 dev {device} nodad")));
        }
    }
    // What comes in on the one link is for the web server, on the other for nobody.
    lab.rules(
        "table ip6 lab { chain pre { type filter hook prerouting priority -300; policy accept;\n\
         iifname w1 ip6 saddr fe80::/10 tcp dport 8000 reject with tcp reset\n }\n\
         chain nat { type nat hook prerouting priority -100; policy accept;\n\
         iifname v1 ip6 daddr fe80::1:1 tcp dport 8000 dnat to [fd99::1]:8000\n\
         iifname v1 ip6 daddr fe80::1:3 tcp dport 8000 dnat to [fd99::3]:8000\n }\n }\n",
    );
    Some(lab)
}

fn open(document: &Value) -> Vec<String> {
    let hosts = document["hosts"].as_array().unwrap().iter();
    let ports = hosts.flat_map(|host| host["ports"].as_array().unwrap());
    let is_open = |port: &&Value| port["state"] == "open";
    let text = |port: &Value| {
        format!("{}%{} {}", port["address"].as_str().unwrap(), port["zone"].as_str().unwrap_or("-"), port["port"])
    };
    ports.filter(is_open).map(text).collect()
}

#[test]
fn a_zone_says_on_which_link_an_address_is() {
    let Some(lab) = lab() else { return };
    let number = stdout(&lab.near(&["cat", "/sys/class/net/v0/ifindex"])).trim().to_owned();
    for engine in ["syn", "connect"] {
        for (targets, interface, expected) in [
            (vec!["fe80::1:1%v0".to_owned()], None, vec!["fe80::1:1%v0 8000"]),
            (vec![format!("[fe80::1:1%{number}]")], None, vec!["fe80::1:1%v0 8000"]),
            (vec!["fe80::1:1".to_owned()], Some("v0"), vec!["fe80::1:1%v0 8000"]),
            (vec!["fe80::1:1%w0".to_owned()], None, vec![]),
            (
                vec!["fe80::1:1%w0".to_owned(), "fe80::1:0%v0/126".to_owned()],
                None,
                vec!["fe80::1:1%v0 8000", "fe80::1:3%v0 8000"],
            ),
        ] {
            let mut arguments: Vec<&str> = targets.iter().map(String::as_str).collect();
            arguments.extend(["-p", "T:8000,8001", "--engine", engine, "-o", "json"]);
            interface.into_iter().for_each(|name| arguments.extend(["--interface", name]));
            let output = lab.ports(&arguments);
            assert_eq!(output.status.code(), Some(0), "{engine} {targets:?}: {}", stderr(&output));
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(open(&document), expected, "{engine} {targets:?}: {document}");
            let hosts = document["hosts"].as_array().unwrap();
            let answered = hosts.iter().filter(|host| host["answered"] == true);
            assert_eq!(answered.count(), if expected.len() == 2 { 4 } else { 1 }, "{engine} {targets:?}: {document}");
        }
    }
}

#[test]
fn every_format_and_every_option_knows_zones() {
    let Some(lab) = lab() else { return };
    lab.rules(
        "table netdev lab { counter excluded { }\n chain ingress { type filter hook ingress device v1 priority 0; policy accept;\n\
         ip6 daddr { fe80::1:3, ff02::1:ff01:3 } counter name excluded\n }\n }\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for engine in ["syn", "connect"] {
        for discovery in [&[][..], &["--no-discovery"]] {
            let outputs: Vec<String> =
                ["table", "json", "jsonl", "csv", "xml"].map(|format| format!("{format}={}", file(format))).into();
            let mut arguments =
                vec!["fe80::1:1%v0", "fe80::1:3%v0", "--exclude", "fe80::1:3%v0", "-p", "T:8000,8001,U:9", "-sV"];
            arguments.extend(["--engine", engine]);
            arguments.extend(discovery);
            outputs.iter().for_each(|output| arguments.extend(["-o", output.as_str()]));
            let state = file("state");
            arguments.extend(["--resume", &state]);
            let output = lab.ports(&arguments);
            assert_eq!(output.status.code(), Some(0), "{engine}: {}", stderr(&output));
            let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
            let document: Value = serde_json::from_str(&read("json")).unwrap();
            let host = &document["hosts"][0];
            assert_eq!((host["address"].as_str(), host["zone"].as_str()), (Some("fe80::1:1"), Some("v0")));
            assert_eq!(document["scan"]["targets"][0], "fe80::1:1%v0");
            let ports = host["ports"].as_array().unwrap();
            let of = |number: u64| ports.iter().find(|port| port["port"] == number).unwrap();
            assert_eq!((&of(8000)["service"], &of(8000)["zone"]), (&"http".into(), &"v0".into()), "{host}");
            assert_eq!((&of(9)["state"], &of(9)["protocol"]), (&"closed".into(), &"udp".into()), "{host}");
            assert!(read("table").contains("fe80::1:1%v0"), "{}", read("table"));
            assert!(read("csv").contains("\nfe80::1:1%v0,,8000,tcp,open"), "{}", read("csv"));
            let line: Value = serde_json::from_str(read("jsonl").lines().next().unwrap()).unwrap();
            assert_eq!((line["address"].as_str(), line["zone"].as_str()), (Some("fe80::1:1"), Some("v0")));
            for part in ["addr=\"fe80::1:1\" addrtype=\"ipv6\"", "hostname name=\"fe80::1:1%v0\" type=\"user\""] {
                assert!(read("xml").contains(part), "{part}: {}", read("xml"));
            }
        }
    }
    assert_eq!(lab.counted("excluded"), 0);
    // A run that was stopped is taken up with the same address on the same link, and with no other.
    let state = file("stopped");
    let base = ["-p", "7000-8000", "--rate", "300", "--engine", "syn", "--resume", &state, "-o", "json"];
    let output = lab.ports(&[&["fe80::1:1%v0", "--max-time", "1s"][..], &base].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let output = lab.ports(&[&["fe80::1:1%w0"][..], &base].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let output = lab.ports(&[&["fe80::1:1%v0"][..], &base].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(open(&serde_json::from_slice(&output.stdout).unwrap()), ["fe80::1:1%v0 8000"]);
}
