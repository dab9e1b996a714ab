//! `bartizan feeds` as its users see it: import, list, status, fetch, exit codes.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn feeds(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BARTIZAN_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).current_dir(folder).arg("feeds").args(arguments).output().unwrap()
}

fn expect(folder: &Path, arguments: &[&str], code: i32) -> (String, String) {
    let output = feeds(folder, arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    (out, err)
}

fn kev(entries: u32) -> String {
    let entries: Vec<String> = (0..entries)
        .map(|entry| {
            format!(
                "{{\"cveID\":\"CVE-2031-{:05}\",\"dateAdded\":\"2031-01-01\",\"dueDate\":\"2031-02-01\"}}",
                entry + 1
            )
        })
        .collect();
    format!("{{\"catalogVersion\":\"1\",\"count\":{},\"vulnerabilities\":[{}]}}", entries.len(), entries.join(","))
}

#[test]
fn files_are_imported_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("kev.json"), kev(10)).unwrap();
    fs::write(path.join("notes.txt"), "nothing that is known\n").unwrap();
    let (out, _) = expect(path, &["import", "kev.json", "--store", "s"], 0);
    assert!(out.contains("kev-json") && out.contains("imported"), "{out}");
    let (out, _) = expect(path, &["list", "--store", "s", "--format", "json"], 0);
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(listed["sources"][0]["signals"], 10);
    expect(path, &["status", "--store", "s"], 0);

    let (_, err) = expect(path, &["import", "notes.txt", "--store", "s"], 3);
    assert!(err.contains("no format that is known"), "{err}");
    let (_, err) = expect(path, &["import", "missing.json", "--store", "s"], 3);
    assert!(err.contains("missing.json"), "{err}");

    // Fewer than half: refused, remembered, and accepted on request.
    fs::write(path.join("kev.json"), kev(4)).unwrap();
    let (out, _) = expect(path, &["import", "kev.json", "--store", "s"], 3);
    assert!(out.contains("fewer than half") && out.contains("kept as it was"), "{out}");
    let (out, _) = expect(path, &["status", "--store", "s"], 3);
    assert!(out.contains("fewer than half"), "{out}");
    expect(path, &["import", "kev.json", "--store", "s", "--accept-shrinking"], 0);
    expect(path, &["status", "--store", "s"], 0);

    // Cut before anything can be recognised: the source of that file remembers it.
    fs::write(path.join("kev.json"), "").unwrap();
    expect(path, &["import", "kev.json", "--store", "s"], 3);
    let (out, _) = expect(path, &["status", "--store", "s"], 3);
    assert!(out.contains("no format that is known"), "{out}");

    expect(path, &["remove", "kev", "--store", "s"], 0);
    expect(path, &["remove", "kev", "--store", "s"], 2);
    expect(path, &["list", "--store", "s"], 4);
}

#[test]
fn sources_are_fetched_when_they_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = kev(3);
    let answers = [
        format!(
            "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
        "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>".to_owned(),
    ];
    let server = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            heads.push(head);
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
        heads
    });
    fs::write(
        path.join("sources.toml"),
        format!(
            "[[source]]\nslug = \"kev\"\nname = \"KEV\"\nurl = \"http://{address}/kev.json\"\nlicence = \"CC0\"\ngroup = \"signals\"\n\
             default = true\nmax_mib = 1\n"
        ),
    )
    .unwrap();
    let fetch = ["fetch", "--store", "s", "--sources", "sources.toml", "--allow-private"];
    // Private addresses are refused unless they are allowed.
    let (_, err) = expect(path, &fetch[..5], 3);
    assert!(err.contains("not a public address"), "{err}");
    let (out, _) = expect(path, &fetch, 0);
    assert!(out.contains("imported"), "{out}");
    let (out, _) = expect(path, &fetch, 0);
    assert!(out.contains("not changed"), "{out}");
    expect(path, &fetch, 3);
    let (out, _) = expect(path, &["list", "--store", "s", "--format", "json"], 0);
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(listed["sources"][0]["signals"], 3);
    assert!(listed["sources"][0]["failure"]["reason"].as_str().unwrap().contains("no format"), "{out}");
    let heads = server.join().unwrap();
    assert!(heads[1].to_lowercase().contains("if-none-match: \"one\""), "{}", heads[1]);
    let (_, err) = expect(path, &["fetch", "nonsense", "--store", "s"], 2);
    assert!(err.contains("neither a source nor a group"), "{err}");
}
