//! Hellos of clients as bytes: SSL 3.0 to TLS 1.3.
//!
//! Sources: RFC 6101 (SSL 3.0), RFC 2246/4346/5246 (TLS 1.0 to 1.2), RFC 8446 (TLS 1.3).

use bartizan_domain::evidence::tls::TlsVersion;

/// Signalling values that look like suites and are none: renegotiation (RFC 5746) and fallback (RFC 7507).
pub const SCSV_RENEGOTIATION: u16 = 0x00ff;
/// See [`SCSV_RENEGOTIATION`].
pub const SCSV_FALLBACK: u16 = 0x5600;

/// Signature schemes offered, best first: IANA registry "TLS SignatureScheme". SHA-1 stands last, so that a server
/// that picks it has no better one.
pub const SIGNATURE_SCHEMES: [(u16, &str); 19] = [
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0402, "dsa_sha256"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0203, "ecdsa_sha1"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"),
];

/// What a hello offers. TLS 1.3 is offered alone; a server that lacks an older version may answer in one older still.
#[derive(Debug, Clone)]
pub struct Hello<'a> {
    /// The version.
    pub version: TlsVersion,
    /// The server name; sent from TLS 1.0 on.
    pub sni: Option<&'a str>,
    /// Suites in order.
    pub suites: &'a [u16],
    /// Groups in order.
    pub groups: &'a [u16],
    /// What the TLS 1.3 key share contains.
    pub key_share: KeyShare,
    /// Application protocols in order (RFC 7301); the extension is left out if there are none.
    pub alpn: &'a [&'a [u8]],
    /// Whether DEFLATE is offered beside no compression.
    pub compression: Compression,
    /// How much beside the bare minimum is said.
    pub extent: Extent,
}

/// The key share of a TLS 1.3 hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyShare {
    /// An x25519 key: any 32 bytes are one. The server answers with its hello, or asks for another group.
    X25519,
    /// None: the server has to name the group it wants.
    Empty,
}

/// Compression methods of a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// DEFLATE, then none.
    Deflate,
    /// None alone.
    Null,
}

/// How many extensions a hello carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// As a current client would.
    Full,
    /// Only what the version cannot do without, for servers that stumble over what they do not know.
    Bare,
}

impl Hello<'_> {
    /// The hello in one record. `random` is 32 bytes for the random value and 32 for session id or key.
    ///
    /// SSL 2.0 has another form: [`ssl2_hello`].
    #[must_use]
    pub fn encode(&self, random: &[u8; 64]) -> Vec<u8> {
        let tls13 = self.version == TlsVersion::Tls13;
        let mut body = Vec::with_capacity(1024);
        let legacy = if tls13 { TlsVersion::Tls12 } else { self.version };
        put16(&mut body, legacy.code());
        body.extend_from_slice(&random[..32]);
        if tls13 {
            // The compatibility mode of RFC 8446, appendix D.4, which middleboxes expect.
            body.push(32);
            body.extend_from_slice(&random[32..]);
        } else {
            body.push(0);
        }
        let mut suites = Vec::with_capacity(self.suites.len() * 2 + 2);
        for suite in self.suites {
            put16(&mut suites, *suite);
        }
        if !tls13 {
            put16(&mut suites, SCSV_RENEGOTIATION);
        }
        vector16(&mut body, &suites);
        match self.compression {
            Compression::Deflate if !tls13 => body.extend_from_slice(&[2, 1, 0]),
            _ => body.extend_from_slice(&[1, 0]),
        }
        if self.version > TlsVersion::Ssl3 {
            let extensions = self.extensions(random, body.len());
            vector16(&mut body, &extensions);
        }
        let mut message = vec![1];
        put24(&mut message, body.len());
        message.extend_from_slice(&body);
        let record_version = if self.version == TlsVersion::Ssl3 { TlsVersion::Ssl3 } else { TlsVersion::Tls10 };
        let mut record = vec![22];
        put16(&mut record, record_version.code());
        vector16(&mut record, &message);
        record
    }

    fn extensions(&self, random: &[u8; 64], before: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let tls13 = self.version == TlsVersion::Tls13;
        let full = self.extent == Extent::Full;
        if let Some(name) = self.sni {
            let mut entry = vec![0];
            vector16(&mut entry, name.as_bytes());
            let mut list = Vec::new();
            vector16(&mut list, &entry);
            extension(&mut out, 0, &list);
        }
        if !self.groups.is_empty() {
            let mut list = Vec::new();
            for group in self.groups {
                put16(&mut list, *group);
            }
            let mut body = Vec::new();
            vector16(&mut body, &list);
            extension(&mut out, 10, &body);
            if !tls13 {
                extension(&mut out, 11, &[1, 0]);
            }
        }
        if self.version >= TlsVersion::Tls12 {
            let mut list = Vec::new();
            for (scheme, _) in SIGNATURE_SCHEMES {
                put16(&mut list, scheme);
            }
            let mut body = Vec::new();
            vector16(&mut body, &list);
            extension(&mut out, 13, &body);
        }
        if !self.alpn.is_empty() {
            let mut list = Vec::new();
            for protocol in self.alpn {
                let length = u8::try_from(protocol.len()).unwrap_or(u8::MAX);
                list.push(length);
                list.extend_from_slice(&protocol[..usize::from(length)]);
            }
            let mut body = Vec::new();
            vector16(&mut body, &list);
            extension(&mut out, 16, &body);
        }
        if full {
            // status_request for OCSP, no responder ids, no extensions (RFC 6066).
            extension(&mut out, 5, &[1, 0, 0, 0, 0]);
            if !tls13 {
                extension(&mut out, 23, &[]);
            }
        }
        if tls13 {
            extension(&mut out, 43, &[2, 3, 4]);
            extension(&mut out, 45, &[1, 1]);
            let mut shares = Vec::new();
            if self.key_share == KeyShare::X25519 {
                put16(&mut shares, 29);
                vector16(&mut shares, &random[32..]);
            }
            let mut body = Vec::new();
            vector16(&mut body, &shares);
            extension(&mut out, 51, &body);
        }
        // Some load balancers hang on hellos of 256 to 511 bytes; padding past them is the remedy of RFC 7685.
        let length = before + 4 + 2 + out.len();
        if full && (256..512).contains(&length) {
            extension(&mut out, 21, &vec![0; (512 - length).saturating_sub(4)]);
        }
        out
    }
}

/// Appends a number of two bytes.
pub fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends a length of three bytes.
pub fn put24(out: &mut Vec<u8>, value: usize) {
    let bytes = u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&bytes[1..]);
}

/// Appends `value` with its length in two bytes; what is longer than that can say is cut, which nothing we write is.
pub fn vector16(out: &mut Vec<u8>, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    put16(out, length);
    out.extend_from_slice(&value[..usize::from(length)]);
}

fn extension(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    put16(out, kind);
    vector16(out, value);
}
