//! Trust anchors: where validation starts.

use bartizan_domain::evidence::dns::RawRecord;

use super::keys::{Delegation, Key};
use super::wire::{WireName, kind, unhex};

/// The root's key-signing keys as IANA publishes them (<https://data.iana.org/root-anchors/root-anchors.xml>).
const IANA: [&str; 2] = [
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
];

/// A trust anchor: a zone and the keys it may be signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    zone: WireName,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Digest(Delegation),
    Key(Key),
}

impl TrustAnchor {
    /// Reads one DS or DNSKEY record in presentation form: `. 3600 IN DS 20326 8 2 E06D…`. The TTL and the class may be
    /// left out, digest and key may contain spaces, parentheses around them are ignored.
    ///
    /// # Errors
    /// Names what is wrong with the line.
    pub fn parse(line: &str) -> Result<Self, String> {
        let line = line.split(';').next().unwrap_or_default().replace(['(', ')'], " ");
        let mut words = line.split_whitespace();
        let owner = words.next().ok_or("the line is empty")?;
        let zone = WireName::parse(owner).ok_or_else(|| format!("`{owner}` is not a zone name"))?;
        let mut rest =
            words.skip_while(|word| word.eq_ignore_ascii_case("IN") || word.bytes().all(|b| b.is_ascii_digit()));
        let form = match rest.next().map(str::to_ascii_uppercase).as_deref() {
            Some("DS") => Form::Digest(Delegation {
                key_tag: field(rest.next(), "key tag")?,
                algorithm: field(rest.next(), "algorithm number")?,
                digest_type: field(rest.next(), "digest type")?,
                digest: unhex(&rest.collect::<String>())
                    .filter(|digest| digest.len() >= 20)
                    .ok_or("the digest is not hexadecimal")?,
            }),
            Some("DNSKEY") => {
                let flags: u16 = field(rest.next(), "flags")?;
                let protocol: u8 = field(rest.next(), "protocol")?;
                let algorithm: u8 = field(rest.next(), "algorithm number")?;
                let public = unbase64(&rest.collect::<String>()).ok_or("the key is not base64")?;
                let mut rdata = flags.to_be_bytes().to_vec();
                rdata.extend([protocol, algorithm]);
                rdata.extend(public);
                Form::Key(Key::read(&rdata).ok_or("the key is too short")?)
            }
            _ => return Err(format!("`{}` is neither a DS nor a DNSKEY record", line.trim())),
        };
        Ok(Self { zone, form })
    }

    /// The anchors of `lines`, or the built-in ones of the root if there are none. Lines that cannot be read are left
    /// out here; whoever takes them from a user checks them with [`Self::parse`] first.
    pub(super) fn all(lines: &[String]) -> Vec<Self> {
        if lines.is_empty() {
            return IANA.iter().filter_map(|line| Self::parse(line).ok()).collect();
        }
        lines.iter().filter_map(|line| Self::parse(line).ok()).collect()
    }

    pub(super) const fn zone(&self) -> &WireName {
        &self.zone
    }

    /// Whether the anchor is this key of its zone.
    pub(super) fn vouches_for(&self, key: &Key) -> bool {
        match &self.form {
            Form::Digest(digest) => digest.matches(&self.zone, key),
            Form::Key(anchor) => anchor.same_material(key),
        }
    }
}

/// The DS records of a set.
pub(super) fn delegations(records: &[RawRecord]) -> Vec<Delegation> {
    records.iter().filter(|r| r.kind == kind::DS).filter_map(|r| Delegation::read(&unhex(&r.rdata)?)).collect()
}

fn field<T: std::str::FromStr>(word: Option<&str>, what: &str) -> Result<T, String> {
    let word = word.ok_or_else(|| format!("the {what} is missing"))?;
    word.parse().map_err(|_| format!("`{word}` is not a {what}"))
}

/// Base64 of RFC 4648 with padding; a dozen lines cost less than a dependency of the pure layer.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len());
    let mut bits = 0_u32;
    let mut count = 0_u32;
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use hickory_proto::dnssec::{PublicKey, TrustAnchors};

    use super::*;

    #[test]
    fn the_built_in_anchors_are_the_keys_that_the_library_ships() {
        // Two independent copies of what IANA publishes must agree.
        let shipped = TrustAnchors::default();
        let anchors = TrustAnchor::all(&[]);
        assert_eq!(anchors.len(), 2);
        for at in 0..shipped.len() {
            let public = shipped.get(at).unwrap();
            let mut rdata = vec![1, 1, 3, 8];
            rdata.extend(public.public_bytes());
            let key = Key::read(&rdata).unwrap();
            assert!(anchors.iter().any(|anchor| anchor.vouches_for(&key)), "key {}", key.tag());
        }
    }

    #[test]
    fn lines_are_read_or_explained() {
        for line in [
            IANA[0],
            ". 3600 IN DS 20326 8 2 ( E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC 683457104237C7F8EC8D ) ; root",
        ] {
            assert_eq!(TrustAnchor::parse(line), TrustAnchor::parse(IANA[0]), "{line}");
        }
        assert!(TrustAnchor::parse("test. DNSKEY 257 3 13 AAECAwQFBgc=").is_ok());
        for line in ["", ". IN A 192.0.2.1", ". IN DS x 8 2 00", ". IN DS 1 8 2 zz", ". DNSKEY 257 3 13 *"] {
            assert!(TrustAnchor::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn base64() {
        assert_eq!(unbase64("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(unbase64("aGVsbG8gd29ybGQ="), Some(b"hello world".to_vec()));
        assert_eq!(unbase64("a*"), None);
    }
}
