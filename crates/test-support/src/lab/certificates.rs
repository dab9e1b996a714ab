//! A certificate authority for the lab, made with the `openssl` command: libraries refuse the bad ones.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use chrono::{DateTime, Duration, Utc};
use tempfile::TempDir;

/// A root, an intermediate, and as many leaves as a test asks for. The files live as long as this.
#[derive(Debug)]
pub struct Authority {
    dir: TempDir,
    counter: AtomicU32,
    root: Identity,
    intermediate: Identity,
}

/// A certificate with its key, as PEM files.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate alone.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// What a server sends: the certificate and, unless it was left out, its issuer.
    pub chain: PathBuf,
}

/// Kind and size of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// RSA of that many bits.
    Rsa(u32),
    /// ECDSA on P-256.
    P256,
}

/// Who signs a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// The intermediate.
    Intermediate,
    /// The root.
    Root,
    /// The leaf itself.
    Itself,
    /// A certificate authority that nobody trusts.
    Stranger,
}

/// Whether the server sends the issuer: the intermediate, or the root of a stranger. The lab's own root is never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// The leaf and its issuer.
    WholeChain,
    /// The leaf alone.
    LeafOnly,
}

/// What a leaf is like. [`Leaf::good`] is right in every respect; a test changes the one thing it is about.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// DNS names in the subjectAltName.
    pub names: Vec<String>,
    /// Addresses in the subjectAltName.
    pub addresses: Vec<IpAddr>,
    /// The key.
    pub key: Key,
    /// Hash of the issuer's signature, as `openssl` names it.
    pub digest: &'static str,
    /// First second of validity, from now.
    pub begins: Duration,
    /// Last second of validity, from now.
    pub ends: Duration,
    /// Who signs.
    pub issuer: Issuer,
    /// What the server sends.
    pub sends: Sends,
    /// Address of the issuer's certificate (caIssuers).
    pub issuer_url: Option<String>,
    /// Further extensions, a line of OpenSSL configuration each: `tlsfeature=status_request`.
    pub extensions: Vec<String>,
}

impl Leaf {
    /// A leaf for `name` without a fault.
    #[must_use]
    pub fn good(name: &str) -> Self {
        Self {
            names: vec![name.to_owned()],
            addresses: Vec::new(),
            key: Key::P256,
            digest: "sha256",
            begins: Duration::days(-10),
            ends: Duration::days(80),
            issuer: Issuer::Intermediate,
            sends: Sends::WholeChain,
            issuer_url: None,
            extensions: Vec::new(),
        }
    }
}

impl Authority {
    /// Makes a root and an intermediate.
    ///
    /// # Panics
    /// If `openssl` is missing or fails.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = ca(dir.path(), "root", "/O=Bartizan Lab/CN=Lab Root", None);
        let intermediate = ca(dir.path(), "intermediate", "/O=Bartizan Lab/CN=Lab Intermediate", Some(&root));
        Self { dir, counter: AtomicU32::new(0), root, intermediate }
    }

    /// The root as PEM file, what `--ca-file` takes.
    #[must_use]
    pub fn root_file(&self) -> &Path {
        &self.root.certificate
    }

    /// The root, DER.
    ///
    /// # Panics
    /// If the file is gone.
    #[must_use]
    pub fn root_der(&self) -> Vec<u8> {
        self.der(&self.root)
    }

    /// The intermediate, DER.
    ///
    /// # Panics
    /// If the file is gone.
    #[must_use]
    pub fn intermediate_der(&self) -> Vec<u8> {
        self.der(&self.intermediate)
    }

    /// A folder for further files of the test.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    fn der(&self, identity: &Identity) -> Vec<u8> {
        let out = identity.certificate.with_extension("der");
        let mut command = Command::new("openssl");
        command.args(["x509", "-outform", "DER", "-in"]).arg(&identity.certificate).arg("-out").arg(&out);
        run(command, self.dir.path());
        fs::read(out).unwrap()
    }

    /// Issues a leaf.
    ///
    /// # Panics
    /// If `openssl` is missing or fails.
    #[must_use]
    pub fn leaf(&self, leaf: &Leaf) -> Identity {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let dir = self.dir.path().join(format!("leaf{number}"));
        fs::create_dir(&dir).unwrap();
        let key = dir.join("key.pem");
        make_key(leaf.key, &key, &dir);
        let certificate = dir.join("certificate.pem");
        let stranger;
        let issuer = match leaf.issuer {
            Issuer::Intermediate => Some(&self.intermediate),
            Issuer::Root => Some(&self.root),
            Issuer::Itself => None,
            Issuer::Stranger => {
                stranger = ca(&dir, "stranger", "/O=Strangers/CN=Nobody Knows", None);
                Some(&stranger)
            }
        };
        let extensions = leaf_extensions(leaf);
        let subject = format!("/CN={}", leaf.names.first().map_or("nameless", String::as_str));
        sign(
            &Signing { dir: &dir, subject: &subject, key: &key, issuer, leaf_extensions: &extensions, leaf },
            &certificate,
        );
        let mut chain_text = fs::read_to_string(&certificate).unwrap();
        let above = issuer.filter(|_| leaf.sends == Sends::WholeChain && leaf.issuer != Issuer::Root);
        if let Some(issuer) = above {
            chain_text.push_str(&fs::read_to_string(&issuer.certificate).unwrap());
        }
        let chain = dir.join("chain.pem");
        fs::write(&chain, chain_text).unwrap();
        Identity { certificate, key, chain }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn leaf_extensions(leaf: &Leaf) -> String {
    let dns = leaf.names.iter().map(|name| format!("DNS:{name}"));
    let ips = leaf.addresses.iter().map(|address| format!("IP:{address}"));
    let alternatives: Vec<String> = dns.chain(ips).collect();
    let mut text = String::from(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n\
         extendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\n",
    );
    if leaf.issuer != Issuer::Itself {
        text.push_str("authorityKeyIdentifier=keyid\n");
    }
    if !alternatives.is_empty() {
        text.push_str(&format!("subjectAltName={}\n", alternatives.join(",")));
    }
    if let Some(url) = &leaf.issuer_url {
        text.push_str(&format!("authorityInfoAccess=caIssuers;URI:{url}\n"));
    }
    for line in &leaf.extensions {
        text.push_str(line);
        text.push('\n');
    }
    text
}

struct Signing<'a> {
    dir: &'a Path,
    subject: &'a str,
    key: &'a Path,
    issuer: Option<&'a Identity>,
    leaf_extensions: &'a str,
    leaf: &'a Leaf,
}

fn sign(job: &Signing<'_>, out: &Path) {
    let request = job.dir.join("request.pem");
    let mut command = Command::new("openssl");
    command.args(["req", "-new", "-subj", job.subject, "-key"]).arg(job.key).arg("-out").arg(&request);
    run(command, job.dir);

    // Only `openssl ca` takes both dates in every version that Debian ships.
    let config = job.dir.join("ca.cnf");
    fs::write(job.dir.join("index.txt"), "").unwrap();
    fs::write(
        &config,
        format!(
            "[ca]\ndefault_ca=lab\n[lab]\ndatabase={0}/index.txt\nnew_certs_dir={0}\npolicy=any\nunique_subject=no\nrand_serial=yes\n\
             [any]\ncommonName=supplied\n[extensions]\n{1}",
            job.dir.display(),
            job.leaf_extensions
        ),
    )
    .unwrap();
    let now: DateTime<Utc> = SystemTime::now().into();
    let date = |offset: Duration| (now + offset).format("%Y%m%d%H%M%SZ").to_string();
    let mut command = Command::new("openssl");
    command
        .args(["ca", "-batch", "-notext", "-extensions", "extensions", "-md", job.leaf.digest])
        .args(["-startdate", &date(job.leaf.begins), "-enddate", &date(job.leaf.ends)])
        .arg("-config")
        .arg(&config)
        .arg("-in")
        .arg(&request)
        .arg("-out")
        .arg(out);
    match job.issuer {
        Some(issuer) => command.arg("-cert").arg(&issuer.certificate).arg("-keyfile").arg(&issuer.key),
        None => command.arg("-selfsign").arg("-keyfile").arg(job.key),
    };
    run(command, job.dir);
}

fn ca(dir: &Path, name: &str, subject: &str, issuer: Option<&Identity>) -> Identity {
    let key = dir.join(format!("{name}-key.pem"));
    let certificate = dir.join(format!("{name}.pem"));
    make_key(Key::Rsa(2048), &key, dir);
    let path_length = if issuer.is_some() { ",pathlen:0" } else { "" };
    let basic = format!("basicConstraints=critical,CA:TRUE{path_length}");
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-new", "-sha256", "-days", "3650", "-subj", subject]);
    command.args(["-addext", &basic, "-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
    command.arg("-key").arg(&key).arg("-out").arg(&certificate);
    if let Some(issuer) = issuer {
        command.arg("-CA").arg(&issuer.certificate).arg("-CAkey").arg(&issuer.key);
    }
    run(command, dir);
    Identity { chain: certificate.clone(), certificate, key }
}

fn make_key(kind: Key, out: &Path, dir: &Path) {
    let mut command = Command::new("openssl");
    command.arg("genpkey");
    match kind {
        Key::Rsa(bits) => command.args(["-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")]),
        Key::P256 => command.args(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    };
    command.arg("-out").arg(out);
    run(command, dir);
}

fn run(mut command: Command, dir: &Path) {
    let output = command
        .current_dir(dir)
        .output()
        .unwrap_or_else(|error| panic!("openssl cannot be started ({error}): install the package openssl"));
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
}
