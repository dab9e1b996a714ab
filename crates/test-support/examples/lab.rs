//! Ten real services on loopback, for benchmarks and for trying things out. Prints one line of JSON with their ports,
//! then runs until standard input ends.

#![allow(clippy::print_stdout, reason = "the caller reads the ports from standard output")]

use std::io::{Read as _, Write as _};
use std::thread;

use bartizan_test_support::lab::services::data::{self, Access};
use bartizan_test_support::lab::services::mail::{self, Encryption};
use bartizan_test_support::lab::services::remote::{self, Ssh};
use bartizan_test_support::lab::services::web::{self, Site};
use bartizan_test_support::lab::services::{Server, in_tls};

fn main() -> std::io::Result<()> {
    let starts: Vec<thread::JoinHandle<Server>> = vec![
        thread::spawn(|| data::redis(Access::Open)),
        thread::spawn(data::memcached),
        thread::spawn(|| data::postgres(Access::Password)),
        thread::spawn(|| data::mosquitto(Access::Password)),
        thread::spawn(|| remote::sshd(Ssh::Default)),
        thread::spawn(|| remote::ftp(false)),
        thread::spawn(|| mail::smtp(Encryption::None)),
        thread::spawn(|| web::nginx(Site::Plain)),
        thread::spawn(|| web::nginx(Site::Tls)),
    ];
    let (tls_redis, inner) = in_tls(data::redis(Access::Password));
    let servers: Vec<Server> =
        starts.into_iter().map(|start| start.join().expect("a server of the lab started")).collect();
    let mut ports: Vec<u16> = servers.iter().map(|server| server.address.port()).collect();
    let https = *ports.last().expect("the list above is not empty");
    ports.push(tls_redis.address.port());
    println!("{}", serde_json::json!({ "ports": ports, "tls": [https, tls_redis.address.port()] }));
    std::io::stdout().flush()?;
    // Ends when the caller closes its end; dropping the servers ends their processes.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop((servers, tls_redis, inner));
    Ok(())
}
