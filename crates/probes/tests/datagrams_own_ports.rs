//! Identification of real servers of UDP protocols that cannot be told a port, or want an interface of their own: each in a network
//! namespace, on its own port. Needs root and `ip`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stderr, reason = "a test that cannot run says so")]

use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bartizan_domain::Transport;
use bartizan_domain::evidence::{Endpoint, ServiceEvidence};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::{ProbeContext, services};
use bartizan_test_support::FixedClock;

/// Where the servers listen.
const HOST: &str = "10.66.0.1";

/// A namespace with one Ethernet of its own, and a folder for the files of its server.
struct Space {
    name: String,
    folder: tempfile::TempDir,
    servers: Vec<(Child, String)>,
}

fn ip(arguments: &str) {
    let done = Command::new("ip").args(arguments.split_whitespace()).status().unwrap();
    assert!(done.success(), "ip {arguments}");
}

impl Space {
    fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            eprintln!("NOT RUN: network namespaces need root");
            return None;
        }
        let name = format!("bzud{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        ip(&format!("netns add {name}"));
        let folder = tempfile::tempdir().unwrap();
        let space = Self { name: name.clone(), folder, servers: Vec::new() };
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} link add v0 type veth peer name v1"));
        ip(&format!("-n {name} address add {HOST}/24 brd + dev v0"));
        for device in ["v0", "v1"] {
            ip(&format!("-n {name} link set {device} up"));
        }
        Some(space)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file, `@` in its text being the folder.
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text.replace('@', self.folder.path().to_str().unwrap())).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn start(&mut self, program: &str, package: &str, arguments: &[&str]) {
        let programs = [program.to_owned(), format!("/usr/sbin/{program}"), format!("/usr/lib/ipsec/{program}")];
        let program = programs.iter().find(|path| path.starts_with('/') && Path::new(path).exists());
        let program = program.unwrap_or_else(|| panic!("{} is missing: install the package {package}", programs[0]));
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new("ip")
            .args(["netns", "exec", &self.name, program])
            .args(arguments)
            .env("STRONGSWAN_CONF", self.path("strongswan.conf"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.servers.push((child, program.clone()));
    }

    /// Asks until the server is up and says what is wanted.
    fn identified(&mut self, address: &str, port: u16) -> ServiceEvidence {
        let endpoint = Endpoint { address: address.parse().unwrap(), transport: Transport::Udp, port };
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            let name = self.name.clone();
            let observation = std::thread::scope(|scope| {
                let ask = || {
                    let space = std::fs::File::open(format!("/var/run/netns/{name}")).unwrap();
                    let kind = Some(rustix::thread::LinkNameSpaceType::Network);
                    rustix::thread::move_into_link_name_space(space.as_fd(), kind).unwrap();
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(services::identify(&context(), &endpoint, None))
                };
                scope.spawn(ask).join().unwrap()
            });
            match observation.observed() {
                Some(found) if found.service.is_some() => return found.clone(),
                _ => {}
            }
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            for (server, program) in &mut self.servers {
                assert!(server.try_wait().unwrap().is_none(), "{program} ended: {log}");
            }
            assert!(Instant::now() < limit, "nothing at {port}: {observation:?}; {log}");
        }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        for (server, _) in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

fn context() -> ProbeContext {
    let policy = Policy { allow_private: true };
    let outbound = Outbound::new(Settings { policy, max_sockets: 400, ..Settings::default() });
    ProbeContext::new(outbound, Arc::new(FixedClock::at("2026-11-22T00:00:00Z".parse().unwrap())))
}

/// The version of a package without epoch, packaging and revision.
fn package_version(package: &str) -> String {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.rsplit(':').next().unwrap();
    text.split(['-', '+']).next().unwrap().to_owned()
}

#[test]
fn rpcbind_is_the_port_mapper() {
    let Some(mut space) = Space::new() else { return };
    space.start("rpcbind", "rpcbind", &["-f", "-h", HOST]);
    assert_eq!(space.identified(HOST, 111).service.as_deref(), Some("rpcbind"));
}

#[test]
fn xl2tpd_says_its_vendor_in_the_control_connection() {
    let Some(mut space) = Space::new() else { return };
    let settings = space.write(
        "xl2tpd.conf",
        "[global]\nport = 1701\nlisten-addr = 10.66.0.1\naccess control = no\n\
         [lns default]\nip range = 10.66.1.2-10.66.1.9\nlocal ip = 10.66.1.1\n",
    );
    let [pid, control, secrets] = ["pid", "control", "secrets"].map(|name| space.path(name));
    space.start("xl2tpd", "xl2tpd", &["-D", "-c", &settings, "-p", &pid, "-C", &control, "-s", &secrets]);
    let found = space.identified(HOST, 1701);
    assert_eq!((found.service.as_deref(), found.product.as_deref()), (Some("l2tp"), Some("xl2tpd")), "{found:?}");
    assert!(found.banner.as_deref().unwrap_or_default().starts_with("xelerance.com "), "{found:?}");
}

#[test]
fn strongswan_speaks_ike_on_both_of_its_ports() {
    let Some(mut space) = Space::new() else { return };
    space.write(
        "strongswan.conf",
        "charon {\n load = random nonce openssl aes sha1 sha2 hmac gmp pem pkcs1 x509 kernel-netlink socket-default\n\
         piddir = @\n install_routes = no\n}\n",
    );
    space.start("charon", "strongswan-charon", &[]);
    for port in [500, 4500] {
        let found = space.identified(HOST, port);
        assert_eq!((found.service.as_deref(), found.banner.as_deref()), (Some("ike"), Some("IKEv2")), "{port}");
    }
}

#[test]
fn freeradius_tells_its_status_to_who_knows_the_secret_it_is_shipped_with() {
    let Some(mut space) = Space::new() else { return };
    std::fs::create_dir(space.path("run")).unwrap();
    space.write(
        "radiusd.conf",
        "prefix = /usr\nname = bartizan\nconfdir = @\nrun_dir = @/run\nlogdir = @\nlibdir = /usr/lib/freeradius\npidfile = @/run/pid\n\
         max_requests = 256\nsecurity {\n user = root\n group = root\n allow_core_dumps = no\n status_server = yes\n}\n\
         client all {\n ipaddr = 0.0.0.0/0\n secret = testing123\n}\n\
         modules {\n always reject {\n rcode = reject\n }\n}\n\
         server default {\n listen {\n type = auth\n ipaddr = 10.66.0.1\n port = 1812\n }\n authorize {\n reject\n }\n}\n",
    );
    let folder = space.folder.path().to_str().unwrap().to_owned();
    space.start("freeradius", "freeradius", &["-f", "-d", &folder, "-l", "stdout"]);
    assert_eq!(space.identified(HOST, 1812).service.as_deref(), Some("radius"));
}

#[test]
fn ntpsec_tells_its_version_and_to_strangers_the_time() {
    let Some(mut space) = Space::new() else { return };
    let settings = space
        .write("ntp.conf", "driftfile @/drift\nserver 127.127.1.0\nrestrict default nomodify\nrestrict 127.0.0.1\n");
    space.start("ntpd", "ntpsec", &["-n", "-c", &settings, "-u", "root"]);
    let found = space.identified("127.0.0.1", 123);
    let told = (found.service.as_deref(), found.product.as_deref(), found.version);
    assert_eq!(told, (Some("ntp"), Some("NTPsec"), Some(package_version("ntpsec"))), "{:?}", found.banner);
    // It keeps its variables from other addresses, unless it is told otherwise.
    let found = space.identified(HOST, 123);
    assert_eq!(found.service.as_deref(), Some("ntp"));
    assert!(found.banner.as_deref().unwrap_or_default().starts_with("NTP version 4, stratum "), "{found:?}");
}

#[test]
fn nmbd_tells_the_names_of_the_machine_and_its_group() {
    let Some(mut space) = Space::new() else { return };
    for folder in ["lock", "state", "cache", "private", "pid"] {
        std::fs::create_dir(space.path(folder)).unwrap();
    }
    let settings = space.write(
        "smb.conf",
        "[global]\nworkgroup = LAB\nnetbios name = BARTLAB\ninterfaces = 10.66.0.1/24\nbind interfaces only = yes\n\
         lock directory = @/lock\nstate directory = @/state\ncache directory = @/cache\nprivate dir = @/private\n\
         pid directory = @/pid\nncalrpc dir = @/lock\nlog file = @/nmbd.log\n",
    );
    space.start("nmbd", "samba", &["-F", "--no-process-group", "-s", &settings]);
    let found = space.identified(HOST, 137);
    assert_eq!((found.service.as_deref(), found.banner.as_deref()), (Some("netbios-ns"), Some("BARTLAB in LAB")));
}

#[test]
fn openvpn_answers_the_first_packet_of_a_session() {
    let Some(mut space) = Space::new() else { return };
    let (key, certificate) = (space.path("key.pem"), space.path("certificate.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=lab.test"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let files = ["--ca", &certificate, "--cert", &certificate, "--key", &key];
    let manner = ["--dev", "null", "--proto", "udp", "--local", HOST, "--tls-server", "--dh", "none"];
    space.start("openvpn", "openvpn", &[&manner[..], &["--port", "1194"], &files].concat());
    let found = space.identified(HOST, 1194);
    assert_eq!((found.service.as_deref(), found.product.as_deref()), (Some("openvpn"), Some("OpenVPN")), "{found:?}");
    // And where its port says nothing.
    space.start("openvpn", "openvpn", &[&manner[..], &["--port", "34567"], &files].concat());
    assert_eq!(space.identified(HOST, 34_567).product.as_deref(), Some("OpenVPN"));
}
