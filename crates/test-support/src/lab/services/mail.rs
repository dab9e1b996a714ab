//! Mail servers.

use super::{Server, Setup, command, is_root};
use crate::lab::process::free_port;

/// How a line protocol is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// On request of the client.
    StartTls,
    /// From the first byte.
    Tls,
}

/// SMTP by aiosmtpd.
#[must_use]
pub fn smtp(encryption: Encryption) -> Server {
    let setup = Setup::new();
    let listen = format!("127.0.0.1:{}", setup.port);
    let mut smtp = command("python3", &["-m", "aiosmtpd", "-n", "-l", &listen, "-c", "aiosmtpd.handlers.Sink"]);
    match encryption {
        Encryption::None => {}
        Encryption::StartTls => {
            let (certificate, key) = setup.certificate();
            smtp.args(["--tlscert", &certificate, "--tlskey", &key]);
        }
        Encryption::Tls => {
            let (certificate, key) = setup.certificate();
            smtp.args(["--smtpscert", &certificate, "--smtpskey", &key]);
        }
    }
    setup.start("aiosmtpd", "python3-aiosmtpd", smtp)
}

/// IMAP and POP3 by one Dovecot.
#[derive(Debug)]
pub struct Mailbox {
    /// IMAP; guards the process.
    pub imap: Server,
    /// Where POP3 listens.
    pub pop3: std::net::SocketAddr,
}

/// Dovecot with IMAP and POP3 under the same protection.
#[must_use]
pub fn dovecot(encryption: Encryption) -> Mailbox {
    let setup = Setup::new();
    let pop3 = free_port();
    let inside = encryption == Encryption::Tls;
    let tls = if encryption == Encryption::None {
        "ssl = no\ndisable_plaintext_auth = no\n".to_owned()
    } else {
        let (certificate, key) = setup.certificate();
        format!("ssl = yes\nssl_cert = <{certificate}\nssl_key = <{key}\n")
    };
    let users = if is_root() {
        String::new()
    } else {
        let name = std::env::var("USER").unwrap_or_else(|_| "nobody".to_owned());
        format!("default_internal_user = {name}\ndefault_login_user = {name}\n")
    };
    let listener = |protocol: &str, port: u16| {
        let (used, unused) = if inside {
            (format!("{protocol}s"), protocol.to_owned())
        } else {
            (protocol.to_owned(), format!("{protocol}s"))
        };
        let ssl = if inside { "ssl = yes" } else { "" };
        format!(
            "service {protocol}-login {{\n chroot =\n inet_listener {used} {{\n address = 127.0.0.1\n port = {port}\n {ssl}\n }}\n \
             inet_listener {unused} {{\n port = 0\n }}\n}}\n"
        )
    };
    let conf = setup.write(
        "dovecot.conf",
        &format!(
            "base_dir = {run}\nstate_dir = {run}\nlog_path = {log}\nprotocols = imap pop3\n{users}{tls}\
             mail_location = maildir:{run}/mail\npassdb {{\n driver = static\n args = password=lab-password\n}}\n\
             userdb {{\n driver = static\n args = uid=65534 gid=65534 home=/tmp\n}}\n{imap}{pop}",
            run = setup.folder("run"),
            log = setup.text("dovecot-own.log"),
            imap = listener("imap", setup.port),
            pop = listener("pop3", pop3),
        ),
    );
    let mut imap = setup.start("dovecot", "dovecot-imapd", command("dovecot", &["-F", "-c", &conf]));
    let pop3 = ([127, 0, 0, 1], pop3).into();
    if let Some(process) = imap.processes.first_mut() {
        process.wait_for_port(pop3);
    }
    Mailbox { imap, pop3 }
}
