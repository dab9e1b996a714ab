//! Servers that make identification hard: slow, late, in pieces, endless, chatty, and those that pass for others.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bartizan_catalog::Catalog;
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::service::{Access, Upgrade};
use bartizan_domain::evidence::{AtEndpoint, Endpoint, HostEvidence, Observation, Section, ServiceEvidence};
use bartizan_domain::{AssetRef, Outcome, Severity};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::{Caution, ProbeContext, services};
use bartizan_test_support::FixedClock;
use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::sleep;

fn context(timeout: Duration) -> ProbeContext {
    let policy = Policy { allow_private: true };
    let outbound = Outbound::new(Settings { policy, max_sockets: 200, ..Settings::default() });
    let mut context = ProbeContext::new(outbound, Arc::new(FixedClock::at("2026-11-22T00:00:00Z".parse().unwrap())));
    context.timeout = timeout;
    context
}

const SECOND: Duration = Duration::from_secs(1);
/// Where ports are free that say something; no other test listens on this address.
const OWN: &str = "127.86.20.1";

/// A server that talks on each connection as `talk` says.
async fn peer<F: Future<Output = Option<()>> + Send + 'static>(
    at: &str,
    talk: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream));
        }
    });
    address
}

const ANYWHERE: &str = "127.0.0.1:0";

async fn identified(cx: &ProbeContext, address: SocketAddr) -> ServiceEvidence {
    match services::identify(cx, &Endpoint::tcp(address.ip(), address.port()), None).await {
        Observation::Observed(found) => found,
        other => panic!("{other:?}"),
    }
}

async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 8192];
    let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
    buffer.truncate(count);
    Some(buffer)
}

/// Answers requests for paths with a status, headers and a body; anything else ends the connection.
async fn site(routes: &'static [(&'static str, &'static str, &'static str)]) -> SocketAddr {
    peer(ANYWHERE, move |mut stream| async move {
        while let Some(request) = read(&mut stream).await {
            let text = String::from_utf8(request).ok()?;
            let path = text.strip_prefix("GET ")?.split(' ').next()?.to_owned();
            let known = routes.iter().find(|(route, ..)| *route == path);
            let (head, body) = known.map_or(("404 Not Found", ""), |(_, head, body)| (*head, *body));
            let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
        None
    })
    .await
}

fn name(found: &ServiceEvidence) -> (Option<&str>, Option<&str>, Option<&str>) {
    (found.service.as_deref(), found.product.as_deref(), found.version.as_deref())
}

fn findings(address: SocketAddr, found: &ServiceEvidence) -> Vec<(String, Severity)> {
    let catalog = Catalog::builtin();
    let mut evidence = HostEvidence::new(
        AssetRef::Ip(address.ip()),
        "2026-11-22T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap(),
    );
    let endpoint = Endpoint::tcp(address.ip(), address.port());
    evidence.services =
        Section::complete(vec![AtEndpoint { endpoint, observation: Observation::Observed(found.clone()) }]);
    let selection = Selection::resolve(catalog, &["svc.*".to_owned()]).unwrap();
    judge(catalog, &selection, &evidence, &JudgeSettings::default())
        .into_iter()
        .filter(|verdict| verdict.outcome == Outcome::Fail)
        .map(|verdict| (verdict.check_id.to_string(), verdict.severity.unwrap()))
        .collect()
}

/// A site that needs `delay` for its first page, as application servers do after a start.
async fn cold_site(delay: Duration) -> SocketAddr {
    peer(ANYWHERE, move |mut stream| async move {
        while let Some(request) = read(&mut stream).await {
            if !request.starts_with(b"GET ") {
                return None;
            }
            if request.starts_with(b"GET / ") {
                sleep(delay).await;
            }
            let answer = "HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/10.0\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\npage";
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
        None
    })
    .await
}

/// A mail server that greets after `delay`, and greets in two pieces with as long between them. It counts clients that
/// speak before it has ended.
async fn mail(at: &str, delay: Duration, pieces: &'static [&'static str], early: Arc<AtomicUsize>) -> SocketAddr {
    peer(at, move |mut stream| {
        let early = Arc::clone(&early);
        async move {
            for piece in pieces {
                sleep(delay).await;
                let mut nothing = [0; 512];
                if stream.try_read(&mut nothing).is_ok() {
                    early.fetch_add(1, Ordering::SeqCst);
                }
                stream.write_all(piece.as_bytes()).await.ok()?;
            }
            while let Some(request) = read(&mut stream).await {
                let answer: &[u8] = match &request[..] {
                    [b'E', b'H', ..] if pieces[0].contains("FTP") => b"500 what\r\n",
                    [b'E', b'H', ..] => b"250-mx\r\n250 STARTTLS\r\n",
                    [b'A', b'U', ..] => b"234 go\r\n",
                    _ => b"500 what\r\n",
                };
                stream.write_all(answer).await.ok()?;
            }
            None
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_servers_have_as_long_as_the_caller_says() {
    let cold = cold_site(Duration::from_millis(3500)).await;
    let late = mail(ANYWHERE, 2 * SECOND, &["220 mx.lab.test ESMTP Postfix\r\n"], Arc::default()).await;
    let silent = peer(ANYWHERE, |mut stream| async move {
        while read(&mut stream).await.is_some() {}
        None
    })
    .await;
    let patient = context(5 * SECOND);
    let impatient = context(SECOND);
    let silence = async {
        let start = Instant::now();
        (identified(&patient, silent).await, start.elapsed())
    };
    let (warm, unknown, mail, (nothing, took)) =
        tokio::join!(identified(&patient, cold), identified(&impatient, cold), identified(&patient, late), silence);
    assert_eq!(name(&warm), (Some("http"), Some("Microsoft IIS"), Some("10.0")));
    assert_eq!(name(&unknown).0, None, "one second was given");
    // The greeting came while something else was asked; it is listened to once more, and EHLO is asked after it.
    assert_eq!(name(&mail), (Some("smtp"), Some("Postfix"), None));
    assert_eq!(mail.upgrade, Upgrade::Offered);
    assert_eq!(name(&nothing).0, None);
    // Stages follow one another while answers to the earlier ones are still awaited, so it is far from one wait for each question.
    assert!(took < 15 * SECOND, "a silent port took {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn greetings_in_pieces_are_heard_to_the_end() {
    const PIECE: Duration = Duration::from_millis(300);
    let cx = context(3 * SECOND);
    let early = Arc::new(AtomicUsize::new(0));
    let pieces = &["220-mx.lab.test\r\n", "220 ES", "MTP Postfix\r\n"];
    let smtp = mail(&format!("{OWN}:2525"), PIECE, pieces, Arc::clone(&early)).await;
    let ftp = mail(
        &format!("{OWN}:2222"),
        PIECE,
        &["220-FTP of the lab\r\n", " be kind\r\n", "220 go\r\n"],
        Arc::clone(&early),
    )
    .await;
    let ssh = mail(ANYWHERE, PIECE, &["Keep out\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n"], Arc::default()).await;
    let (smtp, ftp, ssh) = tokio::join!(identified(&cx, smtp), identified(&cx, ftp), identified(&cx, ssh));
    assert_eq!(name(&smtp), (Some("smtp"), Some("Postfix"), None));
    assert_eq!(smtp.upgrade, Upgrade::Offered);
    assert_eq!(name(&ftp).0, Some("ftp"));
    assert_eq!(ftp.upgrade, Upgrade::Offered);
    assert_eq!(name(&ssh), (Some("ssh"), Some("OpenSSH"), Some("9.2p1")));
    assert_eq!(early.load(Ordering::SeqCst), 0, "somebody spoke before a greeting had ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_are_proof_enough() {
    let pods = |count: usize| {
        let pod = format!(r#"{{"metadata":{{"name":"a","note":"{}"}}}}"#, "x".repeat(6000));
        format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{}},"items":[{}]}}"#, vec![pod; count].join(","))
    };
    let cx = context(5 * SECOND);
    // Fifteen pods are more than 64 KiB, three hundred more than anything that is read.
    let known = [(15, "15 entries"), (300, "at least ")];
    let found = join_all(known.iter().map(async |(count, _)| {
        let list = pods(*count);
        assert!(list.len() > 64 << 10);
        let address = kubelet(list).await;
        (address, identified(&cx, address).await)
    }))
    .await;
    for ((address, found), (_, proof)) in found.into_iter().zip(known) {
        assert_eq!(name(&found).0, Some("kubelet"));
        assert!(matches!(&found.access, Access::Open { proof: said } if said.contains(proof)), "{:?}", found.access);
        assert!(findings(address, &found).contains(&("svc.unauthenticated".to_owned(), Severity::Critical)));
    }
}

/// A node agent that lists its pods to everybody.
async fn kubelet(list: String) -> SocketAddr {
    peer(ANYWHERE, move |mut stream| {
        let list = list.clone();
        async move {
            let request = read(&mut stream).await?;
            let (head, body) = match &request {
                request if request.starts_with(b"GET /pods ") => ("200 OK", list.as_str()),
                request if request.starts_with(b"GET ") => ("404 Not Found", "404 page not found\n"),
                _ => return None,
            };
            let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
            let head = format!("HTTP/1.1 {head}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await.ok()?;
            stream.write_all(body.as_bytes()).await.ok()
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drips_end_in_an_answer_or_in_time() {
    let page = "HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nContent-Type: text/html\r\nContent-Length: 40\r\n\r\n";
    let slow = peer(ANYWHERE, move |mut stream| async move {
        read(&mut stream).await.filter(|request| request.starts_with(b"GET "))?;
        for piece in page.as_bytes().chunks(10).chain([&b"page"[..]; 10]) {
            sleep(Duration::from_millis(40)).await;
            stream.write_all(piece).await.ok()?;
        }
        None
    })
    .await;
    let endless = peer(ANYWHERE, |mut stream| async move {
        loop {
            sleep(Duration::from_millis(50)).await;
            stream.write_all(b"~").await.ok()?;
        }
    })
    .await;
    let cx = context(2 * SECOND);
    let start = Instant::now();
    let impatient = context(SECOND);
    let (page, noise) = tokio::join!(identified(&cx, slow), identified(&impatient, endless));
    assert_eq!(name(&page), (Some("http"), Some("nginx"), Some("1.24.0")));
    assert_eq!(name(&noise).0, None);
    assert!(noise.banner.unwrap().starts_with("~~"), "what was heard is kept");
    assert!(start.elapsed() < 6 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interfaces_behind_pages_and_refusals_are_recognised() {
    let cx = context(3 * SECOND);
    let json = "200 OK\r\nContent-Type: application/json";
    let forbidden = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"forbidden: User \"system:anonymous\" cannot get path \"/\"","reason":"Forbidden","code":403}"#;
    let refused = "403 Forbidden\r\nContent-Type: application/json";
    let kubernetes: &'static [_] = vec![
        ("/", refused, forbidden),
        ("/api/v1/namespaces?limit=1", refused, forbidden),
        ("/version", json, r#"{"major":"1","gitVersion":"v1.29.3","goVersion":"go1.21","platform":"linux/amd64"}"#),
    ]
    .leak();
    let consul: &'static [_] = vec![
        (
            "/",
            "301 Moved Permanently\r\nLocation: /ui/\r\nContent-Type: text/html; charset=utf-8",
            "<a href=\"/ui/\">Moved</a>",
        ),
        ("/v1/agent/self", json, r#"{"Config":{"Datacenter":"dc1","NodeName":"n","Version":"1.17.1"},"Member":{}}"#),
        ("/v1/catalog/services", json, r#"{"consul":[]}"#),
    ]
    .leak();
    let winrm: &'static [_] = vec![
        (
            "/",
            "404 Not Found\r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Type: text/html; charset=us-ascii",
            "<h2>Not Found</h2>",
        ),
        ("/wsman", "405 Method Not Allowed\r\nServer: Microsoft-HTTPAPI/2.0", ""),
    ]
    .leak();
    let influx: &'static [_] = vec![
        ("/", "200 OK\r\nX-Influxdb-Version: v2.7.1\r\nContent-Type: text/html", "<title>InfluxDB 2</title>"),
        ("/query?q=SHOW%20DATABASES", "401 Unauthorized", r#"{"code":"unauthorized"}"#),
    ]
    .leak();
    let opensearch: &'static [_] =
        vec![("/", "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"OpenSearch Security\"", "Unauthorized")].leak();
    let known = [
        (kubernetes, "kubernetes", Some("1.29.3"), "auth"),
        (consul, "consul", Some("1.17.1"), "open"),
        (winrm, "winrm", None, "unknown"),
        (influx, "influxdb", Some("2.7.1"), "auth"),
        (opensearch, "opensearch", None, "auth"),
    ];
    let found = join_all(known.iter().map(async |(routes, ..)| identified(&cx, site(routes).await).await)).await;
    for (found, (_, service, version, access)) in found.iter().zip(known) {
        assert_eq!((found.service.as_deref(), found.version.as_deref()), (Some(service), version));
        let is = match &found.access {
            Access::Open { .. } => "open",
            Access::AuthRequired { .. } => "auth",
            Access::Unknown { .. } => "unknown",
        };
        assert_eq!(is, access, "{service}: {:?}", found.access);
    }
}

/// An agent that answers discovery at once, and a read under `public` later, if it does.
async fn agent(answers_public: bool) -> SocketAddr {
    const REPORT: &str = "3043020103301102044a69f1a2020300ffe30401000201030415301304\
                          0580001f88800201000201000400040004003014040004 00a80e0204374af1a20201000201003000";
    let socket = UdpSocket::bind(ANYWHERE).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (count, from) = socket.recv_from(&mut buffer).await.ok()?;
            let request = &buffer[..count];
            if request.get(2..5) == Some(&[2, 1, 3]) {
                let report = hex(REPORT);
                socket.send_to(&report, from).await.ok()?;
            } else if answers_public && request.get(7..13) == Some(&b"public"[..]) {
                sleep(Duration::from_millis(400)).await;
                // The request again, as a response and with a text for the null at its end.
                let text = b"Linux lab 6.1.0-18-amd64";
                let mut answer = request[..request.len() - 2].to_vec();
                answer.push(4);
                answer.push(u8::try_from(text.len()).unwrap());
                answer.extend(text);
                let more = u8::try_from(text.len()).unwrap();
                for at in [1, 14, 27, 29] {
                    answer[at] += more;
                }
                answer[13] = 0xa2;
                socket.send_to(&answer, from).await.ok()?;
            }
        }
        #[expect(unreachable_code, reason = "gives the loop its type")]
        Some(())
    });
    address
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_community_public_is_found_beside_version_3() {
    let cx = context(5 * SECOND);
    let at = |address: SocketAddr| Endpoint {
        transport: bartizan_domain::Transport::Udp,
        ..Endpoint::tcp(address.ip(), address.port())
    };
    let (open, closed) = (agent(true).await, agent(false).await);
    let (open_endpoint, closed_endpoint) = (at(open), at(closed));
    let (found, refused) =
        tokio::join!(services::identify(&cx, &open_endpoint, None), services::identify(&cx, &closed_endpoint, None));
    let (Observation::Observed(found), Observation::Observed(refused)) = (found, refused) else { panic!("no answer") };
    assert_eq!(name(&found), (Some("snmp"), Some("Net-SNMP"), None));
    assert!(matches!(&found.access, Access::Open { proof } if proof.contains("public")), "{:?}", found.access);
    assert_eq!(found.banner.as_deref(), Some("Linux lab 6.1.0-18-amd64"));
    assert!(findings(open, &found).contains(&("svc.unauthenticated".to_owned(), Severity::High)));
    assert_eq!(name(&refused), (Some("snmp"), Some("Net-SNMP"), None));
    assert!(matches!(&refused.access, Access::AuthRequired { .. }), "{:?}", refused.access);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_nobody_understands_are_kept_and_others_are_not_taken_for_the_original() {
    let cx = context(SECOND);
    let chatty = peer(ANYWHERE, |mut stream| async move {
        while read(&mut stream).await.is_some() {
            stream.write_all(b"?SYNTAX ERROR\r\n").await.ok()?;
        }
        None
    })
    .await;
    let tidb = peer(ANYWHERE, |mut stream| async move {
        let mut body = b"\x0a5.7.25-TiDB-v7.1.0\0\x05\0\0\0abcdefgh\0\xff\xf7".to_vec();
        body.resize(body.len() + 40, 0);
        let mut packet = vec![u8::try_from(body.len()).unwrap(), 0, 0, 0];
        packet.extend(body);
        stream.write_all(&packet).await.ok()?;
        read(&mut stream).await.map(drop)
    })
    .await;
    let (chatty, tidb) = tokio::join!(identified(&cx, chatty), identified(&cx, tidb));
    assert_eq!((name(&chatty).0, chatty.banner.as_deref()), (None, Some("?SYNTAX ERROR")));
    assert_eq!(name(&tidb), (Some("mysql"), Some("TiDB"), Some("7.1.0")));
    assert_eq!(tidb.cpe.as_deref(), Some("cpe:2.3:a:pingcap:tidb:7.1.0:*:*:*:*:*:*:*"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controllers_and_printers_are_not_spoken_to_unless_that_is_ordered() {
    let at = async |port: u16, heard: &Arc<AtomicUsize>| {
        let count = Arc::clone(heard);
        peer(&format!("{OWN}:{port}"), move |mut stream| {
            let count = Arc::clone(&count);
            async move {
                while let Some(bytes) = read(&mut stream).await {
                    count.fetch_add(bytes.len(), Ordering::SeqCst);
                }
                None
            }
        })
        .await
    };
    let (by_controller, by_printer) = (Arc::default(), Arc::default());
    let (controller, printer) = (at(2455, &by_controller).await, at(9100, &by_printer).await);
    let mut cx = context(Duration::from_millis(500));
    let found = tokio::join!(identified(&cx, controller), identified(&cx, printer));
    assert_eq!((found.0.service, found.1.service), (None, None));
    assert_eq!((by_controller.load(Ordering::SeqCst), by_printer.load(Ordering::SeqCst)), (0, 0));
    cx.caution = Caution::AskEverything;
    tokio::join!(identified(&cx, controller), identified(&cx, printer));
    assert!(by_controller.load(Ordering::SeqCst) > 0 && by_printer.load(Ordering::SeqCst) > 0);
}

/// A port that complains in HTTP may be one of TLS, which is found out by the hello that is under way.
#[tokio::test]
async fn a_complaint_that_does_not_name_tls_is_not_asked_for_it_again() {
    let hellos = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hellos);
    let address = peer(ANYWHERE, move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            let request = read(&mut stream).await?;
            if request.starts_with(b"GET ") {
                let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 8\r\n\r\nno loops";
                stream.write_all(answer).await.ok()?;
            } else if request.starts_with(&[22, 3]) {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            // Silent for as long as the client stays.
            read(&mut stream).await.map(|_| ())
        }
    })
    .await;
    let found = identified(&context(4 * SECOND), address).await;
    assert_eq!((found.service.as_deref(), found.tls, hellos.load(Ordering::SeqCst)), (Some("http"), false, 1));
}

/// On a port where HTTP is expected nothing else is asked before it. One that reads lines is silent to a hello, which it takes for the
/// beginning of one.
#[tokio::test]
async fn a_proxy_that_reads_lines_is_not_waited_for_as_if_it_spoke_tls() {
    let address = peer(&format!("{OWN}:8888"), |mut stream| async move {
        let mut heard = Vec::new();
        while let Some(more) = read(&mut stream).await {
            heard.extend(more);
            if heard.ends_with(b"\r\n\r\n") {
                let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 8\r\n\r\nno loops";
                return stream.write_all(answer).await.ok();
            }
        }
        None
    })
    .await;
    let found = tokio::time::timeout(20 * SECOND, identified(&context(120 * SECOND), address)).await.unwrap();
    assert_eq!((found.service.as_deref(), found.tls), (Some("http"), false));
}

/// Nor is one that takes its time for the hello given up because it ends a connection on which more than that came.
#[tokio::test]
async fn a_slow_tls_port_that_complains_in_http_and_takes_nothing_but_a_hello_is_told_by_it() {
    let hellos = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hellos);
    let address = peer(&format!("{OWN}:8080"), move |mut stream| {
        let counted = Arc::clone(&counted);
        async move {
            let request = read(&mut stream).await?;
            if request.starts_with(b"GET ") {
                let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 8\r\n\r\nno loops";
                stream.write_all(answer).await.ok()?;
            } else if request.starts_with(&[22, 3]) && !request.ends_with(b"\r\n\r\n") {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(SECOND).await;
                stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await.ok()?;
            }
            None
        }
    })
    .await;
    let found = identified(&context(4 * SECOND), address).await;
    assert_ne!(found.service.as_deref(), Some("http"), "{found:?}");
    assert!(hellos.load(Ordering::SeqCst) > 0);
}
