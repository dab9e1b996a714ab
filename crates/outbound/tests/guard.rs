//! What a hostile name server, redirect or URL cannot make us contact.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_domain::evidence::FailureKind;
use bartizan_outbound::dns::{DnsClient, RecordType};
use bartizan_outbound::http::{DownloadOptions, GetOptions, Resolve, download, get};
use bartizan_outbound::{Outbound, Policy, Settings};
use hickory_proto::op::{Message, MessageType, OpCode};
use hickory_proto::rr::{RData, Record};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use url::Url;

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

fn outbound(allow_private: bool) -> Outbound {
    Outbound::new(Settings { policy: Policy { allow_private }, ..Settings::default() })
}

/// A name server that gives each question for an address the next of these answers, and the last one for ever.
async fn name_server(answers: Vec<Vec<Ipv4Addr>>) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
            for query in &question.queries {
                answer.add_query(query.clone());
                if query.query_type() == RecordType::A {
                    let number = counter.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                    for address in &answers[number] {
                        // Nobody is to keep it.
                        answer.add_answer(Record::from_rdata(query.name().clone(), 0, RData::A((*address).into())));
                    }
                }
            }
            socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
        }
    });
    (address, asked)
}

/// A web server that gives each connection the next of these answers, and counts them.
async fn web_server(answers: Vec<String>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let number = counter.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
            // Whoever left needs no answer.
            let _ = stream.write_all(answers[number].as_bytes()).await;
        }
    });
    (address, asked)
}

fn page(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// Fetches `url` with names from `server`: the text of the answer, or why there is none.
async fn fetch(allow_private: bool, server: SocketAddr, url: &str) -> Result<String, FailureKind> {
    let outbound = outbound(allow_private);
    let client = DnsClient::new(outbound.clone(), server);
    let resolve: &Resolve<'_> = &|name: String| {
        let client = &client;
        Box::pin(async move {
            let answer = client.query(&name, RecordType::A).await?;
            Ok(answer.data(RecordType::A).filter_map(RData::ip_addr).collect::<Vec<IpAddr>>())
        })
    };
    let url = Url::parse(url).unwrap();
    let got = get(&outbound, &url, resolve, &GetOptions::default()).await;
    let mut file = Vec::new();
    let options = DownloadOptions::default();
    if let Err(failure) = &got {
        // The other way to fetch has the same rules.
        let loaded = download(&outbound, &url, resolve, &options, &mut file, &mut |_, _| {}).await;
        assert_eq!(loaded.unwrap_err().kind, failure.kind, "{url}");
        assert!(file.is_empty());
    }
    got.map(|response| String::from_utf8(response.body).unwrap()).map_err(|failure| failure.kind)
}

#[tokio::test]
async fn a_name_is_resolved_once_and_what_was_vetted_is_contacted() {
    let (names, asked) = name_server(vec![vec![Ipv4Addr::LOCALHOST], vec![METADATA]]).await;
    let (web, _) = web_server(vec![page("hello")]).await;
    let text = fetch(true, names, &format!("http://rebinding.test:{}/", web.port())).await;
    assert_eq!(text.as_deref(), Ok("hello"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_that_turns_bad_at_a_redirect_is_refused() {
    let (names, asked) = name_server(vec![vec![Ipv4Addr::LOCALHOST], vec![METADATA]]).await;
    let (web, connections) = web_server(vec![redirect("/again"), page("never")]).await;
    let text = fetch(true, names, &format!("http://rebinding.test:{}/", web.port())).await;
    assert_eq!(text, Err(FailureKind::Denied));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    assert!(asked.load(Ordering::SeqCst) >= 2, "each hop is resolved anew");
}

#[tokio::test]
async fn of_several_addresses_only_those_that_are_allowed_are_contacted() {
    let (names, _) = name_server(vec![vec![METADATA, Ipv4Addr::LOCALHOST]]).await;
    let (web, _) = web_server(vec![page("hello")]).await;
    let url = format!("http://both.test:{}/", web.port());
    assert_eq!(fetch(true, names, &url).await.as_deref(), Ok("hello"));
    assert_eq!(fetch(false, names, &url).await, Err(FailureKind::Denied));
}

#[tokio::test]
async fn no_way_of_writing_an_address_leads_to_this_machine() {
    let (names, _) = name_server(vec![vec![Ipv4Addr::LOCALHOST]]).await;
    let (web, connections) = web_server(vec![page("secret")]).await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.01",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "0",
        "[::]",
        "localhost.rebinding.test",
        "example.com@127.0.0.1",
        "example.com:80@127.0.0.1",
    ] {
        let url = format!("http://{host}:{}/", web.port());
        assert_eq!(fetch(false, names, &url).await, Err(FailureKind::Denied), "{url}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    for bad in ["http://[fe80::1%25lo]/", "http://[::1%lo]/", "http://1.2.3.4.5.6/"] {
        assert!(Url::parse(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn redirects_to_what_is_never_contacted_are_refused() {
    let (names, _) = name_server(vec![vec![METADATA]]).await;
    for target in [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0xa9.0xfe.0xa9.0xfe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "//169.254.169.254/",
        "http://nobody@127.0.0.1/",
        "http://nobody:secret@127.0.0.1/",
        "http://100.100.100.200/",
        "http://224.0.0.1/",
        "ftp://127.0.0.1/",
    ] {
        let (web, connections) = web_server(vec![redirect(target)]).await;
        let text = fetch(true, names, &format!("http://{web}/")).await;
        assert_eq!(text, Err(FailureKind::Denied), "{target}");
        assert!(connections.load(Ordering::SeqCst) <= 2, "{target}: once for each way to fetch");
    }
    for (target, kind) in [("file:///etc/passwd", FailureKind::Local), ("javascript:alert(1)", FailureKind::Local)] {
        let (web, _) = web_server(vec![redirect(target)]).await;
        assert_eq!(fetch(true, names, &format!("http://{web}/")).await, Err(kind), "{target}");
    }
    // What is no URL is not followed; the answer is the redirect itself.
    let (web, connections) = web_server(vec![redirect("http://[fe80::1%25lo]/")]).await;
    assert_eq!(fetch(true, names, &format!("http://{web}/")).await.as_deref(), Ok(""));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// Targets are contacted over the device that was named, over no other if there is none such, and configured services as
/// ever.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn targets_are_contacted_over_the_device_that_was_named() {
    use bartizan_outbound::Purpose;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let over_loopback = outbound(true).over(Some("lo"));
    assert_eq!(over_loopback.connect(server).await.unwrap().peer, server);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let datagram = over_loopback.datagram(socket.local_addr().unwrap()).await.unwrap();
    datagram.socket.send(b"over loopback").await.unwrap();
    assert_eq!(socket.recv(&mut [0; 64]).await.unwrap(), 13);
    let nowhere = outbound(true).over(Some("no-such-device"));
    for failure in [
        nowhere.connect(server).await.err(),
        nowhere.datagram(server).await.err(),
        nowhere.open_datagram(server).await.err(),
    ] {
        let failure = failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Local, "{failure}");
        assert!(failure.detail.contains("no-such-device"), "{failure}");
    }
    assert!(nowhere.connect_as(Purpose::Service, server).await.is_ok());
    assert!(nowhere.for_services().connect(server).await.is_ok());
}
