//! Remote access and file services.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::{Server, Setup, command, is_root, stub};
use crate::lab::process::free_port;

/// How an OpenSSH server is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ssh {
    /// As Debian ships it, apart from PAM.
    Default,
    /// As shipped, with keys only.
    KeysOnly,
    /// Old algorithms and small keys.
    Weak,
}

/// OpenSSH.
#[must_use]
pub fn sshd(kind: Ssh) -> Server {
    let setup = Setup::new();
    if is_root() {
        // sshd insists on this folder when it is started by root; the package's service makes it at boot.
        std::fs::create_dir_all("/run/sshd").unwrap();
    }
    let key = |name: &str, kind: &str, bits: &[&str]| {
        let file = setup.text(name);
        let mut keygen = command("ssh-keygen", &["-q", "-N", "", "-t", kind, "-f", &file]);
        keygen.args(bits);
        Setup::prepare("ssh-keygen", "openssh-client", keygen);
        format!("HostKey {file}\n")
    };
    let mut conf = format!("Port {}\nListenAddress 127.0.0.1\nPidFile none\nUsePAM no\n", setup.port);
    if kind == Ssh::Weak {
        conf.push_str(&key("rsa", "rsa", &["-b", "1024"]));
        conf.push_str(&key("dsa", "dsa", &[]));
        conf.push_str(
            "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,diffie-hellman-group14-sha256\n\
             Ciphers aes128-cbc,3des-cbc,aes128-ctr\nMACs hmac-md5,hmac-sha1-96,hmac-sha2-256\n\
             HostKeyAlgorithms +ssh-rsa,ssh-dss\n",
        );
    } else {
        conf.push_str(&key("rsa", "rsa", &["-b", "3072"]));
        conf.push_str(&key("ecdsa", "ecdsa", &[]));
        conf.push_str(&key("ed25519", "ed25519", &[]));
    }
    if kind == Ssh::KeysOnly {
        conf.push_str("PasswordAuthentication no\nKbdInteractiveAuthentication no\n");
    }
    let file = setup.write("sshd_config", &conf);
    setup.start("sshd", "openssh-server", command("sshd", &["-D", "-e", "-f", &file]))
}

/// Dropbear, the SSH server of small devices.
#[must_use]
pub fn dropbear() -> Server {
    let setup = Setup::new();
    // It offers RSA whether it has such a key or not, so it gets one.
    let key = |kind: &str| {
        let file = setup.text(kind);
        Setup::prepare("dropbearkey", "dropbear-bin", command("dropbearkey", &["-t", kind, "-f", &file]));
        file
    };
    let (ed25519, rsa) = (key("ed25519"), key("rsa"));
    let (listen, pid) = (format!("127.0.0.1:{}", setup.port), setup.text("pid"));
    let dropbear = command("dropbear", &["-F", "-E", "-p", &listen, "-r", &ed25519, "-r", &rsa, "-P", &pid]);
    setup.start("dropbear", "dropbear-bin", dropbear)
}

/// FTP by vsftpd, with or without `AUTH TLS`.
#[must_use]
pub fn ftp(tls: bool) -> Server {
    let setup = Setup::new();
    let empty = setup.folder("empty");
    let security = if tls {
        let (certificate, key) = setup.certificate();
        format!("ssl_enable=YES\nrsa_cert_file={certificate}\nrsa_private_key_file={key}\n")
    } else {
        String::new()
    };
    let conf = setup.write(
        "vsftpd.conf",
        &format!(
            "listen=YES\nlisten_address=127.0.0.1\nlisten_port={}\nbackground=NO\nrun_as_launching_user=YES\n\
             anonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir={empty}\nseccomp_sandbox=NO\n{security}",
            setup.port
        ),
    );
    setup.start("vsftpd", "vsftpd", command("vsftpd", &[&conf]))
}

/// SMB by Samba; `smb1` lets version 1 in.
#[must_use]
pub fn samba(smb1: bool) -> Server {
    let setup = Setup::new();
    let folders: String =
        ["private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir"]
            .iter()
            .map(|name| format!("{name} = {}\n", setup.folder(&name.replace(' ', "-"))))
            .collect();
    let minimum = if smb1 { "server min protocol = NT1\n" } else { "" };
    let conf = setup.write(
        "smb.conf",
        &format!(
            "[global]\nworkgroup = LAB\nserver role = standalone server\ndisable netbios = yes\ninterfaces = 127.0.0.1\n\
             bind interfaces only = yes\n{minimum}{folders}log file = {}\n",
            setup.text("smbd-own.log")
        ),
    );
    let port = setup.port.to_string();
    setup.start("smbd", "samba", command("smbd", &["--foreground", "--no-process-group", "-s", &conf, "-p", &port]))
}

/// RDP by xrdp.
#[must_use]
pub fn xrdp() -> Server {
    let setup = Setup::new();
    let (certificate, key) = setup.certificate();
    let conf = setup.write(
        "xrdp.ini",
        &format!(
            "[Globals]\nini_version=1\nfork=true\nport=tcp://127.0.0.1:{}\nuse_vsock=false\nsecurity_layer=negotiate\n\
             crypt_level=high\ncertificate={certificate}\nkey_file={key}\nssl_protocols=TLSv1.2, TLSv1.3\n\
             max_bpp=32\n[Logging]\nLogFile={}\nLogLevel=INFO\nEnableSyslog=false\n[Xorg]\nname=Xorg\nlib=libxup.so\n",
            setup.port,
            setup.text("xrdp-own.log")
        ),
    );
    setup.start("xrdp", "xrdp", command("xrdp", &["--nodaemon", "--config", &conf]))
}

/// VNC by TigerVNC; `password` decides between VNC authentication and none.
#[must_use]
pub fn vnc(password: bool) -> Server {
    let setup = Setup::new();
    let port = setup.port.to_string();
    // Display numbers up to 59535 are valid; the port number makes a clash with another test unlikely.
    let display = format!(":{}", setup.port - 1024);
    let mut vnc =
        command("Xtigervnc", &[&display, "-rfbport", &port, "-localhost", "-nolisten", "unix", "-SecurityTypes"]);
    if password {
        let file = setup.path("passwd");
        // The obfuscated form of a password is eight bytes under a key that is public; which eight does not matter.
        std::fs::write(&file, [0x17, 0x52, 0x6b, 0x06, 0x23, 0x4e, 0x58, 0x07]).unwrap();
        vnc.args(["VncAuth", "-PasswordFile", file.to_str().unwrap()]);
    } else {
        vnc.arg("None");
    }
    setup.start("Xtigervnc", "tigervnc-standalone-server", vnc)
}

/// An rsync daemon with one module.
#[must_use]
pub fn rsync() -> Server {
    let setup = Setup::new();
    let share = setup.folder("share");
    let conf = setup.write(
        "rsyncd.conf",
        &format!(
            "use chroot = no\nlock file = {}\nlog file = {}\n[backup]\npath = {share}\nread only = yes\n",
            setup.text("lock"),
            setup.text("rsync-own.log")
        ),
    );
    let (port, conf) = (format!("--port={}", setup.port), format!("--config={conf}"));
    let rsync = command("rsync", &["--daemon", "--no-detach", "--address=127.0.0.1", &port, &conf]);
    setup.start("rsync", "rsync", rsync)
}

/// DNS by Unbound, which answers over TCP as over UDP.
#[must_use]
pub fn unbound() -> Server {
    let setup = Setup::new();
    let conf = setup.write(
        "unbound.conf",
        &format!(
            "server:\n interface: 127.0.0.1@{}\n do-daemonize: no\n username: \"\"\n chroot: \"\"\n directory: \"{}\"\n \
             pidfile: \"\"\n use-syslog: no\n access-control: 127.0.0.0/8 allow\n module-config: \"iterator\"\n \
             hide-version: no\nremote-control:\n control-enable: no\n",
            setup.port,
            setup.dir.path().display()
        ),
    );
    setup.start("unbound", "unbound", command("unbound", &["-d", "-c", &conf]))
}

/// Telnet by GNU inetutils, started for each connection as inetd would.
#[must_use]
pub fn telnetd() -> Server {
    let program = "/usr/sbin/telnetd";
    assert!(std::path::Path::new(program).exists(), "no {program}: install the package inetutils-telnetd");
    let listener = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let children: Arc<Mutex<Vec<Child>>> = Arc::default();
    let (stopped, started) = (Arc::clone(&stop), Arc::clone(&children));
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming() {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            let Ok(stream) = stream else { continue };
            let out = OwnedFd::from(stream.try_clone().unwrap());
            let mut telnetd = command(program, &["-E", "/bin/false"]);
            telnetd.stdin(Stdio::from(OwnedFd::from(stream))).stdout(Stdio::from(out)).stderr(Stdio::null());
            started.lock().unwrap().push(telnetd.spawn().unwrap());
        }
        for child in started.lock().unwrap().iter_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    });
    Server { address, processes: Vec::new(), stub: Some(stub::Running::new(address, stop, thread)), dir: None }
}
