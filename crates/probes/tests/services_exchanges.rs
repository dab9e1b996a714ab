//! Identification of the services that wait for a first message of their own clients, and of products behind HTTP: real
//! servers where they are packaged, stand-ins with the documented answers where they are not, and on every one of their
//! ports the servers that they must not be mistaken for.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_catalog::Catalog;
use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{Endpoint, Observation, ServiceEvidence};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::{ProbeContext, services};
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::services::data::{self, Access as Let};
use bartizan_test_support::lab::services::{Server, exchanges, forward, stub};

fn context() -> ProbeContext {
    let policy = Policy { allow_private: true };
    let outbound = Outbound::new(Settings { policy, max_sockets: 400, ..Settings::default() });
    ProbeContext::new(outbound, Arc::new(FixedClock::at("2026-11-23T00:00:00Z".parse().unwrap())))
}

async fn identify(cx: &ProbeContext, at: SocketAddr) -> ServiceEvidence {
    match services::identify(cx, &Endpoint::tcp(at.ip(), at.port()), None).await {
        Observation::Observed(found) => found,
        other => panic!("{at}: {other:?}"),
    }
}

fn access_kind(access: &Access) -> &'static str {
    match access {
        Access::Open { .. } => "open",
        Access::AuthRequired { .. } => "auth",
        Access::Unknown { .. } => "unknown",
    }
}

/// Whether what the protocol's exposure means is written down.
fn is_classified(service: &str) -> bool {
    Catalog::file("services/classes.toml").unwrap().contains(&format!("name = \"{service}\"\n"))
}

/// What a server is, in the terms of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Is {
    service: String,
    product: String,
    version: String,
    access: &'static str,
}

impl Is {
    fn new(service: &str, product: &str, version: &str, access: &'static str) -> Self {
        Self { service: service.into(), product: product.into(), version: version.into(), access }
    }

    fn of(found: &ServiceEvidence) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            service: text(&found.service),
            product: text(&found.product),
            version: text(&found.version),
            access: access_kind(&found.access),
        }
    }
}

/// A server, where it is expected, and what it is.
struct Known {
    address: SocketAddr,
    own_port: u16,
    is: Is,
    /// Whether it is recognised on any other port as well.
    everywhere: bool,
    _server: Vec<Server>,
}

fn known(server: Server, own_port: u16, is: Is) -> Known {
    Known { address: server.address, own_port, is, everywhere: false, _server: vec![server] }
}

fn anywhere(server: Server, own_port: u16, is: Is) -> Known {
    Known { everywhere: true, ..known(server, own_port, is) }
}

/// The version of a Debian package without what Debian adds.
fn packaged(package: &str) -> String {
    let output = std::process::Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.split_once(':').map_or(text.as_str(), |(_, rest)| rest);
    text.split(['-', '+', '~']).next().unwrap().to_owned()
}

fn lab() -> Vec<Known> {
    type Start = Box<dyn FnOnce() -> Vec<Known> + Send>;
    fn one(start: impl FnOnce() -> Known + Send + 'static) -> Start {
        Box::new(|| vec![start()])
    }
    let starts: Vec<Start> = vec![
        one(|| {
            let is = Is::new("zookeeper", "Apache ZooKeeper", &packaged("zookeeper"), "open");
            anywhere(exchanges::zookeeper(), 2181, is)
        }),
        one(|| anywhere(exchanges::rmi_registry(), 1099, Is::new("java-rmi", "Java RMI registry", "", "unknown"))),
        one(|| {
            let version = packaged("openjdk-17-jre-headless");
            known(exchanges::java_debugger(), 5005, Is::new("jdwp", "OpenJDK 64-Bit Server VM", &version, "open"))
        }),
        one(|| anywhere(exchanges::tomcat_ajp(), 8009, Is::new("ajp", "", "", "unknown"))),
        Box::new(|| {
            let (mapper, node) = exchanges::erlang();
            vec![
                anywhere(mapper, 4369, Is::new("epmd", "Erlang Port Mapper Daemon", "", "unknown")),
                anywhere(node, 25_672, Is::new("erlang-distribution", "Erlang/OTP", "", "unknown")),
            ]
        }),
        one(|| {
            let is = Is::new("zabbix-agent", "Zabbix agent", &packaged("zabbix-agent"), "open");
            anywhere(exchanges::zabbix_agent(), 10_050, is)
        }),
        one(|| known(exchanges::nrpe(), 5666, Is::new("nrpe", "NRPE", &packaged("nagios-nrpe-server"), "open"))),
        one(|| known(exchanges::ngircd(), 6667, Is::new("irc", "", "", "unknown"))),
        one(|| anywhere(exchanges::socks(Let::Open), 1080, Is::new("socks5", "", "", "open"))),
        one(|| anywhere(exchanges::socks(Let::Password), 1080, Is::new("socks5", "", "", "auth"))),
        one(|| known(exchanges::iscsi(), 3260, Is::new("iscsi", "", "", "unknown"))),
        one(|| anywhere(exchanges::git_daemon(), 9418, Is::new("git", "", "", "unknown"))),
        one(|| anywhere(exchanges::nghttpd(), 50_051, Is::new("http2", "", "", "unknown"))),
        one(|| known(exchanges::kerberos(), 88, Is::new("kerberos", "", "", "unknown"))),
        one(|| {
            let version = packaged("prometheus-node-exporter");
            let is = Is::new("http", "Prometheus Node Exporter", &version, "unknown");
            anywhere(exchanges::node_exporter(), 9200, is)
        }),
        one(|| known(exchanges::modbus(), 502, Is::new("modbus", "Lab LM-1", "2.5.1", "unknown"))),
        one(|| known(exchanges::s7(), 102, Is::new("s7", "Siemens 6ES7 315-2EH14-0AB0", "", "unknown"))),
        one(|| known(exchanges::iec104(), 2404, Is::new("iec104", "", "", "unknown"))),
    ];
    let threads: Vec<_> = starts.into_iter().map(std::thread::spawn).collect();
    threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
}

/// Asks every server on its own port and, where that is promised, on the port that it happens to have.
async fn check(cx: &ProbeContext, servers: &[Known], own: Ipv4Addr) -> Vec<String> {
    let mut running = Vec::new();
    let mut taken = BTreeSet::new();
    let mut next = u32::from(own);
    for server in servers {
        // Two of a kind have addresses of their own.
        let mut at = SocketAddr::from((own, server.own_port));
        while !taken.insert(at) {
            next += 1;
            at = SocketAddr::from((Ipv4Addr::from(next), server.own_port));
        }
        let guard = forward(at, server.address);
        let cx = cx.clone();
        let (elsewhere, is) = (server.everywhere.then_some(server.address), server.is.clone());
        running.push(tokio::spawn(async move {
            let mut wrong = Vec::new();
            for address in [Some(at), elsewhere].into_iter().flatten() {
                let found = identify(&cx, address).await;
                if Is::of(&found) != is {
                    wrong.push(format!("{address}: expected {is:?}, found {found:?}"));
                }
            }
            drop(guard);
            if !is_classified(&is.service) {
                wrong.push(format!("`{}` is not classified", is.service));
            }
            wrong
        }));
    }
    let mut wrong = Vec::new();
    for task in running {
        wrong.extend(task.await.unwrap());
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_servers_are_what_they_are() {
    let servers = tokio::task::spawn_blocking(lab).await.unwrap();
    let cx = ProbeContext { timeout: Duration::from_secs(2), ..context() };
    let wrong = check(&cx, &servers, Ipv4Addr::new(127, 86, 20, 1)).await;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_pptp_server_is_one() {
    let address = IpAddr::V4(Ipv4Addr::new(127, 86, 21, 9));
    let server = tokio::task::spawn_blocking(move || exchanges::pptp(address)).await.unwrap();
    let found = identify(&context(), server.address).await;
    assert_eq!(Is::of(&found), Is::new("pptp", "", "", "unknown"), "{found:?}");
    assert_eq!(found.banner.as_deref(), Some("linux local firmware 1"));
}

// --- Stand-ins

fn be32(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

/// A server that answers requests beginning with one of these and hangs up on everything else.
fn answering(answers: Vec<(&'static [u8], Vec<u8>)>) -> Server {
    stub::serve(move |request| {
        answers.iter().find(|(begin, _)| request.starts_with(begin)).map(|(_, answer)| answer.clone())
    })
}

fn stand_ins() -> Vec<Known> {
    let mssql = [
        &[
            4, 1, 0, 43, 0, 0, 1, 0, 0, 0, 26, 0, 6, 1, 0, 32, 0, 1, 2, 0, 33, 0, 1, 3, 0, 34, 0, 0, 4, 0, 34, 0, 1,
            0xff,
        ][..],
        &[16, 0, 4, 0x5b, 0, 0, 3, 0, 0],
    ]
    .concat();
    let tns_text = b"(DESCRIPTION=(TMP=)(VSNNUM=186647552)(ERR=1189)(ERROR_STACK=(ERROR=(CODE=1189)(EMFI=4))))";
    let length = u8::try_from(tns_text.len()).unwrap();
    let tns = [&[0, length + 12, 0, 0, 4, 0, 0, 0, 0x22, 0, 0, length][..], tns_text].concat();
    let brokers = b"brtj\0\0\0\x01\0\0\0\x01\0\x05kafka\0\0\x23\x84\xff\xff\0\0\0\x01\0\0\0\0";
    let cql = |operation: u8, body: &[u8]| [&[0x84, 0, 0, 0, operation][..], &be32(body)].concat();
    let supported = b"\0\x01\0\x0bCQL_VERSION\0\x01\0\x053.4.6";
    let row =
        b"\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\x06system\0\x05local\0\x0frelease_version\0\x0d\0\0\0\x01\0\0\0\x054.1.3";
    let bolt = |body: &[u8]| [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], body, &[0, 0]].concat();
    let mut openwire = b"\x01ActiveMQ\0\0\0\x0c\x01\0\0\0\x40\0\0\0\x02\0\x0cProviderName\x09\0\x08ActiveMQ".to_vec();
    openwire.extend(b"\0\x0fProviderVersion\x09\0\x065.18.3");
    let bind_ack = [
        &[5, 0, 12, 3, 0x10, 0, 0, 0, 60, 0, 0, 0][..],
        b"brti",
        &[0xd0, 0x16, 0xd0, 0x16, 1, 0, 0, 0, 4, 0],
        b"135\0",
        &[0, 0],
        &[
            1, 0, 0, 0, 0, 0, 0, 0, 4, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 8, 0, 0x2b, 0x10, 0x48,
            0x60, 2, 0, 0, 0,
        ],
    ]
    .concat();
    let device = b"device::ro.product.name=lab;ro.product.model=Lab Phone;";
    let mut connected = Vec::new();
    let command = u32::from_le_bytes(*b"CNXN");
    for number in [command, 0x0100_0000, 4096, u32::try_from(device.len()).unwrap(), 0, !command] {
        connected.extend(number.to_le_bytes());
    }
    connected.extend(device);
    let mut hello = b"\0\x0aClickHouse".to_vec();
    hello.extend([23, 8, 0xb1, 0xa9, 3]);
    hello.extend(b"\x03UTC\x03lab\x07");
    let status = br#"{"version":{"name":"1.20.4","protocol":765},"players":{"max":20,"online":0},"description":"lab"}"#;
    let mut minecraft = vec![u8::try_from(status.len() + 2).unwrap(), 0, u8::try_from(status.len()).unwrap()];
    minecraft.extend(status);
    let opc_ua = [&b"ACKF"[..], &28_u32.to_le_bytes(), &[0; 20]].concat();
    let mut identity = vec![0x63, 0, 42, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    identity.extend(b"bartizan");
    identity.extend([0, 0, 0, 0, 1, 0, 12, 0, 36, 0, 1, 0]);
    identity.extend([0; 16]);
    identity.extend([1, 0, 14, 0, 54, 0, 20, 11, 0, 0, 1, 2, 3, 4, 3]);
    identity.extend(b"PLC\x03");
    // Link status of station 4 to master 1, with its checksum.
    let dnp3 = [5, 0x64, 5, 0x0b, 1, 0, 4, 0];
    let nbss = vec![0x82, 0, 0, 0];
    vec![
        anywhere(
            answering(vec![(&[0x12, 1, 0, 41], mssql)]),
            1433,
            Is::new("mssql", "Microsoft SQL Server 2022", "16.0.1115.0", "unknown"),
        ),
        anywhere(
            answering(vec![(&[0, 90, 0, 0, 1], tns)]),
            1521,
            Is::new("oracle", "Oracle Database", "11.2.0.4", "unknown"),
        ),
        anywhere(
            stub::serve(move |request| match request.get(4..6)? {
                [0, 18] => Some(be32(b"brti\0\0\0\0\0\x02\0\x03\0\0\0\x0c\0\x12\0\0\0\x03")),
                [0, 3] => Some(be32(brokers)),
                _ => None,
            }),
            9092,
            Is::new("kafka", "Apache Kafka", "", "open"),
        ),
        anywhere(
            stub::serve(move |request| match request {
                [4, 0, 0, 0, 5, 0, 0, 0, 0] => Some(cql(6, supported)),
                [4, 0, 0, 0, 1, ..] => Some(cql(2, b"")),
                [4, 0, 0, 0, 7, ..] => Some(cql(8, row)),
                _ => None,
            }),
            9042,
            Is::new("cassandra", "Apache Cassandra", "4.1.3", "open"),
        ),
        anywhere(
            stub::serve(move |request| match request {
                [4, 0, 0, 0, 5, ..] => Some(cql(6, supported)),
                [4, 0, 0, 0, 1, ..] => Some(cql(3, b"\0\x09Passwords")),
                _ => None,
            }),
            9042,
            Is::new("cassandra", "Apache Cassandra", "", "auth"),
        ),
        anywhere(
            answering(vec![(b"\0\x08bartizan", hello)]),
            9440,
            Is::new("clickhouse", "ClickHouse", "23.8.7", "open"),
        ),
        anywhere(
            stub::serve(move |request| match request {
                [0x60, 0x60, 0xb0, 0x17, ..] => Some(vec![0, 0, 2, 5]),
                [_, _, 0xb1, 1, ..] => Some(bolt(b"\xb1\x70\xa2\x86server\x8cNeo4j/5.15.0\x8dconnection_id\x86bolt-1")),
                [_, _, 0xb1, 0x6a, ..] => {
                    Some(bolt(b"\xb1\x7f\xa1\x84code\xd0\x25Neo.ClientError.Security.Unauthorized"))
                }
                _ => None,
            }),
            7687,
            Is::new("bolt", "Neo4j", "5.15.0", "auth"),
        ),
        known(stub::greet(be32(&openwire)), 61_616, Is::new("openwire", "Apache ActiveMQ", "5.18.3", "unknown")),
        anywhere(
            answering(vec![(b"CONNECT\n", b"CONNECTED\nserver:ActiveMQ/5.18.3\nversion:1.2\n\n\0".to_vec())]),
            61_613,
            Is::new("stomp", "Apache ActiveMQ", "5.18.3", "open"),
        ),
        anywhere(answering(vec![(&[5, 0, 11, 3], bind_ack)]), 135, Is::new("msrpc", "", "", "unknown")),
        known(answering(vec![(&[0x81, 0, 0, 68], nbss)]), 139, Is::new("netbios-ssn", "", "", "unknown")),
        anywhere(answering(vec![(b"CNXN", connected)]), 5555, Is::new("adb", "Android Debug Bridge", "", "open")),
        anywhere(
            answering(vec![(
                b"OPTIONS sip:",
                b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nServer: Asterisk PBX 18.20.0\r\nContent-Length: 0\r\n\r\n"
                    .to_vec(),
            )]),
            5060,
            Is::new("sip", "Asterisk", "18.20.0", "unknown"),
        ),
        anywhere(
            answering(vec![
                (
                    b"OPTIONS rtsp:",
                    b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE\r\nServer: GStreamer RTSP server\r\n\r\n".to_vec(),
                ),
                (b"DESCRIBE ", b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Basic\r\n\r\n".to_vec()),
            ]),
            554,
            Is::new("rtsp", "GStreamer RTSP server", "", "auth"),
        ),
        known(
            answering(vec![(b"\x09/bartizan\0", b"\x06!fatal\x0dnot logged in\0".to_vec())]),
            8728,
            Is::new("routeros-api", "MikroTik RouterOS", "", "auth"),
        ),
        known(
            stub::greet(b"<<<check_mk>>>\nVersion: 2.2.0p14\nAgentOS: linux\n<<<df>>>\n".to_vec()),
            6556,
            Is::new("check-mk-agent", "Checkmk agent", "2.2.0p14", "open"),
        ),
        anywhere(
            stub::serve(move |request| request.ends_with(&[1, 1, 0]).then(|| minecraft.clone())),
            25_565,
            Is::new("minecraft", "Minecraft server", "1.20.4", "unknown"),
        ),
        known(answering(vec![(b"HELF", opc_ua)]), 4840, Is::new("opc-ua", "", "", "unknown")),
        known(answering(vec![(&[0x63, 0], identity)]), 44_818, Is::new("ethernet-ip", "PLC", "20.11", "unknown")),
        known(
            answering(vec![(&[5, 0x64, 5, 0xc9], [&dnp3[..], &DNP3_SUM].concat())]),
            20_000,
            Is::new("dnp3", "", "", "unknown"),
        ),
        known(
            answering(vec![(&[4, 1, 0, 0, 0, 0, 0, 0, 0], vec![0, 0x5b, 0, 0, 0, 0, 0, 0])]),
            1080,
            Is::new("socks4", "", "", "unknown"),
        ),
        known(
            answering(vec![(b"\x03lp\n", b"Printer: lp@lab 'x'\n Queue: no printable jobs in queue\n".to_vec())]),
            515,
            Is::new("lpd", "", "", "unknown"),
        ),
    ]
}

/// The checksum of the answer of the DNP3 stand-in.
const DNP3_SUM: [u8; 2] = [0xd6, 0xae];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stand_ins_are_what_they_stand_for() {
    let servers = stand_ins();
    let cx = ProbeContext { timeout: Duration::from_secs(2), ..context() };
    let wrong = check(&cx, &servers, Ipv4Addr::new(127, 86, 22, 1)).await;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

// --- What they must not be mistaken for

/// The ports that are hinted at for the protocols that this file is about.
const PORTS: [u16; 43] = [
    88, 102, 111, 135, 139, 502, 515, 554, 1080, 1099, 1433, 1521, 1723, 2049, 2181, 2404, 3260, 4369, 4840, 5005,
    5060, 5555, 5666, 6556, 6667, 7687, 8009, 8123, 8200, 8728, 8983, 9042, 9090, 9092, 9418, 9440, 10_050, 20_000,
    25_565, 25_672, 44_818, 50_051, 61_613,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_makes_no_service() {
    let redis = tokio::task::spawn_blocking(|| data::redis(Let::Open)).await.unwrap();
    let page = stub::serve(|request| {
        let head = "HTTP/1.1 200 OK\r\nServer: lab\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n";
        Some(if request.starts_with(b"GET ") {
            format!("{head}page").into_bytes()
        } else {
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
        })
    });
    let errors = stub::serve(|_| Some(b"-ERR unknown command\r\n".to_vec()));
    let others =
        [("echo", stub::echo(), ""), ("http", page, "http"), ("errors", errors, ""), ("redis", redis, "redis")];
    // A short patience: silence is what most questions are met with here.
    let cx = ProbeContext { timeout: Duration::from_millis(400), ..context() };
    let mut running = Vec::new();
    for (number, (what, server, service)) in others.iter().enumerate() {
        // What greets or refuses is soon done with; one port of a kind is enough for what answers as itself.
        let step = if service.is_empty() { 1 } else { 6 };
        for port in PORTS.into_iter().step_by(step) {
            let at = SocketAddr::from((Ipv4Addr::new(127, 86, 23, 1 + u8::try_from(number).unwrap()), port));
            let (cx, guard, what, service) = (cx.clone(), forward(at, server.address), *what, *service);
            running.push(tokio::spawn(async move {
                let found = services::identify(&cx, &Endpoint::tcp(at.ip(), at.port()), None).await;
                drop(guard);
                let is = found.observed().and_then(|found| found.service.clone()).unwrap_or_default();
                // Ports of controllers are spared other questions, so nothing at all may be found there.
                let fits = is == service || is.is_empty();
                (!fits).then(|| format!("{what} on {port}: {found:?}"))
            }));
        }
    }
    let mut wrong = Vec::new();
    for task in running {
        wrong.extend(task.await.unwrap());
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controllers_hear_nothing_but_their_own_protocol() {
    let cx = ProbeContext { timeout: Duration::from_millis(1500), ..context() };
    let mut running = Vec::new();
    for (port, begin) in [
        (102, &[3, 0, 0, 22][..]),
        (502, &[0x62, 0x72, 0, 0]),
        (2404, &[0x68, 4, 0x43]),
        (20_000, &[5, 0x64]),
        (44_818, &[0x63, 0]),
    ] {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let server = stub::serve(move |request| {
            heard.lock().unwrap().push(request.to_vec());
            Some(Vec::new())
        });
        let (cx, at) = (cx.clone(), SocketAddr::from((Ipv4Addr::new(127, 86, 24, 1), port)));
        let guard = forward(at, server.address);
        running.push((port, begin, said, guard, server, tokio::spawn(async move { identify(&cx, at).await })));
    }
    for (port, begin, said, guard, server, task) in running {
        assert_eq!(task.await.unwrap().service, None);
        drop((guard, server));
        let said = said.lock().unwrap().clone();
        assert!(!said.is_empty() && said.iter().all(|request| request.starts_with(begin)), "{port}: {said:?}");
    }
}

// --- Products behind HTTP

/// A site that answers these paths, and counts what it is asked.
fn site(paths: Vec<(&'static str, &'static str, &'static str)>) -> (Server, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let server = stub::serve(move |request| {
        let text = String::from_utf8_lossy(request).into_owned();
        let path = text.split(' ').nth(1)?.to_owned();
        log.lock().unwrap().push(path.clone());
        let (_, head, body) = paths.iter().find(|(known, _, _)| *known == path).copied().unwrap_or((
            "",
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/html",
            "<h1>Not Found</h1>",
        ));
        Some(format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes())
    });
    (server, asked)
}

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html";
const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_behind_http_are_named_with_few_questions() {
    let cx = context();
    let to = |location: &'static str| -> &'static str {
        Box::leak(format!("HTTP/1.1 302 Found\r\nLocation: {location}").into_boxed_str())
    };
    let sites = [
        (
            vec![("/", "HTTP/1.1 403 Forbidden\r\nX-Jenkins: 2.426.3", "")],
            Is::new("http", "Jenkins", "2.426.3", "unknown"),
            1,
        ),
        (
            vec![
                ("/", to("/login"), ""),
                ("/api/health", JSON, r#"{"commit":"x","database":"ok","version":"10.4.2"}"#),
            ],
            Is::new("http", "Grafana", "10.4.2", "unknown"),
            2,
        ),
        (
            vec![
                ("/", to("/graph"), ""),
                (
                    "/api/v1/status/buildinfo",
                    JSON,
                    r#"{"status":"success","data":{"version":"2.45.0","revision":"r","goVersion":"g"}}"#,
                ),
                ("/api/v1/label/job/values", JSON, r#"{"status":"success","data":["node"]}"#),
            ],
            Is::new("prometheus", "Prometheus", "2.45.0", "open"),
            3,
        ),
        (
            vec![
                ("/", PAGE, "Ollama is running"),
                ("/api/version", JSON, r#"{"version":"0.5.1"}"#),
                ("/api/tags", JSON, r#"{"models":[]}"#),
            ],
            Is::new("ollama", "Ollama", "0.5.1", "open"),
            3,
        ),
        (
            vec![
                ("/", "HTTP/1.1 302 Found\r\nServer: TornadoServer/6.4\r\nLocation: /tree?", ""),
                ("/api", JSON, r#"{"version": "2.12.5"}"#),
                ("/api/sessions", "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json", "{}"),
            ],
            Is::new("jupyter", "Jupyter Server", "2.12.5", "auth"),
            3,
        ),
        (
            vec![
                ("/", PAGE, "<title>\" + ID_EESX_Welcome + \"</title>"),
                (
                    "/sdk",
                    "HTTP/1.1 200 OK\r\nContent-Type: text/xml",
                    "<about><name>VMware ESXi</name><version>7.0.3</version><build>20328353</build></about>",
                ),
            ],
            Is::new("vmware-api", "VMware ESXi", "7.0.3 build-20328353", "unknown"),
            2,
        ),
        (vec![("/", to("/remote/login?lang=en"), "")], Is::new("http", "Fortinet FortiGate", "", "unknown"), 1),
        (
            vec![("/", "HTTP/1.1 501 Not Implemented\r\nServer: pve-api-daemon/3.0", "")],
            Is::new("proxmox", "Proxmox Virtual Environment", "", "unknown"),
            1,
        ),
        // An ordinary site is asked for itself and for an error page, and for nothing else.
        (vec![("/", PAGE, "<h1>A shop</h1>")], Is::new("http", "", "", "unknown"), 2),
        // A hint that nothing comes of costs a bounded number of questions.
        (vec![("/", to("/login"), "")], Is::new("http", "", "", "unknown"), 6),
    ];
    let mut running = Vec::new();
    for (paths, is, most) in sites {
        let cx = cx.clone();
        running.push(tokio::spawn(async move {
            let (server, asked) = site(paths);
            let found = identify(&cx, server.address).await;
            let asked = asked.lock().unwrap().clone();
            // What is no request for a path is another protocol's question.
            let asked: BTreeSet<_> = asked.into_iter().filter(|path| path.starts_with('/')).collect();
            assert_eq!(Is::of(&found), is, "{found:?} after {asked:?}");
            assert!(asked.len() <= most, "{is:?}: {asked:?}");
            assert!(is_classified(&is.service), "{is:?}");
        }));
    }
    for task in running {
        task.await.unwrap();
    }
}
