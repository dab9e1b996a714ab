//! Downloads against servers of our own on loopback, well and badly behaved.

#![allow(clippy::unwrap_used, reason = "a test: a failed unwrap is a failure")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_feeds::FeedError;
use bartizan_feeds::fetch::{Fetched, Way, fetch};
use bartizan_feeds::sources::Source;
use bartizan_feeds::store::manifest::HttpState;
use bartizan_outbound::http::Trust;
use bartizan_outbound::{Outbound, Policy, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server that gives these answers one after the other, and the request heads it got.
async fn server(answers: Vec<String>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).await.unwrap() == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            seen.lock().unwrap().push(String::from_utf8(head).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, heads)
}

fn source(url: String) -> Source {
    Source {
        slug: "test".into(),
        name: "Test".into(),
        url,
        licence: "none".into(),
        group: "test".into(),
        default: true,
        max_bytes: 1000,
    }
}

/// Fetches; pauses are noted, not waited for.
async fn run(
    url: String,
    known: Option<&HttpState>,
    allow_private: bool,
) -> (Result<Fetched, FeedError>, Vec<Duration>) {
    let folder = tempfile::tempdir().unwrap();
    let outbound = Outbound::new(Settings { policy: Policy { allow_private }, ..Settings::default() });
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&pauses);
    let way = Way {
        outbound: &outbound,
        resolve: &|_| Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) }),
        trust: Trust::public_roots(),
        pause: &move |time| {
            noted.lock().unwrap().push(time);
            Box::pin(async {})
        },
    };
    let fetched = fetch(&source(url), known, &way, folder.path(), &mut |_, _| {}).await;
    let pauses = pauses.lock().unwrap().clone();
    (fetched, pauses)
}

fn ok(body: &str, headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

fn why(fetched: Result<Fetched, FeedError>) -> String {
    fetched.unwrap_err().to_string()
}

#[tokio::test]
async fn validators_are_remembered_and_sent() {
    let (address, heads) = server(vec![
        ok("hello", "ETag: \"v1\"\r\nLast-Modified: Wed, 01 Jan 2031 00:00:00 GMT\r\n"),
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n".to_owned(),
    ])
    .await;
    let url = format!("http://feeds.test:{}/kev.json", address.port());
    let (fetched, _) = run(url.clone(), None, true).await;
    let Fetched::Body { file, bytes, http } = fetched.unwrap() else { panic!("a body is expected") };
    assert_eq!((bytes, http.etag.as_deref()), (5, Some("\"v1\"")));
    // The folder of the file is gone by now, the content is what was sent.
    drop(file);
    let (fetched, _) = run(url, Some(&http), true).await;
    assert!(matches!(fetched.unwrap(), Fetched::NotModified));
    let heads = heads.lock().unwrap();
    assert!(heads[0].contains("host: feeds.test") && !heads[0].to_lowercase().contains("if-none-match"));
    assert!(heads[1].contains("if-none-match: \"v1\"") && heads[1].contains("if-modified-since: Wed, 01 Jan 2031"));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_rest_is_not() {
    let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".to_owned();
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhalf".to_owned();
    let (address, heads) = server(vec![busy, short.clone(), ok("whole", "")]).await;
    let (fetched, pauses) = run(format!("http://{address}/x"), None, true).await;
    assert!(matches!(fetched.unwrap(), Fetched::Body { bytes: 5, .. }));
    assert_eq!((heads.lock().unwrap().len(), &pauses[..]), (3, &[Duration::from_secs(7), Duration::from_secs(6)][..]));

    let (address, heads) = server(vec![short.clone(), short.clone(), short.clone(), short]).await;
    let (fetched, _) = run(format!("http://{address}/x"), None, true).await;
    assert!(why(fetched).contains("4 times"));
    assert_eq!(heads.lock().unwrap().len(), 4);

    let (address, heads) = server(vec!["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()]).await;
    let (fetched, pauses) = run(format!("http://{address}/x"), None, true).await;
    assert!(why(fetched).contains("404") && pauses.is_empty());
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn bounds_and_addresses_are_kept() {
    let (address, _) = server(vec![ok(&"x".repeat(2000), "")]).await;
    assert!(why(run(format!("http://{address}/x"), None, true).await.0).contains("longer than 1000 bytes"));

    // Chunked, so that the length is not announced.
    let chunk =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2000));
    let (address, _) = server(vec![chunk]).await;
    assert!(why(run(format!("http://{address}/x"), None, true).await.0).contains("longer than 1000 bytes"));

    let (address, heads) = server(vec![ok("secret", "")]).await;
    assert!(why(run(format!("http://{address}/x"), None, false).await.0).contains("not a public address"));
    assert!(heads.lock().unwrap().is_empty());

    let away = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data\r\nContent-Length: 0\r\n\r\n"
        .to_owned();
    let (address, _) = server(vec![away]).await;
    assert!(why(run(format!("http://{address}/x"), None, true).await.0).contains("metadata"));

    let around: Vec<String> =
        (0..8).map(|_| "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_owned()).collect();
    let (address, _) = server(around).await;
    assert!(why(run(format!("http://{address}/x"), None, true).await.0).contains("redirects"));

    assert!(why(run("ftp://feeds.test/x".to_owned(), None, true).await.0).contains("not fetched"));
    let (address, _) = server(vec![ok("", "")]).await;
    assert!(why(run(format!("http://{address}/x"), None, true).await.0).contains("empty"));
}
