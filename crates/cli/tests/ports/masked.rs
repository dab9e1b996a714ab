//! A host on which every port is open is told of in one line, not in a thousand.

use serde_json::Value;

use super::common::{stderr, stdout};
use super::namespaces::Lab;

#[test]
fn a_host_that_accepts_everything_is_never_a_host_with_very_many_services() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain nat { type nat hook prerouting priority -100; policy accept;\n\
         ip daddr 10.99.0.1 tcp dport 1-65535 redirect to :8000\n }\n }\n",
    );
    let folder = tempfile::tempdir().unwrap();
    for engine in ["syn", "connect"] {
        for (ports, count) in [("1-1000", 1000), ("1-60", 60), ("80,443", 2)] {
            let file = |format: &str| format!("{format}={}", folder.path().join(format).display());
            let (json, lines, xml) = (file("json"), file("jsonl"), file("xml"));
            let outputs = ["-sV", "-o", "table", "-o", &json, "-o", &lines, "-o", &xml];
            let output = lab.ports(&[&["10.99.0.1", "-p", ports, "--engine", engine][..], &outputs].concat());
            assert_eq!(output.status.code(), Some(0), "{engine} {ports}: {}", stderr(&output));
            let table = stdout(&output);
            let run = |format: &str| std::fs::read_to_string(folder.path().join(format)).unwrap();
            assert!(table.contains("Every port answers as open"), "{engine} {ports}: {table}");
            assert!(table.contains("\n0 open ports;"), "{engine} {ports}: {table}");
            assert!(table.lines().count() < 15, "{engine} {ports}: {table}");
            let document: Value = serde_json::from_str(&run("json")).unwrap();
            let host = &document["hosts"][0];
            assert_eq!(host["everything_open"], true);
            let listed = host["ports"].as_array().unwrap();
            assert!(listed.iter().all(|port| port["everything_open"] == true && port["service"].is_null()), "{host}");
            let counted: u64 =
                host["summarised"].as_array().unwrap().iter().map(|sum| sum["count"].as_u64().unwrap()).sum();
            assert_eq!(listed.len() as u64 + counted, count, "{engine} {ports}: {host}");
            assert_eq!(listed.len(), if count > 25 { 0 } else { 2 });
            let lines = run("jsonl");
            assert!(lines.contains("\"accepts-everything\""), "{lines}");
            assert!(lines.lines().count() < 100, "{engine}: {} lines", lines.lines().count());
            assert!(run("xml").contains("bartizan-everything-open"));
            // Who asks for no services gets no more lines.
            let output = lab.ports(&["10.99.0.1", "-p", ports, "--engine", engine, "-o", "jsonl"]);
            assert_eq!(output.status.code(), Some(0), "{engine} {ports}: {}", stderr(&output));
            let lines = stdout(&output);
            assert!(lines.lines().last().unwrap().contains("\"accepts-everything\""), "{engine} {ports}: {lines}");
            assert!(lines.lines().count() < 30, "{engine} {ports}: {} lines", lines.lines().count());
        }
        // Its neighbour has one service, and is asked for nothing else.
        let output = lab.ports(&["10.99.0.3", "-p", "8000", "--engine", engine, "-o", "json"]);
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert!(document["hosts"][0]["everything_open"].is_null(), "{document}");
        assert_eq!(document["hosts"][0]["ports"][0]["state"], "open");
    }
}

/// What a proxy does to TCP says nothing about UDP.
#[test]
fn udp_behind_a_host_that_accepts_everything_is_asked_what_speaks_there() {
    let Some(mut lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain nat { type nat hook prerouting priority -100; policy accept;\n\
         ip daddr 10.99.0.1 tcp dport 1-65535 redirect to :8000\n }\n }\n",
    );
    lab.tell_the_time("10.99.0.1", 5300);
    let output = lab.ports(&["10.99.0.1", "-p", "T:1-100,U:5300", "-sV", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let host = &document["hosts"][0];
    assert_eq!((&host["everything_open"], host["ports"].as_array().unwrap().len()), (&true.into(), 1), "{host}");
    let port = &host["ports"][0];
    assert_eq!((&port["port"], &port["service"], &port["state"]), (&5300.into(), &"ntp".into(), &"open".into()));
}
