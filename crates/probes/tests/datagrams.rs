//! Identification of real servers of UDP protocols, on ports that say nothing about them where the server can be told one.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bartizan_domain::Transport;
use bartizan_domain::evidence::{Endpoint, ServiceEvidence};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::{ProbeContext, services};
use bartizan_test_support::FixedClock;

const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn context() -> ProbeContext {
    let policy = Policy { allow_private: true };
    let outbound = Outbound::new(Settings { policy, max_sockets: 400, ..Settings::default() });
    ProbeContext::new(outbound, Arc::new(FixedClock::at("2026-11-22T00:00:00Z".parse().unwrap())))
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, package: &str, arguments: &[&str]) -> Server {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be started ({error}): install the package {package}"));
    Server(child)
}

fn free_port() -> u16 {
    UdpSocket::bind((HOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Asks until the server is up.
fn identified(port: u16, wanted: &str) -> ServiceEvidence {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoint = Endpoint { address: HOST, transport: Transport::Udp, port };
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        let observation = runtime.block_on(services::identify(&context(), &endpoint, None));
        match observation.observed() {
            Some(found) if found.service.is_some() => return found.clone(),
            _ => assert!(Instant::now() < limit, "{wanted} at {port}: {observation:?}"),
        }
    }
}

fn package_version(package: &str) -> String {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(['-', '+']).next().unwrap().to_owned()
}

#[test]
fn servers_on_other_ports_are_identified() {
    let folder = tempfile::tempdir().unwrap();
    let ports: Vec<u16> = (0..6).map(|_| free_port()).collect();
    let text: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let root = folder.path().to_str().unwrap();
    let key = folder.path().join("key.pem");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=lab.test", "-keyout"])
        .args([&key, std::path::Path::new("-out"), &folder.path().join("cert.pem")])
        .output();
    assert!(made.unwrap().status.success(), "openssl makes no certificate");
    let certificate = folder.path().join("cert.pem");
    let stun_log = folder.path().join("turn.log");
    let settings = folder.path().join("snmpd.conf").to_str().unwrap().to_owned();
    std::fs::write(&settings, format!("rocommunity public\n[snmp] persistentDir {root}\n")).unwrap();
    let _servers = [
        start("memcached", "memcached", &["-u", "nobody", "-l", "127.0.0.1", "-p", "0", "-U", &text[0]]),
        start(
            "atftpd",
            "atftpd",
            &[
                "--daemon",
                "--no-fork",
                "--user",
                "nobody.nogroup",
                "--port",
                &text[1],
                "--bind-address",
                "127.0.0.1",
                root,
            ],
        ),
        start("coap-server-notls", "libcoap3-bin", &["-A", "127.0.0.1", "-p", &text[2]]),
        start(
            "turnserver",
            "coturn",
            &[
                "-n",
                "--listening-ip",
                "127.0.0.1",
                "--listening-port",
                &text[3],
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--no-auth",
                "--allow-loopback-peers",
                "--log-file",
                stun_log.to_str().unwrap(),
                "--pidfile",
                "/dev/null",
                "--userdb",
                folder.path().join("turndb").to_str().unwrap(),
            ],
        ),
        start(
            "openssl",
            "openssl",
            &[
                "s_server",
                "-dtls1_2",
                "-listen",
                "-accept",
                &format!("127.0.0.1:{}", text[4]),
                "-cert",
                certificate.to_str().unwrap(),
                "-key",
                key.to_str().unwrap(),
            ],
        ),
        start(
            "snmpd",
            "snmpd",
            &["-f", "-C", "-c", &settings, "-Lf", "/dev/null", &format!("udp:127.0.0.1:{}", text[5])],
        ),
    ];
    let found = identified(ports[0], "memcached");
    assert_eq!((found.service.as_deref(), found.version), (Some("memcached"), Some(package_version("memcached"))));
    assert_eq!(identified(ports[1], "atftpd").service.as_deref(), Some("tftp"));
    assert_eq!(identified(ports[2], "coap-server").service.as_deref(), Some("coap"));
    let found = identified(ports[3], "turnserver");
    assert_eq!((found.service.as_deref(), found.product.as_deref()), (Some("stun"), Some("Coturn")));
    assert_eq!(found.version, Some(package_version("coturn")));
    assert_eq!(identified(ports[4], "openssl").service.as_deref(), Some("dtls"));
    let found = identified(ports[5], "snmpd");
    assert_eq!((found.service.as_deref(), found.product.as_deref()), (Some("snmp"), Some("Net-SNMP")));
}
