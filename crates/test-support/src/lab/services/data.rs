//! Datastores and message brokers.

use super::{Server, Setup, as_user, command, is_root};
use crate::lab::process::{Process, free_port};

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Holders of a password.
    Password,
}

/// Redis.
#[must_use]
pub fn redis(access: Access) -> Server {
    let setup = Setup::new();
    let (port, dir) = (setup.port.to_string(), setup.folder("data"));
    let mut redis = command(
        "redis-server",
        &[
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
            "--dir",
            &dir,
        ],
    );
    if access == Access::Password {
        redis.args(["--requirepass", "lab-password"]);
    }
    setup.start("redis", "redis-server", redis)
}

/// Memcached.
#[must_use]
pub fn memcached() -> Server {
    let setup = Setup::new();
    let port = setup.port.to_string();
    let mut memcached = command("memcached", &["-l", "127.0.0.1", "-p", &port, "-U", "0"]);
    if is_root() {
        memcached.args(["-u", "nobody"]);
    }
    setup.start("memcached", "memcached", memcached)
}

/// PostgreSQL.
#[must_use]
pub fn postgres(access: Access) -> Server {
    let setup = Setup::new();
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(Result::ok).map(|entry| entry.path().join("bin")).max());
    let bin = installed.ok().flatten().expect("no PostgreSQL: install the package postgresql");
    let method = if access == Access::Open { "trust" } else { "scram-sha-256" };
    let password = setup.write("password", "lab-password\n");
    let (data, sockets) = (setup.text("data"), setup.folder("sockets"));
    let mut initdb = command(
        bin.join("initdb").to_str().unwrap(),
        &["-D", &data, "-U", "postgres", "-A", method, "--pwfile", &password, "--no-sync", "--no-instructions"],
    );
    as_user(&mut initdb, "postgres", "postgresql");
    Setup::prepare("initdb", "postgresql", initdb);
    let port = setup.port.to_string();
    let mut server = command(
        bin.join("postgres").to_str().unwrap(),
        &["-D", &data, "-p", &port, "-h", "127.0.0.1", "-k", &sockets, "-F"],
    );
    as_user(&mut server, "postgres", "postgresql");
    setup.start("postgres", "postgresql", server)
}

/// MariaDB.
#[must_use]
pub fn mariadb() -> Server {
    let setup = Setup::new();
    let data = format!("--datadir={}", setup.folder("data"));
    let mut install = command(
        "mariadb-install-db",
        &["--no-defaults", &data, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"],
    );
    as_user(&mut install, "mysql", "mariadb-server");
    Setup::prepare("mariadb-install-db", "mariadb-server", install);
    let (port, socket) = (format!("--port={}", setup.port), format!("--socket={}", setup.text("data/s")));
    let pid = format!("--pid-file={}", setup.text("data/pid"));
    let mut server = command("mariadbd", &["--no-defaults", &data, &port, &socket, &pid, "--bind-address=127.0.0.1"]);
    as_user(&mut server, "mysql", "mariadb-server");
    setup.start("mariadbd", "mariadb-server", server)
}

/// The MQTT broker Mosquitto.
#[must_use]
pub fn mosquitto(access: Access) -> Server {
    let setup = Setup::new();
    let user = if is_root() { "user root\n" } else { "" };
    let conf = setup.write(
        "mosquitto.conf",
        &format!(
            "{user}listener {} 127.0.0.1\nallow_anonymous {}\npersistence false\n",
            setup.port,
            access == Access::Open
        ),
    );
    setup.start("mosquitto", "mosquitto", command("mosquitto", &["-c", &conf]))
}

/// etcd, a key-value store with an HTTP interface.
#[must_use]
pub fn etcd() -> Server {
    let setup = Setup::new();
    let (data, client) = (setup.folder("data"), format!("http://127.0.0.1:{}", setup.port));
    let peer = format!("http://127.0.0.1:{}", free_port());
    let cluster = format!("default={peer}");
    let etcd = command(
        "etcd",
        &[
            "--data-dir",
            &data,
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
            "--initial-cluster",
            &cluster,
        ],
    );
    setup.start("etcd", "etcd-server", etcd)
}

/// OpenLDAP, with or without a certificate for StartTLS.
#[must_use]
pub fn slapd(starttls: bool) -> Server {
    let setup = Setup::new();
    let data = setup.folder("data");
    let tls = if starttls {
        let (certificate, key) = setup.certificate();
        format!("TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n")
    } else {
        String::new()
    };
    let conf = setup.write(
        "slapd.conf",
        &format!(
            "include /etc/ldap/schema/core.schema\npidfile {}\n{tls}database ldif\nsuffix \"dc=lab,dc=test\"\ndirectory {data}\n",
            setup.text("pid")
        ),
    );
    let url = format!("ldap://127.0.0.1:{}/", setup.port);
    setup.start("slapd", "slapd", command("slapd", &["-f", &conf, "-h", &url, "-d", "0"]))
}

/// InfluxDB 1.
#[must_use]
pub fn influxdb() -> Server {
    let setup = Setup::new();
    let conf = setup.write(
        "influxdb.conf",
        &format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{}\"\n[meta]\ndir = \"{}\"\n[data]\ndir = \"{}\"\n\
             wal-dir = \"{}\"\n[http]\nenabled = true\nbind-address = \"127.0.0.1:{}\"\nauth-enabled = false\n",
            free_port(),
            setup.folder("meta"),
            setup.folder("data"),
            setup.folder("wal"),
            setup.port
        ),
    );
    setup.start("influxdb", "influxdb", command("influxd", &["-config", &conf]))
}

/// RabbitMQ: a broker of AMQP 0-9-1 without plug-ins.
#[must_use]
pub fn rabbitmq() -> Server {
    let mut setup = Setup::new();
    let names = free_port().to_string();
    // In the foreground, or the name server would outlive the test.
    let epmd = command("epmd", &["-port", &names, "-address", "127.0.0.1"]);
    let log = setup.path("epmd.log");
    setup.processes.push(Process::spawn("epmd", "rabbitmq-server", epmd, &log));
    let (state, logs) = (setup.folder("mnesia"), setup.folder("log"));
    let node = format!("lab{}@localhost", setup.port);
    let mut server = command("/usr/lib/rabbitmq/bin/rabbitmq-server", &[]);
    server
        .env("HOME", setup.folder("home"))
        // The script gives way to the server in place of watching it, so that the process we know is the server.
        .env("RUNNING_UNDER_SYSTEMD", "1")
        .env("RABBITMQ_NODENAME", node)
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", setup.port.to_string())
        .env("RABBITMQ_DIST_PORT", free_port().to_string())
        .env("ERL_EPMD_PORT", names)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_MNESIA_BASE", state)
        .env("RABBITMQ_LOG_BASE", logs)
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", setup.text("plugins"))
        .env("RABBITMQ_CONFIG_FILE", setup.text("none"));
    as_user(&mut server, "rabbitmq", "rabbitmq-server");
    setup.start("rabbitmq", "rabbitmq-server", server)
}
