//! Limits counted in a real Redis, for several servers together.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bartizan_http::{HttpConfig, SharedLimits};
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Options, TestApp};
use serde_json::json;

api_tests!(servers_count_together_and_go_on_alone_without_redis,);

/// Debian's Redis on a socket of its own, without a port and without files.
struct Redis {
    folder: PathBuf,
    child: Option<Child>,
}

impl Redis {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("bartizan-redis-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let mut redis = Self { folder, child: None };
        redis.run();
        redis
    }

    fn run(&mut self) {
        let socket = self.folder.join("redis.sock");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server (Debian package redis-server) starts"));
        let begin = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(20), "redis-server does not listen");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn limits(&self) -> SharedLimits {
        SharedLimits::new(&format!("redis+unix://{}/redis.sock", self.folder.display())).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
        // A folder of the system's temporary files that stays is cleaned up by the system.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn server(redis: &Redis) -> TestApp {
    let http = HttpConfig { sign_ins_per_minute: 3, shared_limits: Some(redis.limits()), ..Options::default().http };
    TestApp::with(Options { http, ..Options::default() }).await
}

async fn attempt(app: &TestApp) -> u16 {
    app.anonymous().post("/api/auth/login", &json!({"username": "nobody", "password": "wrong"})).await.status
}

async fn health(app: &TestApp, redis: &str) -> String {
    let begin = Instant::now();
    loop {
        let health = app.anonymous().get("/health").await.expect(200).json();
        if health["redis"] == redis {
            return health["status"].as_str().unwrap().to_owned();
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{health}");
    }
}

async fn servers_count_together_and_go_on_alone_without_redis() {
    let mut redis = Redis::start();
    let (one, two) = (server(&redis).await, server(&redis).await);
    assert_eq!(health(&one, "connected").await, "ok");
    assert_eq!([attempt(&one).await, attempt(&one).await, attempt(&two).await], [401; 3]);
    for app in [&one, &two] {
        let refused = app.anonymous().post("/api/auth/login", &json!({"username": "x", "password": "y"})).await;
        let refused = refused.expect(429);
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    redis.stop();
    assert_eq!(health(&one, "degraded").await, "degraded");
    // Counted by each server on its own now.
    assert_eq!(
        [attempt(&one).await, attempt(&one).await, attempt(&one).await, attempt(&one).await],
        [401, 401, 401, 429]
    );
    assert_eq!(attempt(&two).await, 401);
    redis.run();
    assert_eq!(health(&one, "connected").await, "ok");
    assert!(SharedLimits::new("not an address").is_err());
}
