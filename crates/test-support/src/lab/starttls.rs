//! Servers that turn a plain connection into TLS on request, with a certificate that the test knows: PostgreSQL, MariaDB,
//! Prosody, Postfix, Dovecot, vsftpd and OpenLDAP. They share nothing with services of the same kind that the machine may
//! run.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::certificates::Identity;
use super::process::{Process, free_port};

/// A running server. Dropping it ends its process and removes its files.
#[derive(Debug)]
pub struct Upgradable {
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
    _dir: TempDir,
}

struct Setup {
    dir: TempDir,
    port: u16,
    /// The account a server drops to when the test runs as root, which these servers refuse.
    account: Option<(String, u32, u32)>,
}

impl Setup {
    fn new(account: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("bartizan-lab-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let account = root.then(|| {
            let passwd = fs::read_to_string("/etc/passwd").unwrap();
            let line = passwd
                .lines()
                .find(|line| line.split(':').next() == Some(account))
                .unwrap_or_else(|| panic!("no user {account}: install the package of the server"));
            let fields: Vec<&str> = line.split(':').collect();
            (account.to_owned(), fields[2].parse().unwrap(), fields[3].parse().unwrap())
        });
        Self { dir, port: free_port(), account }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn give(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        if let Some((_, user, group)) = &self.account {
            chown(path, Some(*user), Some(*group)).unwrap();
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        self.give(&path, 0o700);
        path
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        self.give(&path, 0o600);
        path
    }

    /// Copies of certificate and key that only the server's account may read, as servers demand.
    fn identity(&self, identity: &Identity) -> (PathBuf, PathBuf) {
        let chain = self.file("server.crt", &fs::read(&identity.chain).unwrap());
        (chain, self.file("server.key", &fs::read(&identity.key).unwrap()))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((_, user, group)) = &self.account {
            use std::os::unix::process::CommandExt as _;
            command.uid(*user).gid(*group);
        }
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command
    }

    /// A program that starts with the rights of the test and gives them up by itself.
    fn privileged(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A file of the user of the test; vsftpd takes no other for its configuration.
    fn own_file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn prepare(&self, what: &str, package: &str, mut command: Command) {
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{what} cannot be started ({error}): install the package {package}"));
        assert!(output.status.success(), "{what} failed: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn start(self, what: &str, package: &str, command: Command) -> Upgradable {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port);
        let mut process = Process::spawn(what, package, command, &self.path("log"));
        process.wait_for_port(address);
        Upgradable { address, process, _dir: self.dir }
    }
}

/// PostgreSQL with `ssl = on`.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn postgres(identity: &Identity) -> Upgradable {
    let setup = Setup::new("postgres");
    let bin = fs::read_dir("/usr/lib/postgresql")
        .ok()
        .and_then(|versions| versions.filter_map(Result::ok).map(|entry| entry.path().join("bin")).max())
        .unwrap_or_else(|| panic!("no PostgreSQL: install the package postgresql"));
    let data = setup.folder("data");
    let mut initdb = setup.command(&bin.join("initdb"));
    initdb.args(["-U", "postgres", "-A", "scram-sha-256", "--no-sync", "--no-instructions", "--pwfile"]);
    initdb.arg(setup.file("password", b"lab-password\n")).arg("-D").arg(&data);
    setup.prepare("initdb", "postgresql", initdb);
    let (certificate, key) = setup.identity(identity);
    let mut server = setup.command(&bin.join("postgres"));
    server.arg("-D").arg(&data).args(["-p", &setup.port.to_string(), "-h", "127.0.0.1", "-F", "-k", ""]);
    server.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", certificate.display())]);
    server.args(["-c", &format!("ssl_key_file={}", key.display())]);
    setup.start("postgres", "postgresql", server)
}

/// MariaDB with a certificate.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn mariadb(identity: &Identity) -> Upgradable {
    let setup = Setup::new("mysql");
    let data = setup.folder("data");
    let datadir = format!("--datadir={}", data.display());
    let mut install = setup.command(Path::new("mariadb-install-db"));
    install.args(["--no-defaults", &datadir, "--auth-root-authentication-method=normal", "--skip-test-db"]);
    setup.prepare("mariadb-install-db", "mariadb-server", install);
    let (certificate, key) = setup.identity(identity);
    let mut server = setup.command(Path::new("/usr/sbin/mariadbd"));
    server.args(["--no-defaults", &datadir, "--bind-address=127.0.0.1", &format!("--port={}", setup.port)]);
    server.arg(format!("--socket={}", data.join("s").display()));
    server.arg(format!("--ssl-cert={}", certificate.display())).arg(format!("--ssl-key={}", key.display()));
    setup.start("mariadbd", "mariadb-server", server)
}

/// The XMPP server Prosody for the host `name`.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn prosody(identity: &Identity, name: &str) -> Upgradable {
    let setup = Setup::new("prosody");
    let data = setup.folder("data");
    let (certificate, key) = setup.identity(identity);
    let config = format!(
        "pidfile = \"{data}/pid\"\ndata_path = \"{data}\"\nlog = {{ info = \"*console\" }}\n\
         interfaces = {{ \"127.0.0.1\" }}\nc2s_ports = {{ {port} }}\ns2s_ports = {{}}\nhttp_ports = {{}}\nhttps_ports = {{}}\n\
         modules_enabled = {{ \"saslauth\", \"tls\" }}\nmodules_disabled = {{ \"s2s\", \"http\" }}\n\
         ssl = {{ certificate = \"{certificate}\"; key = \"{key}\"; }}\nVirtualHost \"{name}\"\n",
        data = data.display(),
        port = setup.port,
        certificate = certificate.display(),
        key = key.display(),
    );
    let config = setup.file("prosody.cfg.lua", config.as_bytes());
    let mut server = setup.command(Path::new("prosody"));
    server.arg("-F").arg("--config").arg(config);
    setup.start("prosody", "prosody", server)
}

/// SMTP by Postfix. Its master process refuses to run for anybody but root; for other users aiosmtpd takes its place.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn smtp(identity: &Identity) -> Upgradable {
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        let setup = Setup::new("nobody");
        let (certificate, key) = setup.identity(identity);
        let mut smtp = setup.privileged("/usr/bin/python3");
        smtp.args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{}", setup.port), "-c", "aiosmtpd.handlers.Sink"]);
        smtp.arg("--tlscert").arg(certificate).arg("--tlskey").arg(key);
        return setup.start("aiosmtpd", "python3-aiosmtpd", smtp);
    }
    let setup = Setup::new("postfix");
    let (certificate, key) = setup.identity(identity);
    let configuration = setup.path("etc");
    for (folder, mode) in [(&configuration, 0o755), (&setup.path("spool"), 0o755), (&setup.path("data"), 0o700)] {
        fs::create_dir(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    setup.give(&setup.path("data"), 0o700);
    let main = format!(
        "compatibility_level = 3.6\nqueue_directory = {spool}\ndata_directory = {data}\ncommand_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\nsetgid_group = postdrop\nmyhostname = lab.test\n\
         inet_protocols = ipv4\nmaillog_file = /dev/stdout\nalias_maps =\nalias_database =\n\
         smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n",
        certificate.display(),
        key.display(),
        spool = setup.text("spool"),
        data = setup.text("data"),
    );
    fs::write(configuration.join("main.cf"), main).unwrap();
    let services = format!(
        "127.0.0.1:{} inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\n\
         proxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n\
         qmgr unix n - n 300 1 qmgr\npickup unix n - n 60 1 pickup\ntlsmgr unix - - n 1000? 1 tlsmgr\n\
         bounce unix - - n - 0 bounce\n",
        setup.port
    );
    fs::write(configuration.join("master.cf"), services).unwrap();
    // Makes the folders of the queue.
    let mut check = setup.privileged("/usr/sbin/postfix");
    check.arg("-c").arg(&configuration).arg("check");
    setup.prepare("postfix", "postfix", check);
    // The master itself and not the script around it, so that its end is the end of the server.
    let mut master = setup.privileged("/usr/lib/postfix/sbin/master");
    master.arg("-d").arg("-c").arg(&configuration).env("MAIL_CONFIG", &configuration);
    setup.start("postfix", "postfix", master)
}

/// Dovecot: IMAP, and where its POP3 listens.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn dovecot(identity: &Identity) -> (Upgradable, SocketAddr) {
    let setup = Setup::new("dovecot");
    let (certificate, key) = setup.identity(identity);
    let run = setup.path("run");
    fs::create_dir(&run).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    let pop3 = free_port();
    let users = if setup.account.is_some() {
        String::new()
    } else {
        let name = std::env::var("USER").unwrap_or_else(|_| "nobody".to_owned());
        format!("default_internal_user = {name}\ndefault_login_user = {name}\n")
    };
    let listener = |protocol: &str, port: u16| {
        format!(
            "service {protocol}-login {{\n chroot =\n inet_listener {protocol} {{\n address = 127.0.0.1\n port = {port}\n }}\n \
             inet_listener {protocol}s {{\n port = 0\n }}\n}}\n"
        )
    };
    let conf = format!(
        "base_dir = {run}\nstate_dir = {run}\nlog_path = {log}\nprotocols = imap pop3\n{users}ssl = yes\nssl_cert = <{}\n\
         ssl_key = <{}\nmail_location = maildir:{run}/mail\npassdb {{\n driver = static\n args = password=lab-password\n}}\n\
         userdb {{\n driver = static\n args = uid=65534 gid=65534 home=/tmp\n}}\n{}{}",
        certificate.display(),
        key.display(),
        listener("imap", setup.port),
        listener("pop3", pop3),
        run = run.display(),
        log = setup.text("dovecot-own.log"),
    );
    let conf = setup.file("dovecot.conf", conf.as_bytes());
    let mut dovecot = setup.privileged("/usr/sbin/dovecot");
    dovecot.arg("-F").arg("-c").arg(conf);
    let mut imap = setup.start("dovecot", "dovecot-imapd", dovecot);
    let pop3 = SocketAddr::from((Ipv4Addr::LOCALHOST, pop3));
    imap.process.wait_for_port(pop3);
    (imap, pop3)
}

/// FTP by vsftpd with `AUTH TLS`.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn ftp(identity: &Identity) -> Upgradable {
    let setup = Setup::new("ftp");
    let (certificate, key) = setup.identity(identity);
    let empty = setup.path("empty");
    fs::create_dir(&empty).unwrap();
    let conf = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={}\nbackground=NO\nrun_as_launching_user=YES\nanonymous_enable=NO\n\
         local_enable=YES\nsecure_chroot_dir={}\nseccomp_sandbox=NO\nssl_enable=YES\nssl_tlsv1=YES\nrsa_cert_file={}\n\
         rsa_private_key_file={}\n",
        setup.port,
        empty.display(),
        certificate.display(),
        key.display(),
    );
    let conf = setup.own_file("vsftpd.conf", &conf);
    let mut ftp = setup.privileged("/usr/sbin/vsftpd");
    ftp.arg(conf);
    setup.start("vsftpd", "vsftpd", ftp)
}

/// OpenLDAP with a certificate for StartTLS.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn slapd(identity: &Identity) -> Upgradable {
    let setup = Setup::new("openldap");
    let (certificate, key) = setup.identity(identity);
    let data = setup.path("ldap");
    fs::create_dir(&data).unwrap();
    let conf = format!(
        "include /etc/ldap/schema/core.schema\npidfile {}\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\ndatabase ldif\n\
         suffix \"dc=lab,dc=test\"\ndirectory {}\n",
        setup.text("pid"),
        certificate.display(),
        key.display(),
        data.display(),
    );
    let conf = setup.own_file("slapd.conf", &conf);
    let mut slapd = setup.privileged("/usr/sbin/slapd");
    slapd.arg("-f").arg(conf).arg("-h").arg(format!("ldap://127.0.0.1:{}/", setup.port)).args(["-d", "0"]);
    setup.start("slapd", "slapd", slapd)
}
