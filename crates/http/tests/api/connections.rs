//! Clients that hold connections without using them, and clients behind a proxy.

use std::time::Duration;

use bartizan_http::{ConnectionLimits, HttpConfig};
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Options, TestApp};
use hyper::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

api_tests!(
    half_a_request_is_waited_for_only_so_long,
    one_address_has_only_so_many_connections,
    more_connections_than_there_may_be_wait_their_turn,
    behind_a_proxy_each_client_is_counted_by_itself,
    what_a_client_writes_itself_is_not_believed,
);

/// Longer than anything here takes, if it is right.
const PATIENCE: Duration = Duration::from_secs(20);

async fn server(connections: ConnectionLimits) -> TestApp {
    let http = HttpConfig { connections, ..Options::default().http };
    TestApp::with(Options { http, ..Options::default() }).await
}

async fn half_sent(app: &TestApp, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What the server says until it closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A reset is an end as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the server closes it");
    String::from_utf8_lossy(&said).into_owned()
}

async fn half_a_request_is_waited_for_only_so_long() {
    let brief = Duration::from_millis(300);
    let app = server(ConnectionLimits { head: brief, body: brief, ..ConnectionLimits::default() }).await;
    for text in ["", "GET /livez HTTP/1.1\r\nHost: a", "GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
        let said = rest(&mut half_sent(&app, text).await).await;
        assert!(!said.contains(" 200 "), "{said}");
    }
    let head =
        "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let said = rest(&mut half_sent(&app, head).await).await;
    assert!(said.starts_with("HTTP/1.1 4"), "{said}");
    let _ = app.anonymous().get("/livez").await.expect(200);
}

async fn one_address_has_only_so_many_connections() {
    let app = server(ConnectionLimits { per_address: 3, ..ConnectionLimits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(half_sent(&app, "GET /livez HTTP/1.1\r\n").await);
    }
    assert_eq!(rest(&mut half_sent(&app, "").await).await, "");
    drop(held.pop());
    let waited = async {
        loop {
            let mut stream = half_sent(&app, "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
            if rest(&mut stream).await.contains(" 200 ") {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.expect("the place of the one that left is free");
}

async fn more_connections_than_there_may_be_wait_their_turn() {
    let head = Duration::from_millis(300);
    let app = server(ConnectionLimits { most: 4, head, ..ConnectionLimits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(half_sent(&app, "GET /livez HTTP/1.1\r\n").await);
    }
    let answer = tokio::time::timeout(PATIENCE, app.anonymous().get("/livez")).await;
    assert_eq!(answer.expect("its turn comes").status, 200);
}

async fn behind_a_proxy_each_client_is_counted_by_itself() {
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let http = HttpConfig { sign_ins_per_minute: 2, trusted_proxies, ..Options::default().http };
    let app = TestApp::with(Options { http, ..Options::default() }).await;
    let admin = app.actor("Example", bartizan_domain::Role::Admin).await;
    let wrong = json!({"username": "nobody", "password": "wrong"});
    let attempt = async |from: &str| {
        let call = app.anonymous().request(Method::POST, "/api/auth/login").json(&wrong);
        call.header("x-forwarded-for", from).header("x-forwarded-proto", "https").send().await
    };
    // What the client wrote before it changes nothing.
    for from in ["198.51.100.7", "192.0.2.9, 198.51.100.7"] {
        let _ = attempt(from).await.expect(401);
    }
    let _ = attempt("192.0.2.10, 198.51.100.7").await.expect(429);
    let answer = attempt("192.0.2.1").await.expect(401);
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    let call = admin.request(Method::POST, "/api/assets").json(&json!({"target_value": "a.example.com"}));
    let _ = call.header("forwarded", "for=\"[2001:db8::7]:99\"").send().await.expect(201);
    let log = admin.get("/api/audit?action=asset.create").await.expect(200).text();
    assert!(log.contains("2001:db8::7"), "{log}");
}

async fn what_a_client_writes_itself_is_not_believed() {
    let http = HttpConfig { sign_ins_per_minute: 2, ..Options::default().http };
    let app = TestApp::with(Options { http, ..Options::default() }).await;
    let wrong = json!({"username": "nobody", "password": "wrong"});
    let mut statuses = Vec::new();
    for number in 0..3 {
        let call = app.anonymous().request(Method::POST, "/api/auth/login").json(&wrong);
        let call = call.header("x-forwarded-for", &format!("192.0.2.{number}")).header("x-forwarded-proto", "https");
        let answer = call.send().await;
        assert_eq!(answer.header("strict-transport-security"), "");
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [401, 401, 429]);
}
