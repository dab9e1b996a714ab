//! Servers that wait for a first message of their own clients: databases, Java, agents, tunnels, disks, controllers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{Process, Server, Setup, command, free_port};

/// ZooKeeper.
///
/// # Panics
/// If it does not serve in time.
#[must_use]
pub fn zookeeper() -> Server {
    let setup = Setup::new();
    let conf = setup.write(
        "zoo.cfg",
        &format!(
            "dataDir={}\nclientPort={}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n",
            setup.folder("data"),
            setup.port
        ),
    );
    let java =
        command("java", &["-cp", "/usr/share/java/*", "org.apache.zookeeper.server.quorum.QuorumPeerMain", &conf]);
    let server = setup.start("zookeeper", "zookeeper", java);
    // It listens before it serves.
    for _ in 0..500 {
        let mut state = String::new();
        if let Ok(mut stream) = TcpStream::connect(server.address)
            && stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
            && stream.write_all(b"srvr").is_ok()
            && stream.read_to_string(&mut state).is_ok()
            && state.starts_with("Zookeeper version")
        {
            return server;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("ZooKeeper does not serve");
}

/// A registry of remote Java objects.
#[must_use]
pub fn rmi_registry() -> Server {
    let setup = Setup::new();
    let port = setup.port.to_string();
    let java = command("rmiregistry", &["-J-Djava.rmi.server.hostname=127.0.0.1", &port]);
    setup.start("rmiregistry", "default-jre-headless", java)
}

/// A Java machine that waits for its debugger.
///
/// # Panics
/// If it does not listen in time.
#[must_use]
pub fn java_debugger() -> Server {
    let mut setup = Setup::new();
    let agent = format!("-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:{}", setup.port);
    let log = setup.path("java.log");
    let java = command("java", &[&agent, "-version"]);
    let mut process = Process::spawn("java", "default-jre-headless", java, &log);
    // A connection would be taken for the debugger's.
    process.wait_for_output("Listening for transport");
    setup.processes.push(process);
    Server { address: setup.address(), processes: setup.processes, stub: None, dir: Some(setup.dir) }
}

/// Tomcat with a connector for AJP and no other.
#[must_use]
pub fn tomcat_ajp() -> Server {
    let setup = Setup::new();
    let home = setup.folder("tomcat");
    for name in ["tomcat/conf", "tomcat/lib", "tomcat/webapps", "tomcat/logs"] {
        setup.folder(name);
    }
    setup.write(
        "tomcat/conf/server.xml",
        &format!(
            "<Server port=\"-1\"><Service name=\"Catalina\"><Connector protocol=\"AJP/1.3\" address=\"127.0.0.1\" \
             port=\"{}\" secretRequired=\"false\"/><Engine name=\"Catalina\" defaultHost=\"localhost\">\
             <Host name=\"localhost\" appBase=\"webapps\"/></Engine></Service></Server>\n",
            setup.port
        ),
    );
    let classes = [
        "catalina",
        "coyote",
        "juli",
        "util",
        "util-scan",
        "api",
        "servlet-api",
        "jaspic-api",
        "el-api",
        "jni",
        "annotations-api",
        "jsp-api",
    ];
    let path: Vec<String> = classes.iter().map(|name| format!("/usr/share/java/tomcat10-{name}.jar")).collect();
    let home = format!("-Dcatalina.home={home}");
    let java = command("java", &[&home, "-cp", &path.join(":"), "org.apache.catalina.startup.Bootstrap", "start"]);
    setup.start("tomcat", "libtomcat10-java", java)
}

/// An Erlang node, and the port mapper that knows it.
///
/// # Panics
/// If one of them does not listen in time.
#[must_use]
pub fn erlang() -> (Server, Server) {
    let mut setup = Setup::new();
    let (names, port) = (free_port(), setup.port.to_string());
    let mapper = command("epmd", &["-port", &names.to_string(), "-address", "127.0.0.1"]);
    let log = setup.path("epmd.log");
    let at = SocketAddr::new(setup.address().ip(), names);
    let mut mapper = Process::spawn("epmd", "rabbitmq-server", mapper, &log);
    mapper.wait_for_port(at);
    let mapper = Server { address: at, processes: vec![mapper], stub: None, dir: None };
    let mut node = command(
        "erl",
        &[
            "-noinput",
            "-start_epmd",
            "false",
            "-sname",
            "lab@localhost",
            "-kernel",
            "inet_dist_listen_min",
            &port,
            "inet_dist_listen_max",
            &port,
            "inet_dist_use_interface",
            "{127,0,0,1}",
        ],
    );
    node.env("HOME", setup.folder("home")).env("ERL_EPMD_PORT", names.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
    let log = setup.path("erl.log");
    let mut node = Process::spawn("erl", "rabbitmq-server", node, &log);
    node.wait_for_port(setup.address());
    setup.processes.push(node);
    (mapper, Server { address: setup.address(), processes: setup.processes, stub: None, dir: Some(setup.dir) })
}

/// The agent of Zabbix, which serves this machine.
///
/// # Panics
/// If it does not listen in time.
#[must_use]
pub fn zabbix_agent() -> Server {
    let mut setup = Setup::new();
    let conf = setup.write(
        "agent.conf",
        &format!(
            "LogType=console\nListenIP=127.0.0.1\nListenPort={}\nServer=127.0.0.1\nAllowRoot=1\nHostname=lab\nPidFile={}\n",
            setup.port,
            setup.text("pid")
        ),
    );
    let log = setup.path("agent.log");
    let agent = command("zabbix_agentd", &["-f", "-c", &conf]);
    let mut process = Process::spawn("zabbix_agentd", "zabbix-agent", agent, &log).asked_to_end();
    process.wait_for_port(setup.address());
    setup.processes.push(process);
    Server { address: setup.address(), processes: setup.processes, stub: None, dir: Some(setup.dir) }
}

/// The agent of Nagios without its own kind of TLS.
#[must_use]
pub fn nrpe() -> Server {
    let setup = Setup::new();
    let conf = setup.write(
        "nrpe.cfg",
        &format!(
            "server_address=127.0.0.1\nserver_port={}\nnrpe_user=nobody\nnrpe_group=nogroup\nallowed_hosts=127.0.0.1\npid_file={}\n",
            setup.port,
            setup.text("pid")
        ),
    );
    setup.start("nrpe", "nagios-nrpe-server", command("nrpe", &["-f", "-n", "-c", &conf]))
}

/// An IRC server.
#[must_use]
pub fn ngircd() -> Server {
    let setup = Setup::new();
    let conf = setup.write(
        "ngircd.conf",
        &format!(
            "[Global]\nName = irc.lab.test\nInfo = lab\nListen = 127.0.0.1\nPorts = {}\nServerUID = nobody\n\
             ServerGID = nogroup\nMotdPhrase = lab\n[Options]\nPAM = no\nIdent = no\nDNS = no\n",
            setup.port
        ),
    );
    setup.start("ngircd", "ngircd", command("ngircd", &["-n", "-f", &conf]))
}

/// A SOCKS 5 proxy that serves everybody, or only who has the password.
#[must_use]
pub fn socks(access: super::data::Access) -> Server {
    let setup = Setup::new();
    let port = setup.port.to_string();
    let mut arguments = vec!["-i", "127.0.0.1", "-p", &port];
    if access == super::data::Access::Password {
        arguments.extend(["-u", "someone", "-P", "lab-password"]);
    }
    setup.start("microsocks", "microsocks", command("microsocks", &arguments))
}

/// An iSCSI target that lists itself to everybody.
///
/// # Panics
/// If it cannot be set up.
#[must_use]
pub fn iscsi() -> Server {
    let setup = Setup::new();
    let socket = setup.text("control");
    let portal = format!("portal=127.0.0.1:{}", setup.port);
    let mut daemon = command("tgtd", &["-f", "--iscsi", &portal]);
    daemon.env("TGT_IPC_SOCKET", &socket);
    let server = setup.start("tgtd", "tgt", daemon);
    for words in ["new --tid 1 -T iqn.2026-01.test.lab:disk", "bind --tid 1 -I ALL"] {
        let mut arguments = vec!["--lld", "iscsi", "--mode", "target", "--op"];
        arguments.extend(words.split(' '));
        let mut admin = command("tgtadm", &arguments);
        admin.env("TGT_IPC_SOCKET", &socket);
        Setup::prepare("tgtadm", "tgt", admin);
    }
    server
}

/// Git's daemon without a repository.
#[must_use]
pub fn git_daemon() -> Server {
    let setup = Setup::new();
    let (port, base) = (format!("--port={}", setup.port), format!("--base-path={}", setup.folder("git")));
    // The program itself: the `git` before it would leave it behind.
    let daemon = command(
        "/usr/lib/git-core/git-daemon",
        &["--listen=127.0.0.1", "--init-timeout=5", "--timeout=5", &port, &base],
    );
    setup.start("git daemon", "git", daemon)
}

/// HTTP/2 without TLS.
#[must_use]
pub fn nghttpd() -> Server {
    let setup = Setup::new();
    let port = setup.port.to_string();
    setup.start("nghttpd", "nghttp2-server", command("nghttpd", &["--no-tls", "-a", "127.0.0.1", &port]))
}

/// A key distribution centre.
#[must_use]
pub fn kerberos() -> Server {
    let setup = Setup::new();
    let port = setup.port;
    let client = setup.write("krb5.conf", "[libdefaults]\ndefault_realm = LAB.TEST\ndns_lookup_kdc = false\n");
    let centre = setup.write(
        "kdc.conf",
        &format!(
            "[kdcdefaults]\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n[realms]\nLAB.TEST = {{\n\
             database_name = {}\nkey_stash_file = {}\n}}\n",
            setup.text("principal"),
            setup.text("stash")
        ),
    );
    let with = |mut command: std::process::Command| {
        command.env("KRB5_CONFIG", &client).env("KRB5_KDC_PROFILE", &centre);
        command
    };
    let create = command("kdb5_util", &["create", "-s", "-r", "LAB.TEST", "-P", "lab-password"]);
    Setup::prepare("kdb5_util", "krb5-kdc", with(create));
    let server = with(command("krb5kdc", &["-n"]));
    setup.start("krb5kdc", "krb5-kdc", server)
}

/// The exporter of a machine's metrics.
#[must_use]
pub fn node_exporter() -> Server {
    let setup = Setup::new();
    let listen = format!("--web.listen-address=127.0.0.1:{}", setup.port);
    let exporter = command("prometheus-node-exporter", &["--collector.disable-defaults", "--collector.time", &listen]);
    setup.start("node exporter", "prometheus-node-exporter", exporter)
}

/// A PPTP server, which has no other port than its own: it listens at `address`, port 1723.
#[must_use]
pub fn pptp(address: std::net::IpAddr) -> Server {
    let mut setup = Setup::new();
    let log = setup.path("pptpd.log");
    let text = address.to_string();
    let daemon = command("pptpd", &["-f", "-l", &text, "-o", "/dev/null", "-c", "/dev/null"]);
    let at = SocketAddr::new(address, 1723);
    let mut process = Process::spawn("pptpd", "pptpd", daemon, &log);
    process.wait_for_port(at);
    setup.processes.push(process);
    Server { address: at, processes: setup.processes, stub: None, dir: Some(setup.dir) }
}

/// A controller with Modbus and the identity "Lab LM-1", revision 2.5.1.
#[must_use]
pub fn modbus() -> Server {
    python(
        "pymodbus",
        "import sys\n\
         from pymodbus import ModbusDeviceIdentification\n\
         from pymodbus.datastore import ModbusDeviceContext, ModbusServerContext\n\
         from pymodbus.server import StartTcpServer\n\
         names = {'VendorName': 'Lab', 'ProductCode': 'LM-1', 'MajorMinorRevision': '2.5.1'}\n\
         context = ModbusServerContext(ModbusDeviceContext(), single=True)\n\
         StartTcpServer(context=context, identity=ModbusDeviceIdentification(info_name=names), address=('127.0.0.1', int(sys.argv[1])))\n",
    )
}

/// A controller that speaks S7.
#[must_use]
pub fn s7() -> Server {
    python(
        "python-snap7",
        "import sys, threading\n\
         from snap7.server import Server\n\
         server = Server()\n\
         server.start(tcp_port=int(sys.argv[1]))\n\
         threading.Event().wait()\n",
    )
}

/// A controller that speaks IEC 60870-5-104.
#[must_use]
pub fn iec104() -> Server {
    python(
        "c104",
        "import sys, threading, c104\n\
         server = c104.Server(ip='127.0.0.1', port=int(sys.argv[1]))\n\
         server.add_station(common_address=1)\n\
         server.start()\n\
         threading.Event().wait()\n",
    )
}

/// A server of a Python package, which is in the environment of the tests.
fn python(package: &str, program: &str) -> Server {
    let setup = Setup::new();
    let file = setup.write("server.py", program);
    let mut command = std::process::Command::new("python3");
    command.args([&file, &setup.port.to_string()]);
    setup.start(package, package, command)
}
