//! What a user without privileges gets: hosts are looked for by echo requests where the machine lets him, else over TCP alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::common::{stderr, stdout};
use super::namespaces::Lab;

/// The account that owns nothing (Debian's `nobody`).
const NOBODY: &str = "65534";

/// Runs `bartizan ports` in the near namespace as nobody; `program` is where nobody can get at it.
fn ports(lab: &Lab, program: &Path, arguments: &[&str]) -> Output {
    let identity =
        ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"];
    lab.near(&[&identity[..], &[program.to_str().unwrap(), "ports"], arguments].concat())
}

/// The program where nobody can get at it, and the folder that it is in.
fn for_nobody() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::Builder::new().prefix("bartizan-nobody").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("bartizan");
    if std::fs::hard_link(env!("CARGO_BIN_EXE_bartizan"), &program).is_err() {
        std::fs::copy(env!("CARGO_BIN_EXE_bartizan"), &program).unwrap();
    }
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (folder, program)
}

#[test]
fn hosts_that_answer_echo_requests_alone_are_found_where_the_machine_lets_a_user_ask() {
    let Some(lab) = Lab::new() else { return };
    // The third host of both families drops TCP but on port 8015, which is not one that hosts are looked for with.
    lab.rules(
        "table inet lab { chain nat { type nat hook prerouting priority -100; policy accept;\n\
         tcp dport 8015 redirect to :8000\n }\n\
         chain pre { type filter hook prerouting priority -300; policy accept;\n\
         ip daddr 10.99.0.3 tcp dport != 8015 drop\n ip6 daddr fd99::3 tcp dport != 8015 drop\n }\n }\n",
    );
    let (_folder, program) = for_nobody();
    let listed: Vec<String> = (8001..=8021).map(|port| port.to_string()).collect();
    let listed = listed.join(",");
    for (range, found) in [("0 2147483647", true), ("1 0", false)] {
        let setting = format!("net.ipv4.ping_group_range={range}");
        let set = lab.near(&["sysctl", "-qw", &setting]);
        assert!(set.status.success(), "{}", stderr(&set));
        let output = ports(
            &lab,
            &program,
            &[
                "10.99.0.2-3",
                "fd99::2/127",
                "--exclude",
                "10.99.0.2,fd99::2",
                "-p",
                &listed,
                "-o",
                "json",
                "--allow-partial",
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let told = stderr(&output);
        assert_eq!(told.contains("ping_group_range"), !found, "{range}: {told}");
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let hosts = document["hosts"].as_array().unwrap();
        let of = |address: &str| hosts.iter().find(|host| host["address"] == address);
        if found {
            for address in ["10.99.0.3", "fd99::3"] {
                let host = of(address).unwrap_or_else(|| panic!("{address}: {document}"));
                assert_eq!(host["reason"], "echo-reply", "{host}");
                assert!(
                    host["ports"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|port| port["port"] == 8015 && port["state"] == "open")
                );
            }
            assert!(told.contains("engine connect") && told.contains("CAP_NET_RAW"), "{told}");
        } else {
            assert!(of("10.99.0.3").is_none() && of("fd99::3").is_none(), "{document}");
        }
    }
}

/// The kernel keeps what is for addresses that nobody answers for, and a few hundred of them fill a socket.
#[test]
fn an_echo_request_gets_through_among_a_thousand_addresses_that_nobody_has() {
    let Some(lab) = Lab::new() else { return };
    lab.give("10.96.0.1/22", "10.96.3.250/22");
    lab.rules(
        "table inet lab { chain pre { type filter hook prerouting priority -300; policy accept;\n\
         ip daddr 10.96.3.250 meta l4proto tcp drop\n }\n }\n",
    );
    let set = lab.near(&["sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647"]);
    assert!(set.status.success(), "{}", stderr(&set));
    let (_folder, program) = for_nobody();
    let output = ports(
        &lab,
        &program,
        &["10.96.0.0/22", "-p", "8015", "-o", "json", "--allow-partial", "--exclude", "10.96.0.1"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let hosts = document["hosts"].as_array().unwrap();
    let host = hosts.iter().find(|host| host["address"] == "10.96.3.250").unwrap_or_else(|| panic!("{document}"));
    assert_eq!(host["reason"], "echo-reply", "{host}");
}
