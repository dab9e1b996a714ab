//! A real directory (Debian's `slapd`) with people and groups, on a loopback port, with StartTLS.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::certificates::{Authority, Leaf};
use super::process::{Process, free_port};

/// The account that may search.
pub const SERVICE: &str = "cn=service,dc=lab,dc=test";
/// Its password.
pub const SERVICE_PASSWORD: &str = "only the server may search";
/// Password of every person.
pub const PERSON_PASSWORD: &str = "a person of the directory";

/// A running directory. Dropping it ends it.
#[derive(Debug)]
pub struct Directory {
    /// Its port.
    pub port: u16,
    /// The authority its certificate is of, in PEM.
    pub authority: String,
    conf: PathBuf,
    process: Option<Process>,
    dir: TempDir,
    _authority: Authority,
}

impl Directory {
    /// Starts one with two people, one of them twice by mail address, and a group for each list of names.
    ///
    /// # Panics
    /// If it is not installed or does not start.
    #[must_use]
    pub fn start(groups: &[(&str, &[&str])]) -> Self {
        let dir = tempfile::Builder::new().prefix("bartizan-lab-").tempdir().unwrap();
        let authority = Authority::new();
        let leaf = Leaf { addresses: vec![[127, 0, 0, 1].into()], ..Leaf::good("localhost") };
        let identity = authority.leaf(&leaf);
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("data")).unwrap();
        let conf = path("slapd.conf");
        let text = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\npidfile {pid}\nTLSCertificateFile {chain}\n\
             TLSCertificateKeyFile {key}\nallow bind_anon_dn\ndatabase ldif\nsuffix \"dc=lab,dc=test\"\n\
             rootdn \"cn=root,dc=lab,dc=test\"\ndirectory {data}\naccess to attrs=userPassword by anonymous auth by * none\n\
             access to * by dn.exact=\"{SERVICE}\" read by * none\n",
            pid = path("pid").display(),
            chain = identity.chain.display(),
            key = identity.key.display(),
            data = path("data").display(),
        );
        std::fs::write(&conf, text).unwrap();
        let authority_pem = std::fs::read_to_string(authority.root_file()).unwrap();
        let mut directory =
            Self { port: free_port(), authority: authority_pem, conf, process: None, dir, _authority: authority };
        directory.fill(groups);
        directory.restart();
        directory
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Ends it, replaces the groups, and starts it again.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn set_groups(&mut self, groups: &[(&str, &[&str])]) {
        self.stop();
        let data = self.dir.path().join("data");
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::create_dir(&data).unwrap();
        self.fill(groups);
        self.restart();
    }

    /// Ends it, so that nobody answers at its address.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn restart(&mut self) {
        let mut slapd = Command::new("slapd");
        slapd.arg("-f").arg(&self.conf).arg("-h").arg(format!("{}/", self.url())).args(["-d", "0"]);
        let mut process = Process::spawn("slapd", "slapd", slapd, &self.dir.path().join("log"));
        process.wait_for_port(([127, 0, 0, 1], self.port).into());
        self.process = Some(process);
    }

    fn fill(&self, groups: &[(&str, &[&str])]) {
        let mut text = format!(
            "dn: dc=lab,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: Lab\n\n\
             dn: ou=people,dc=lab,dc=test\nobjectClass: organizationalUnit\n\n\
             dn: ou=groups,dc=lab,dc=test\nobjectClass: organizationalUnit\n\n\
             dn: {SERVICE}\nobjectClass: person\nsn: service\nuserPassword: {SERVICE_PASSWORD}\n\n"
        );
        for (number, (uid, mail)) in
            [("grace", "grace@corp.example"), ("linus", "linus@corp.example"), ("twin", "grace@corp.example")]
                .into_iter()
                .enumerate()
        {
            text.push_str(&format!(
                "dn: uid={uid},ou=people,dc=lab,dc=test\nobjectClass: inetOrgPerson\ncn: {uid}\nsn: {uid}\nmail: {mail}\n\
                 userPassword: {PERSON_PASSWORD}\nentryUUID: 00000000-0000-4000-8000-00000000000{number}\n\n"
            ));
        }
        for (name, members) in groups {
            text.push_str(&format!("dn: cn={name},ou=groups,dc=lab,dc=test\nobjectClass: groupOfNames\ncn: {name}\n"));
            for member in *members {
                text.push_str(&format!("member: uid={member},ou=people,dc=lab,dc=test\n"));
            }
            text.push('\n');
        }
        let ldif = self.dir.path().join("entries.ldif");
        std::fs::write(&ldif, text).unwrap();
        let added = Command::new("slapadd").arg("-f").arg(&self.conf).arg("-l").arg(&ldif).output();
        let added =
            added.unwrap_or_else(|error| panic!("slapadd cannot be started ({error}): install the package slapd"));
        assert!(added.status.success(), "slapadd: {}", String::from_utf8_lossy(&added.stderr));
    }
}
