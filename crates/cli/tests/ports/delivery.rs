//! What becomes of results that nobody takes, and of a scan that is stopped while names are resolved: nothing is lost that
//! was found, nothing is left behind, and the exit code says so.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command};

use serde_json::Value;

use super::common::{bartizan, run, run_in, stderr, stdout};
use super::{listener, listing};

/// A server that greets as OpenSSH does for as long as it is wanted, and its port.
struct Greeter {
    port: u16,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Greeter {
    fn new(address: &str) -> Self {
        let (listener, port) = listener(address);
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                if stopped.load(std::sync::atomic::Ordering::SeqCst) {
                    break;
                }
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n");
            }
        });
        Self { port, stop, thread: Some(thread) }
    }

    /// Takes the server away, so that who asks again is refused.
    fn end(mut self, address: &str) {
        self.stop.store(true, std::sync::atomic::Ordering::SeqCst);
        drop(std::net::TcpStream::connect((address, self.port)).unwrap());
        self.thread.take().unwrap().join().unwrap();
        assert!(std::net::TcpStream::connect((address, self.port)).is_err());
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

/// The state outlives results that could not be written, and the same command gives them without asking again.
#[test]
fn a_disk_that_is_full_when_results_are_written_costs_nothing_but_the_command() {
    let address = "127.0.0.6";
    for (services, kept) in [(&[][..], &["state"][..]), (&["-sV"], &["state", "state.services"])] {
        let folder = tempfile::tempdir().unwrap();
        let server = Greeter::new(address);
        let port = server.port;
        let ports = format!("{port},1-40");
        let base = ["ports", address, "-p", &ports, "--engine", "connect", "--resume", "state"];
        let full = run_in(folder.path(), &[&base[..], services, &["-o", "json=/dev/full"]].concat());
        assert_eq!(full.status.code(), Some(2), "{}", stderr(&full));
        assert!(
            stderr(&full).contains("/dev/full") && stderr(&full).contains("state is kept in state"),
            "{}",
            stderr(&full)
        );
        assert_eq!(listing(folder.path()), kept, "{services:?}");
        server.end(address);
        let again = run_in(folder.path(), &[&base[..], services, &["-o", "json=a.json"]].concat());
        assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
        let document = read(folder.path(), "a.json");
        let found = document["hosts"][0]["ports"].as_array().unwrap();
        let found = found.iter().find(|found| found["port"] == port).unwrap();
        assert_eq!(found["state"], "open", "it was asked again: {found}");
        assert_eq!(found["service"] == "ssh", !services.is_empty(), "{found}");
        assert_eq!(document["hosts"][0]["summarised"][0]["count"], 40);
        assert_eq!(listing(folder.path()), ["a.json"], "what is delivered needs no state");
    }
}

/// Killed between the last answer and the last byte of the results, a scan is still there.
#[test]
fn a_scan_killed_while_results_are_written_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    // More than a pipe holds.
    let base =
        ["ports", "127.0.7.0-127.0.7.63", "-p", "1-20", "--engine", "connect", "--no-discovery", "--resume", "state"];
    let mut child = bartizan().current_dir(folder.path()).args(base).args(["-o", "json=pipe"]).spawn().unwrap();
    let mut pipe = std::fs::File::open(folder.path().join("pipe")).unwrap();
    pipe.read_exact(&mut [0; 1]).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(listing(folder.path()), ["pipe", "state"]);
    let again = run_in(folder.path(), &[&base[..], &["-o", "json=a.json"]].concat());
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(read(folder.path(), "a.json")["hosts"].as_array().unwrap().len(), 64);
    assert_eq!(listing(folder.path()), ["a.json", "pipe"]);
}

fn read(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// Who stops to read standard output gives that up and nothing else.
#[test]
fn a_reader_that_goes_away_takes_no_other_output_with_him() {
    let address = "127.0.0.7";
    let servers: Vec<(TcpListener, u16)> = (0..20).map(|_| listener(address)).collect();
    let ports = servers.iter().map(|(_, port)| port.to_string()).collect::<Vec<_>>().join(",");
    // The last ports are asked long after the first line was read.
    let base =
        ["ports", address, "-p", &ports, "--engine", "connect", "--no-discovery", "--rate", "20", "--resume", "state"];
    for (others, code) in [(&["-o", "xml=a.xml", "-o", "json=a.json"][..], 0), (&[], 3)] {
        let folder = tempfile::tempdir().unwrap();
        let mut child =
            bartizan().current_dir(folder.path()).args(base).args(["-o", "jsonl"]).args(others).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0);
        drop(lines);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        // What one reader did not want may be wanted after all.
        assert!(folder.path().join("state").exists() && stderr(&output).contains("state"), "{}", stderr(&output));
        if others.is_empty() {
            assert!(stderr(&output).contains("nobody took the results"), "{}", stderr(&output));
            continue;
        }
        let document = read(folder.path(), "a.json");
        assert_eq!(document["hosts"][0]["ports"].as_array().unwrap().len(), servers.len());
        assert_eq!((&document["scan"]["status"], &document["scan"]["partial"]), (&"completed".into(), &false.into()));
        let xml = std::fs::read_to_string(folder.path().join("a.xml")).unwrap();
        assert_eq!(xml.matches("state=\"open\"").count(), servers.len());
        assert!(xml.contains("exit=\"success\"") && xml.ends_with("</nmaprun>\n"));
    }
}

/// Each way to be told to end, also while names are resolved.
#[test]
fn nothing_is_left_behind_by_a_scan_that_is_stopped_while_names_are_resolved() {
    use rustix::process::Signal;
    for stop in [Signal::INT, Signal::TERM, Signal::HUP] {
        for (exclusion, left) in [(&[][..], &["a.json", "a.xml"][..]), (&["--exclude", "never.example.com"], &[])] {
            let folder = tempfile::tempdir().unwrap();
            let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
            let resolver = silent.local_addr().unwrap().to_string();
            let child = bartizan()
                .current_dir(folder.path())
                .args(["ports", "shop.example.com", "-p", "80", "--timeout", "60", "--resolver", &resolver])
                .args(["-o", "json=a.json", "-o", "xml=a.xml"])
                .args(exclusion)
                .spawn()
                .unwrap();
            silent.recv_from(&mut [0; 512]).unwrap();
            signal(&child, stop);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(130), "{stop:?}: {}", stderr(&output));
            assert_eq!(listing(folder.path()), left, "{stop:?}");
            if !left.is_empty() {
                assert_eq!(read(folder.path(), "a.json")["scan"]["status"], "cancelled");
            }
        }
    }
}

/// Who has no time to wait for results either leaves no temporary file.
#[test]
fn a_second_signal_ends_the_program_at_once_and_takes_its_files_away() {
    use rustix::process::Signal;
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let mut child = bartizan()
        .current_dir(folder.path())
        .args(["ports", "127.0.7.0-127.0.7.63", "-p", "1-20", "--engine", "connect", "--no-discovery"])
        .args(["-o", "csv=a.csv", "-o", "json=pipe", "-o", "xml=a.xml"])
        .spawn()
        .unwrap();
    // It hangs in the middle of its results.
    let mut pipe = std::fs::File::open(folder.path().join("pipe")).unwrap();
    pipe.read_exact(&mut [0; 1]).unwrap();
    signal(&child, Signal::TERM);
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("stopping") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it takes no notice");
    }
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(listing(folder.path()), ["a.csv", "pipe"], "what was complete, and no temporary file");
}

/// The end of the terminal is no reason to stop for who asked to ignore it.
#[test]
fn under_nohup_the_end_of_the_terminal_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let child = Command::new("nohup")
        .arg(env!("CARGO_BIN_EXE_bartizan"))
        .current_dir(folder.path())
        .args(["ports", "shop.example.com", "-p", "80", "--timeout", "1", "--resolver", &resolver, "-o", "json=a.json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    silent.recv_from(&mut [0; 512]).unwrap();
    signal(&child, rustix::process::Signal::HUP);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(3), "it went on, and the name had no address");
}

/// The time for the whole scan begins with its names, and results say that it ran out in every format.
#[test]
fn the_time_limit_counts_from_the_beginning_and_every_format_says_that_it_ended_the_scan() {
    let folder = tempfile::tempdir().unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let begin = std::time::Instant::now();
    let base = ["ports", "shop.example.com", "127.0.0.1", "-p", "1", "--timeout", "60", "--resolver", &resolver];
    let outputs = ["-o", "json=a.json", "-o", "xml=a.xml", "-o", "table", "--max-time", "1s"];
    let output = run_in(folder.path(), &[&base[..], &outputs].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(begin.elapsed().as_secs() < 30, "resolving took its own time");
    let document = read(folder.path(), "a.json");
    assert_eq!((&document["scan"]["status"], &document["scan"]["partial"]), (&"incomplete".into(), &true.into()));
    assert!(document["scan"]["partial_reasons"].to_string().contains("time limit"), "{document}");
    let xml = std::fs::read_to_string(folder.path().join("a.xml")).unwrap();
    assert!(xml.contains("exit=\"error\"") && !xml.contains("exit=\"success\""), "{xml}");
    assert!(xml.contains("errormsg=\"") && xml.contains("INCOMPLETE: "), "{xml}");
    assert!(stdout(&output).contains("INCOMPLETE"), "{}", stdout(&output));
}

/// A name without an address is missing from the results, which is another thing than a host that is silent.
#[test]
fn a_scan_without_one_of_its_names_is_no_success_in_xml() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let base = ["ports", "127.0.0.1", "shop.example.com", "-p", "1", "--timeout", "1", "--resolver", &resolver, "-o"];
    let folder = tempfile::tempdir().unwrap();
    let xml = run_in(folder.path(), &[&base[..], &["xml"]].concat());
    assert_eq!(xml.status.code(), Some(3));
    assert!(stdout(&xml).contains("exit=\"error\" errormsg=\"shop.example.com was not scanned"), "{}", stdout(&xml));
    let json = run_in(folder.path(), &[&base[..], &["json"]].concat());
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["scan"]["status"], "incomplete");
    assert_eq!(document["hosts"][0]["answered"], true, "the rest is there");
}

/// Fewer descriptors than services: each is asked when there is room, and none is called unknown for want of it.
#[test]
fn a_service_is_not_unknown_because_this_machine_had_no_descriptor() {
    let address = "127.0.0.8";
    let servers: Vec<Greeter> = (0..40).map(|_| Greeter::new(address)).collect();
    let ports = servers.iter().map(|server| server.port.to_string()).collect::<Vec<_>>().join(",");
    for limit in ["24", "32"] {
        let output = Command::new("sh")
            .args(["-c", "ulimit -n \"$0\" && exec \"$@\"", limit, env!("CARGO_BIN_EXE_bartizan"), "ports", address])
            .args(["-p", &ports, "-sV", "--engine", "connect", "--no-discovery", "--concurrency", "40", "-o", "json"])
            .output()
            .unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        let found = document["hosts"][0]["ports"].as_array().unwrap();
        let unknown = found.iter().filter(|port| port["state"] == "open" && port["service"] != "ssh").count();
        let told = document["scan"]["partial_reasons"].to_string();
        if output.status.code() == Some(0) {
            assert_eq!((found.len(), unknown), (40, 0), "{limit}: {document}");
        } else {
            assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
            assert!(told.contains("trouble on this machine"), "{limit}: {told}");
        }
    }
}

/// No two roles for one file: whatever it is called, it would hold one of the two in the end, or neither.
#[test]
fn a_file_that_is_named_twice_is_refused_before_anything_is_asked() {
    let (server, port) = listener("127.0.0.16");
    server.set_nonblocking(true).unwrap();
    let port = port.to_string();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("list"), "127.0.0.16\n").unwrap();
    std::fs::write(folder.path().join("never"), "192.0.2.1\n").unwrap();
    std::fs::write(folder.path().join("old.csv"), "old").unwrap();
    std::os::unix::fs::symlink("old.csv", folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("st.new", folder.path().join("dangling")).unwrap();
    let before = listing(folder.path());
    for (arguments, part) in [
        (&["-o", "csv=st", "--resume", "st"][..], "--resume st"),
        (&["-o", "csv=./st.services", "--resume", "st"], "--resume st"),
        (&["-o", "csv=dangling", "--resume", "st"], "--resume st"),
        (&["-o", "csv=sub/../st.services.new", "--resume", "st"], "--resume st"),
        (&["-o", "csv=a", "-o", "json=./a"], "-o csv=a goes there"),
        (&["-o", "csv=old.csv", "-o", "json=link"], "-o csv=old.csv goes there"),
        (&["@list", "-o", "csv=list"], "@list"),
        (&["-iL", "list", "-o", "csv=sub/../list"], "@list"),
        (&["--exclude-file", "never", "-o", "csv=never"], "--exclude-file never"),
        (&["--exclude-file", "never", "--resume", "./never"], "--exclude-file never"),
    ] {
        let output = run_in(folder.path(), &[&["ports", "127.0.0.16", "-p", &port], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
        assert_eq!(listing(folder.path()), before, "{arguments:?}");
        assert!(server.accept().is_err(), "{arguments:?}: it was asked");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("list")).unwrap(), "127.0.0.16\n");
    let scan = run_in(folder.path(), &["scan", "@list", "-o", "json=./list"]);
    assert_eq!(scan.status.code(), Some(2), "{}", stderr(&scan));
    assert!(stderr(&scan).contains("@list"), "{}", stderr(&scan));
    // Standard output may be a file as well.
    let out = std::fs::File::create(folder.path().join("out")).unwrap();
    let command = ["ports", "127.0.0.16", "-p", &port, "-o", "csv", "-o", "json=out"];
    let output = bartizan().current_dir(folder.path()).args(command).stdout(out).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("only one format"), "{}", stderr(&output));
}

/// What is open already is written to, whatever it is: a file, one that is appended to, a pipe.
#[test]
fn results_go_to_what_is_already_open() {
    let (_server, port) = listener("127.0.0.17");
    let port = port.to_string();
    let base = ["ports", "127.0.0.17", "-p", &port, "-q", "-o"];
    // A link of our own in place of the one in /dev, which a fault in the program would replace.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/proc/self/fd/1", folder.path().join("stdout")).unwrap();
    let program = env!("CARGO_BIN_EXE_bartizan");
    for (path, redirected, before) in [
        ("stdout", "> out", ""),
        ("/dev/fd/1", "> out", ""),
        ("/proc/self/fd/1", ">> out", "before\n"),
        ("/dev/fd/2", "2>> out", "before\n"),
        ("/dev/fd/3", "3>> out", "before\n"),
        ("stdout", "| cat > out", ""),
    ] {
        std::fs::write(folder.path().join("out"), "before\n").unwrap();
        let script = format!("\"$@\" csv={path} {redirected}");
        let output = Command::new("sh")
            .current_dir(folder.path())
            .args(["-c", &script, "sh", program])
            .args(base)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{script}: {}", stderr(&output));
        let written = std::fs::read_to_string(folder.path().join("out")).unwrap();
        assert!(written.starts_with(before) && written.contains(&format!(",{port},")), "{script}: {written}");
        assert_eq!(written.lines().count(), 2 + before.lines().count(), "{script}: {written}");
        assert_eq!(listing(folder.path()), ["out", "stdout"], "{script}");
        assert!(folder.path().join("stdout").is_symlink(), "{script}: the link was replaced");
    }
    // Standard output by another name is standard output.
    let two = run(&[&base[..], &["csv", "-o", "json=/dev/fd/1"]].concat());
    assert_eq!(two.status.code(), Some(2), "{}", stderr(&two));
    assert!(stderr(&two).contains("only one format"), "{}", stderr(&two));
}

#[test]
fn the_file_behind_a_link_is_replaced_and_not_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("there")).unwrap();
    std::fs::write(at("there/old.json"), "old").unwrap();
    for (link, to) in [("link", "second"), ("second", "there/old.json"), ("new", "there/new.json"), ("lost", "no/x")] {
        std::os::unix::fs::symlink(to, at(link)).unwrap();
    }
    for link in ["link", "new"] {
        let output = run_in(folder.path(), &["ports", "127.0.0.1", "-p", "1", "-o", &format!("json={link}")]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    for name in ["there/old.json", "there/new.json"] {
        assert_eq!(read(folder.path(), name)["schema"], "bartizan.ports/1", "{name}");
    }
    assert!(at("link").is_symlink() && at("second").is_symlink() && at("new").is_symlink());
    assert_eq!(listing(&at("there")), ["new.json", "old.json"]);
    let lost = run_in(folder.path(), &["ports", "127.0.0.1", "-p", "1", "-o", "json=lost"]);
    assert_eq!(lost.status.code(), Some(2));
    assert!(stderr(&lost).contains("`lost`") && stderr(&lost).contains("no such folder"), "{}", stderr(&lost));
}

/// Results that replace others are for the same eyes, and a new file is as any other.
#[test]
fn a_file_that_is_replaced_keeps_its_mode_and_its_owner() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let modes = [("private", 0o600), ("group", 0o640), ("public", 0o666), ("foreign", 0o640)];
    for (name, mode) in modes {
        std::fs::write(at(name), "old").unwrap();
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let may_give_away = chown(at("foreign"), Some(1234), Some(2345)).is_ok();
    let before = std::fs::metadata(at("foreign")).unwrap();
    let command = ["ports", "127.0.0.1", "-p", "1", "-o", "json=private", "-o", "csv=group", "-o", "xml=public"];
    let script = ["-c", "umask 022 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_bartizan")];
    let output = Command::new("sh")
        .current_dir(folder.path())
        .args(script)
        .args(command)
        .args(["-o", "jsonl=foreign", "-o", "table=new"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for (name, mode) in modes.into_iter().chain([("new", 0o644)]) {
        let found = std::fs::metadata(at(name)).unwrap();
        assert!(found.len() > 3, "{name} was not written");
        assert_eq!(found.mode() & 0o7777, mode, "{name}");
    }
    let after = std::fs::metadata(at("foreign")).unwrap();
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()), "given away: {may_give_away}");
}

/// A named pipe that nobody reads is waited for, but not against a signal or the time limit.
#[test]
fn a_pipe_without_a_reader_does_not_hold_a_scan_that_is_to_end() {
    use rustix::process::Signal;
    for (stop, limit, code) in [
        (Some(Signal::INT), &[][..], 130),
        (Some(Signal::TERM), &[], 130),
        (None, &["--max-time", "1s"], 3),
        (None, &["--max-time", "1s", "--allow-partial"], 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
        assert!(made.success());
        let mut child = bartizan()
            .current_dir(folder.path())
            .args(["ports", "127.0.0.1", "-p", "1", "-o", "json=a.json", "-o", "csv=pipe", "-o", "xml=a.xml"])
            .args(limit)
            .spawn()
            .unwrap();
        let begin = std::time::Instant::now();
        // The temporary file of the first output is there when the second is waited for, or very soon will be.
        while limit.is_empty() && listing(folder.path()).len() < 2 {
            assert!(begin.elapsed().as_secs() < 30, "it does not begin");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        if let Some(stop) = stop {
            signal(&child, stop);
        }
        while child.try_wait().unwrap().is_none() {
            if begin.elapsed().as_secs() > 60 {
                child.kill().unwrap();
                panic!("{stop:?} {limit:?}: it waits for a reader");
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stderr(&output).contains("a named pipe waits"), "{}", stderr(&output));
        assert_eq!(listing(folder.path()), ["pipe"]);
    }
}
