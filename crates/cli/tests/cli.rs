//! The built program as its users see it: help, errors, exit codes, files, signals.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use common::{Peer, bartizan, run, run_in, stderr, stdout};
use serde_json::Value;

#[test]
fn help_is_stable() {
    for arguments in [&["--help"][..], &["scan", "--help"], &["convert", "--help"], &["checks", "--help"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        insta::assert_snapshot!(arguments.join("_").replace("--", ""), stdout(&output));
    }
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.txt"), "# ours\n127.0.0.1\nnot/a/target\n").unwrap();
    fs::write(folder.path().join("empty.pem"), "nothing\n").unwrap();
    fs::write(folder.path().join("anchor"), ". IN A 192.0.2.1\n").unwrap();
    fs::write(folder.path().join("bad.toml"), "[scan]\nspeed = 9\n").unwrap();
    let before = listing(folder.path());
    let cases: [(&[&str], &str); 36] = [
        (&["scan"], "TARGET"),
        (&["scan", "foo"], "`foo` is not a target"),
        (&["scan", "10.0.0.0/33"], "`10.0.0.0/33` is not a CIDR"),
        (&["scan", "10.0.0.0/8"], "at most 65536"),
        (&["scan", "2001:db8::/64"], "at most 65536"),
        (&["scan", "example.com:0"], "`0`"),
        (&["scan", "ftp://example.com"], "only http and https"),
        (&["scan", "127.0.0.1", "--ports", "80,0"], "`0`"),
        (&["scan", "127.0.0.1", "--ports", "5-2"], "`5-2`"),
        (&["scan", "127.0.0.1", "--ports", "top:0"], "`top:0`"),
        (&["scan", "127.0.0.1", "--checks", "nope.nope"], "unknown check `nope.nope`"),
        (&["scan", "127.0.0.1", "--skip", "nope.*"], "unknown check `nope.*`"),
        (&["scan", "127.0.0.1", "--skip", "*"], "no check is left"),
        (&["scan", "127.0.0.1", "--profile", "huge"], "unknown profile `huge`"),
        (&["scan", "127.0.0.1", "--concurrency", "500"], "concurrency 500"),
        (&["scan", "127.0.0.1", "--timeout", "0"], "timeout 0"),
        (&["scan", "127.0.0.1", "--timeout", "abc"], "expected a whole number"),
        (&["scan", "0x7f.1"], "does not end in a number"),
        (&["scan", "fe80::1%eth0"], "zone"),
        (&["scan", "127.0.0.1", "--max-time", "soon"], "--max-time"),
        (&["scan", "127.0.0.1", "--fail-on", "awful"], "unknown severity `awful`"),
        (&["scan", "127.0.0.1", "-o", "yaml"], "unknown format `yaml`"),
        (&["scan", "127.0.0.1", "-o", "json=nowhere/out.json"], "nowhere/out.json"),
        (&["scan", "127.0.0.1", "-o", "json", "-o", "csv"], "only one format"),
        (&["scan", "127.0.0.1", "-o", "evidence"], "name a file"),
        (&["scan", "127.0.0.1", "--checks", "tls"], "unknown check `tls`: the group is `tls.*`"),
        (&["scan", "example.com/shop"], "as in https://example.com/shop"),
        (&["scan", "127.0.0.1", "--rdap-bootstrap", "foo"], "expected an http or https URL"),
        (&["scan", "127.0.0.1", "--whois-server", "a b"], "expected a host with or without a port"),
        (&["scan", "-"], "read from standard input with @-"),
        (&["scan", "@"], "@FILE reads targets from a file"),
        (&["scan", "anchor"], "`anchor` is a file: to read targets from it, give @anchor"),
        (&["scan", "@missing.txt"], "missing.txt"),
        (&["scan", "@bad.txt"], "bad.txt:3"),
        (&["scan", "127.0.0.1", "--ca-file", "empty.pem"], "empty.pem"),
        (&["scan", "127.0.0.1", "--trust-anchor", "anchor"], "neither a DS nor a DNSKEY"),
    ];
    for (arguments, part) in cases {
        let output = run_in(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains(".tmp"), "{arguments:?} shows a name the user never gave");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert_eq!(listing(folder.path()), before, "{arguments:?} left something behind");
    }
    for (arguments, part) in [
        (&["--config", "bad.toml", "profiles"][..], "no setting `speed`"),
        (&["checks", "explain", "nope.nope"], "unknown check `nope.nope`"),
        (&["convert", "missing.json"], "missing.json"),
        (&["convert", "bad.txt"], "no format that is known here"),
        (&["man", "nope"], "no command `nope`: expected scan, ports"),
        (&["man", "checks", "scan"], "`bartizan checks` has no command `scan`: expected list, explain"),
        (&["man", "--dir", "bad.txt"], "cannot write to `bad.txt`"),
    ] {
        let output = run_in(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn an_unwritable_second_output_leaves_the_first_untouched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kept.json"), "kept").unwrap();
    let output =
        run_in(folder.path(), &["scan", "127.0.0.1", "-o", "json=kept.json", "-o", "evidence=e", "-o", "csv=no/x"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(folder.path().join("kept.json")).unwrap(), "kept");
    assert_eq!(listing(folder.path()), ["kept.json"]);
}

#[test]
fn a_target_file_of_comments_is_nothing_to_scan() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("targets"), "# one day\n\n  # another\n").unwrap();
    let output = run_in(folder.path(), &["scan", "@targets"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_name_that_does_not_resolve_is_incomplete_with_a_null_score() {
    // A UDP socket that never answers: the resolver is there and silent.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let base = ["scan", "shop.example.com", "--timeout", "1", "--resolver", &resolver, "--no-whois", "-o", "json"];
    let output = run(&base);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], "bartizan.scan/1");
    assert_eq!(document["score"]["value"], Value::Null);
    assert_eq!(document["hosts"][0]["reached"], false);
    assert_eq!(document["scan"]["partial"], true);
    assert!(document["verdicts"].as_array().unwrap().iter().all(|verdict| verdict["verdict"] != "pass"));
    let allowed = run(&[&base[..], &["--allow-partial"]].concat());
    assert_eq!(allowed.status.code(), Some(0), "{}", stderr(&allowed));
}

#[test]
fn an_address_of_which_nothing_is_asked_is_incomplete() {
    for arguments in [&["--no-port-scan", "--no-web"][..], &["--ports", ""]] {
        let output = run(&[&["scan", "127.0.0.1", "-o", "json"][..], arguments].concat());
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", stderr(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["score"]["value"], Value::Null);
        let reason = document["scan"]["partial_reasons"][0].as_str().unwrap();
        assert!(reason.contains("127.0.0.1 (nothing was asked of it)"), "{reason}");
    }
}

#[test]
fn an_interrupt_writes_what_there_is_and_marks_it() {
    let silent = Peer::silent();
    let folder = tempfile::tempdir().unwrap();
    let mut child = bartizan()
        .current_dir(folder.path())
        .args(["scan", &silent.target(), "--timeout", "60", "-o", "json=out.json", "-o", "evidence=out.evidence"])
        .spawn()
        .unwrap();
    silent.wait_for_a_connection();
    common::interrupt(&child);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let document: Value = serde_json::from_slice(&fs::read(folder.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(document["scan"]["status"], "cancelled");
    assert_eq!(document["scan"]["partial"], true);
    assert!(!document["scan"]["partial_reasons"].as_array().unwrap().is_empty());
    assert_eq!(listing(folder.path()), ["out.evidence", "out.json"]);
}

#[test]
fn the_evidence_converts_to_the_very_document_of_the_scan() {
    let silent = Peer::closing();
    let folder = tempfile::tempdir().unwrap();
    let outputs = ["-o", "json=out.json", "-o", "evidence=out.evidence", "-o", "jsonl=out.jsonl"];
    let scan = run_in(folder.path(), &[&["scan", &silent.target(), "--timeout", "2"][..], &outputs].concat());
    assert_eq!(scan.status.code(), Some(3), "nothing could be judged: {}", stderr(&scan));
    let document = fs::read(folder.path().join("out.json")).unwrap();
    for arguments in [
        &["convert", "out.evidence", "-o", "json"][..],
        &["convert", "out.evidence", "--rejudge", "-o", "json"],
        &["convert", "out.json", "-o", "json"],
        &["convert", "out.jsonl", "-o", "json"],
    ] {
        let converted = run_in(folder.path(), arguments);
        assert_eq!(converted.status.code(), Some(0), "{arguments:?}: {}", stderr(&converted));
        assert_eq!(converted.stdout, document, "{arguments:?}");
    }
    for format in ["table", "csv", "sarif", "html", "jsonl"] {
        let converted = run_in(folder.path(), &["convert", "out.json", "-o", format]);
        assert_eq!(converted.status.code(), Some(0), "{format}");
        assert!(!converted.stdout.is_empty(), "{format}");
    }
    let lines = fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let kinds: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((kinds.first().unwrap().as_str(), kinds.last().unwrap().as_str()), ("scan", "summary"));

    let evidence = fs::read(folder.path().join("out.evidence")).unwrap();
    fs::write(folder.path().join("cut.evidence"), &evidence[..evidence.len() - 20]).unwrap();
    let cut = run_in(folder.path(), &["convert", "cut.evidence", "-o", "json"]);
    assert_eq!(cut.status.code(), Some(3), "{}", stderr(&cut));
    assert!(stderr(&cut).contains("is cut after"), "{}", stderr(&cut));
    let read: Value = serde_json::from_slice(&cut.stdout).unwrap();
    assert_eq!(read["hosts"].as_array().unwrap().len(), 1);
    assert_eq!(read["scan"]["partial"], true);
    for holds_no_evidence in ["out.json", "out.jsonl"] {
        let rejudged = run_in(folder.path(), &["convert", holds_no_evidence, "--rejudge", "-o", "json"]);
        assert_eq!(rejudged.status.code(), Some(2), "{holds_no_evidence}");
        assert!(stderr(&rejudged).contains("holds results"), "{}", stderr(&rejudged));
    }

    let end = lines.rfind("{\"type\":\"summary\"").unwrap();
    for cut in [end, end + 20] {
        fs::write(folder.path().join("cut.jsonl"), &lines[..cut]).unwrap();
        let cut = run_in(folder.path(), &["convert", "cut.jsonl", "-o", "json"]);
        assert_eq!(cut.status.code(), Some(3), "{}", stderr(&cut));
        assert!(stderr(&cut).contains("`cut.jsonl` is cut ("), "{}", stderr(&cut));
        let read: Value = serde_json::from_slice(&cut.stdout).unwrap();
        assert_eq!((&read["scan"]["status"], &read["scan"]["partial"]), (&"failed".into(), &true.into()));
        assert_eq!(read["hosts"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn what_cannot_be_converted_is_called_by_its_name() {
    let site = Peer::site();
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["scan".to_owned(), site.target(), "--checks".into(), "csp.missing".into()];
    for format in ["csv", "sarif", "html", "table", "json"] {
        arguments.extend(["-o".to_owned(), format!("{format}=out.{format}")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(run_in(folder.path(), &arguments).status.code(), Some(0));
    let port = site.target().rsplit(':').next().unwrap().to_owned();
    let ports = run(&["ports", "127.0.0.1", "-p", &port, "-o", "json", "--quiet"]);
    assert_eq!(ports.status.code(), Some(0), "{}", stderr(&ports));
    fs::write(folder.path().join("ports.json"), &ports.stdout).unwrap();
    let document = fs::read(folder.path().join("out.json")).unwrap();
    fs::write(folder.path().join("half.json"), &document[..document.len() / 2]).unwrap();
    fs::write(folder.path().join("empty"), "\n").unwrap();
    fs::write(folder.path().join("other.json"), "{\"schema\":\"acme/1\"}").unwrap();
    fs::write(folder.path().join("lines.jsonl"), "{\"host\":1}\n{\"host\":2}\n").unwrap();
    for (file, what) in [
        ("out.csv", "is CSV, which holds findings only"),
        ("out.sarif", "is SARIF, which holds findings only"),
        ("out.html", "is an HTML page"),
        ("out.table", "no format that is known here"),
        ("ports.json", "is a port scan"),
        ("half.json", "is a damaged result document"),
        ("empty", "is empty"),
        ("other.json", "JSON with the schema `acme/1`"),
        ("lines.jsonl", "is no result of a scan"),
    ] {
        let output = run_in(folder.path(), &["convert", file, "-o", "json"]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        let said = stderr(&output);
        assert!(said.contains(&format!("`{file}` ")) && said.contains(what), "{said}");
        assert!(file == "half.json" || said.contains("-o json, -o jsonl and -o evidence"), "{said}");
    }
}

#[test]
fn targets_come_from_standard_input_too() {
    let site = Peer::site();
    let scan = |input: &str| {
        let mut child = bartizan()
            .args(["scan", "@-", "--checks", "csp.missing", "--quiet", "-o", "json"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = scan(&format!("# ours\n{}  # the shop\n", site.target()));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["scan"]["targets"][0], site.target());
    let output = scan("127.0.0.1\nnot/a/target\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("standard input:2: `not/a/target`"), "{}", stderr(&output));
    assert_eq!(scan("").status.code(), Some(4));
}

#[test]
fn progress_and_results_keep_to_their_streams() {
    let silent = Peer::closing();
    let scan = |more: &[&str]| run(&[&["scan", &silent.target(), "--timeout", "2"][..], more].concat());
    let json = scan(&["--progress", "json", "-o", "jsonl"]);
    let events: Vec<Value> = stderr(&json).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "planned");
    assert_eq!(events.last().unwrap()["event"], "finished");
    let last = events.iter().rev().find(|event| event["event"] == "progress").unwrap();
    assert_eq!(last["hosts"]["done"], 1);
    assert_eq!(last["checks"]["done"], last["checks"]["total"]);
    assert!(stdout(&json).lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let plain = scan(&["--progress", "plain"]);
    assert!(stderr(&plain).lines().next().unwrap().starts_with("scanning 1 host with"), "{}", stderr(&plain));
    let quiet = scan(&["--quiet"]);
    assert_eq!(stderr(&quiet), "");
    assert!(!stdout(&quiet).contains('\u{1b}'), "no colour outside a terminal");
    let site = Peer::site();
    let coloured = run(&["scan", &site.target(), "--checks", "csp.missing", "--quiet", "--color", "always"]);
    assert!(stdout(&coloured).contains('\u{1b}'));
}

#[test]
fn findings_decide_the_exit_code_and_gaps_only_if_strict() {
    let site = Peer::site();
    let target = site.target();
    let base = ["scan", &target, "--checks", "csp.missing", "--quiet", "-o", "json"];
    let with = |more: &[&str]| run(&[&base[..], more].concat()).status.code();
    assert_eq!(with(&[]), Some(0), "findings alone are no failure");
    assert_eq!(with(&["--fail-on", "medium"]), Some(1));
    assert_eq!(with(&["--fail-on", "critical"]), Some(0));
    // A name that cannot be resolved beside it makes the scan incomplete.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let gap = ["gone.example.com", "--timeout", "1", "--resolver", &resolver, "--fail-on", "medium"];
    assert_eq!(with(&gap), Some(1), "findings come before gaps");
    assert_eq!(with(&[&gap[..], &["--strict"]].concat()), Some(3));
    assert_eq!(with(&[&gap[..5], &["--fail-on", "critical"]].concat()), Some(3));
    let document: Value = serde_json::from_slice(&run(&base).stdout).unwrap();
    assert_eq!(document["findings"][0]["check_id"], "csp.missing");
    assert_eq!(document["findings"][0]["location"], format!("tcp/{}", target.rsplit(':').next().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("out.json"), serde_json::to_vec(&document).unwrap()).unwrap();
    let converted = run_in(folder.path(), &["convert", "out.json", "-o", "csv", "--fail-on", "medium"]);
    assert_eq!(converted.status.code(), Some(1));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = bartizan().args(["checks", "list", "--format", "json"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let silent = Peer::closing();
    let arguments = ["scan", &silent.target(), "--timeout", "2", "-o", "jsonl"];
    let output = bartizan().args(arguments).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn the_catalogue_can_be_read() {
    let table = run(&["checks", "list"]);
    assert_eq!(table.status.code(), Some(0));
    let list: Vec<Value> = serde_json::from_slice(&run(&["checks", "list", "--format", "json"]).stdout).unwrap();
    assert_eq!(stdout(&table).lines().count(), list.len() + 1);
    let id = list[0]["id"].as_str().unwrap();
    let explained = stdout(&run(&["checks", "explain", id]));
    for heading in ["What is checked", "Why it matters", "How to fix it", "References"] {
        assert!(explained.contains(heading), "{explained}");
    }
    let category = list[0]["category"].as_str().unwrap();
    let some: Vec<Value> =
        serde_json::from_slice(&run(&["checks", "list", "--format", "json", "--category", category]).stdout).unwrap();
    assert!(some.iter().all(|check| check["category"] == category) && !some.is_empty());
    assert_eq!(stdout(&run(&["profiles"])).lines().count(), 4);
}

#[test]
fn manual_and_completions_are_made_of_the_arguments() {
    assert!(stdout(&run(&["man"])).contains("bartizan\\-scan(1)"));
    for (command, flag) in [("scan", "trust\\-anchor"), ("convert", "rejudge"), ("ports", "service\\-detection")] {
        let page = stdout(&run(&["man", command]));
        assert!(page.contains(flag) && page.contains(&format!(".TH bartizan-{command} 1")), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&run(&["completions", shell])).contains("--fail-on") || shell == "fish");
    }
}

#[test]
fn manual_pages_refer_to_pages_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_in(folder.path(), &["man", "--dir", "share/man1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let pages = folder.path().join("share/man1");
    let names = listing(&pages);
    for name in ["bartizan.1", "bartizan-scan.1", "bartizan-checks.1", "bartizan-checks-explain.1", "bartizan-man.1"] {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    assert!(stderr(&output).contains(&format!("wrote {} pages", names.len())), "{}", stderr(&output));
    let mut references = 0;
    for name in &names {
        let page = fs::read_to_string(pages.join(name)).unwrap().replace("\\-", "-");
        for (before, _) in page.match_indices("(1)").map(|(at, _)| page.split_at(at)) {
            let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '-').map_or(0, |at| at + 1);
            let file = format!("{}.1", before[start..].trim_start_matches("fB").trim_start_matches("fR"));
            assert!(names.contains(&file), "{name} refers to {file}");
            references += 1;
        }
    }
    // Each page but the first is referred to.
    assert!(references >= names.len() - 1, "{references} references, {} pages", names.len());
}

#[test]
fn settings_come_from_flag_then_environment_then_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b.toml"), "[scan]\nports = '80,0'\nno-whois = true\n").unwrap();
    let with = |flags: &[&str], environment: Option<&str>| {
        let mut command = bartizan();
        command.current_dir(folder.path()).args(["--config", "b.toml", "scan", "127.0.0.1", "--concurrency", "500"]);
        command.args(flags);
        if let Some(ports) = environment {
            command.env("BARTIZAN_PORTS", ports);
        }
        stderr(&command.output().unwrap())
    };
    assert!(with(&[], None).contains("`0`"), "the file's ports are used: {}", with(&[], None));
    assert!(with(&[], Some("5-2")).contains("`5-2`"), "{}", with(&[], Some("5-2")));
    assert!(with(&["--ports", "9-8"], Some("5-2")).contains("`9-8`"));
    assert!(with(&["--ports", "80"], None).contains("concurrency 500"));
}

/// What was typed wins over the environment, also where one excludes the other; of two that were typed none wins.
#[test]
fn what_was_typed_overrules_what_it_excludes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("none.txt"), "# nothing\n").unwrap();
    fs::write(folder.path().join("strict.toml"), "[scan]\nstrict = true\n").unwrap();
    let partial = ("BARTIZAN_ALLOW_PARTIAL", "true");
    for (variables, arguments, code, part) in [
        (&[partial][..], &["scan", "@none.txt", "--strict"][..], 4, "no target"),
        (&[partial, ("BARTIZAN_CONFIG", "strict.toml")], &["scan", "@none.txt"], 4, "no target"),
        (&[partial, ("BARTIZAN_STRICT", "true")], &["scan", "@none.txt"], 2, "cannot be used with"),
        (&[], &["scan", "@none.txt", "--strict", "--allow-partial"], 2, "cannot be used with"),
        (&[], &["audit", ".", "--strict", "--allow-partial"], 2, "cannot be used with"),
        (&[("BARTIZAN_OUTPUT", "json")], &["convert", "gone", "--print-evidence"], 2, "cannot read `gone`"),
        (&[], &["convert", "gone", "--print-evidence", "-o", "json"], 2, "cannot be used with"),
    ] {
        let output =
            bartizan().current_dir(folder.path()).envs(variables.iter().copied()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{variables:?} {arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{variables:?} {arguments:?}: {}", stderr(&output));
    }
}

fn listing(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
