//! The client against small servers of our own, well and badly behaved.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::{Policy, Settings};

fn outbound() -> Outbound {
    Outbound::new(Settings { policy: Policy { allow_private: true }, ..Settings::default() })
}

/// Serves each connection the given bytes after one request head, and counts the connections.
async fn server(answers: Vec<Vec<u8>>, hold_open: bool) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let answers = answers.clone();
            tokio::spawn(async move {
                for answer in answers {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                            return;
                        }
                        head.push(byte[0]);
                    }
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
                if hold_open {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (address, connections)
}

fn client(address: SocketAddr, deadline: Duration) -> Client {
    Client::new(outbound(), Origin { address, tls: None, host: "site.test".into() }, deadline)
}

#[tokio::test]
async fn a_kept_alive_connection_is_used_again_and_a_closed_one_replaced() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    let (address, connections) = server(vec![answer.clone(), answer], false).await;
    let mut client = client(address, Duration::from_secs(5));
    for _ in 0..4 {
        let response = client.send(&Request::get("/", 100)).await.unwrap();
        assert_eq!((response.status.as_u16(), response.body.as_slice()), (200, &b"ok"[..]));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn bodies_are_cut_at_the_limit_and_at_the_deadline() {
    let long = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n0123456789".to_vec();
    let (address, _) = server(vec![long], true).await;
    let response = client(address, Duration::from_secs(5)).send(&Request::get("/", 4)).await.unwrap();
    assert_eq!((response.body.as_slice(), response.truncated), (&b"0123"[..], true));
    let response = client(address, Duration::from_millis(300)).send(&Request::get("/", 4096)).await.unwrap();
    assert_eq!((response.body.as_slice(), response.truncated), (&b"0123456789"[..], true));
}

#[tokio::test]
async fn failures_keep_their_kind() {
    let kind = async |answer: &[u8], hold: bool| {
        let (address, _) = server(vec![answer.to_vec()], hold).await;
        client(address, Duration::from_millis(500)).send(&Request::get("/", 100)).await.unwrap_err().kind
    };
    assert_eq!(kind(b"", true).await, FailureKind::Timeout);
    assert_eq!(kind(b"", false).await, FailureKind::Reset);
    assert_eq!(kind(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", false).await, FailureKind::Protocol);
    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    head.extend(std::iter::repeat_n(b'x', 100_000));
    assert_eq!(kind(&head, true).await, FailureKind::Limit);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = client(closed, Duration::from_secs(5)).send(&Request::get("/", 100)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
}

#[tokio::test]
async fn redirects_of_get_are_vetted_hop_by_hop() {
    let (target, asked) = server(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_vec()], false).await;
    let redirect = |location: String| {
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    };
    let (good, _) = server(vec![redirect(format!("http://name.test:{}/x", target.port()))], false).await;
    let resolve: &Resolve<'_> = &|name: String| {
        assert_eq!(name, "name.test");
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    };
    let url = Url::parse(&format!("http://{good}/")).unwrap();
    let response = get(&outbound(), &url, resolve, &GetOptions::default()).await.unwrap();
    assert_eq!(response.body, b"hello");
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    let (bad, _) = server(vec![redirect("http://169.254.169.254/latest/".into())], false).await;
    let url = Url::parse(&format!("http://{bad}/")).unwrap();
    let failure = get(&outbound(), &url, resolve, &GetOptions::default()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
}

#[tokio::test]
async fn what_is_sent_arrives_once_and_a_redirect_is_not_followed() {
    let (other, asked) = server(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()], false).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 4096];
        let mut filled = 0;
        while !String::from_utf8_lossy(&bytes[..filled]).ends_with("grant=code") {
            filled += stream.read(&mut bytes[filled..]).await.unwrap();
        }
        let answer =
            format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{other}/\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&bytes[..filled]).into_owned()
    });
    let resolve: &Resolve<'_> = &|name: String| Box::pin(crate::names::resolve(name));
    let url = Url::parse(&format!("http://{address}/token?x=1")).unwrap();
    let media = HeaderValue::from_static("application/x-www-form-urlencoded");
    let request = Request::get("/", 100).method(Method::POST).sending(media, "grant=code");
    let how = (&Trust::public_roots(), Duration::from_secs(5));
    let response = send(&outbound(), &url, resolve, request, how).await.unwrap();
    assert_eq!(response.status, 307);
    let seen = seen.await.unwrap().to_lowercase();
    assert!(seen.starts_with("post /token?x=1 http/1.1\r\n"), "{seen}");
    assert!(seen.contains("content-length: 10\r\n"), "{seen}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    let huge =
        Request::get("/", 100).method(Method::POST).sending(HeaderValue::from_static("x/y"), vec![0; MAX_SENT + 1]);
    let failure = send(&outbound(), &Url::parse(&format!("http://{other}/")).unwrap(), resolve, huge, how).await;
    assert_eq!(failure.unwrap_err().kind, FailureKind::Limit);
}

#[tokio::test]
async fn a_post_is_not_repeated_when_its_connection_breaks() {
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    // The second answer of each connection is cut off before it begins.
    let (address, connections) = server(vec![ok, Vec::new()], false).await;
    let mut client = client(address, Duration::from_secs(5));
    let post = Request::get("/", 100).method(Method::POST);
    assert_eq!(client.send(&post).await.unwrap().body, b"ok");
    assert!(client.send(&post).await.is_err());
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
