//! Validation of the DNSSEC chain from recorded evidence (RFC 4035 section 5, RFC 5155 section 8, RFC 6840).
//!
//! The chain is walked from the trust anchor to the zone of the name. When its upper part is not known (no trust anchor
//! fits, the resolver does not show the root), the lower part is still followed as if its parent were trusted: a broken
//! link is broken whoever stands above it, and an unsigned zone is unsigned. Such results are marked as not proven, and
//! nothing unproven is ever "secure".
//!
//! Not validated: negative answers other than a missing DS, and that no closer name exists beside a wildcard match.

use bartizan_domain::evidence::Observation;
use bartizan_domain::evidence::dns::{DnssecChain, SignedAnswer, ZoneKeys};
use hickory_proto::dnssec::Nsec3HashAlgorithm;

use super::anchor::{TrustAnchor, delegations};
use super::keys::{Key, Unverified, verify};
use super::wire::{RrSet, WireName, bitmap_has, kind, number16, sets};

/// Hash iterations beyond which an NSEC3 proof is not computed (RFC 9276 section 3.2 lets validators stop at 100).
const MAX_ITERATIONS: u16 = 150;

/// What the chain says about the zone of the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    /// Every link from the anchor holds.
    Secure,
    /// The zone, or one above it, is not signed or not linked.
    Insecure {
        /// Where the chain ends.
        zone: String,
        /// One sentence.
        reason: String,
        /// Whether a signed proof from above says so.
        proven: bool,
    },
    /// A link is broken.
    Bogus {
        /// Where.
        zone: String,
        /// One sentence.
        reason: String,
        /// Whether everything above it holds.
        proven: bool,
    },
    /// It cannot be said.
    Indeterminate {
        /// One sentence.
        reason: String,
    },
}

/// How far trust reaches while walking down.
enum Trust {
    /// These keys are proven.
    Proven(Vec<Key>),
    /// These keys would be, if what stands above were known.
    Assumed(Vec<Key>, String),
    /// Nothing above is known.
    Unknown(String),
    /// A zone above is not signed.
    Unsigned { zone: String, reason: String, proven: bool },
}

/// Validates the chain at the time `now` (seconds since 1970, modulo 2^32).
pub(super) fn validate(chain: &DnssecChain, anchors: &[TrustAnchor], now: u32) -> Status {
    let mut trust = Trust::Unknown("the evidence has no zones".to_owned());
    let mut parent = WireName::parse(".");
    let mut last = ".".to_owned();
    for zone in &chain.zones {
        let (Some(name), Some(above)) = (WireName::parse(&zone.zone), parent.take()) else {
            return Status::Indeterminate { reason: format!("`{}` is not a zone name", zone.zone) };
        };
        let own: Vec<&TrustAnchor> = anchors.iter().filter(|anchor| *anchor.zone() == name).collect();
        let step = Step { zone, name: &name, parent: &above, now };
        let next = if own.is_empty() && zone.zone != "." { step.below_parent(trust) } else { step.at_anchor(&own) };
        match next {
            Ok(next) => trust = next,
            Err(status) => return status,
        }
        parent = Some(name);
        last.clone_from(&zone.zone);
    }
    match (trust, parent) {
        (Trust::Unsigned { zone, reason, proven }, _) => Status::Insecure { zone, reason, proven },
        (Trust::Unknown(reason), _) => Status::Indeterminate { reason },
        (Trust::Proven(keys), Some(zone)) => match data(chain, &zone, &keys, now) {
            Ok(()) => Status::Secure,
            Err(Broken::Bad(reason) | Broken::Unsigned(reason)) => {
                Status::Bogus { zone: shown(&last), reason, proven: true }
            }
            Err(Broken::Unknown(reason)) => Status::Indeterminate { reason },
        },
        (Trust::Assumed(keys, above), Some(zone)) => match data(chain, &zone, &keys, now) {
            Err(Broken::Unsigned(_)) => Status::Indeterminate { reason: above },
            Err(Broken::Bad(reason)) => Status::Bogus { zone: shown(&last), reason, proven: false },
            Ok(()) | Err(Broken::Unknown(_)) => Status::Indeterminate { reason: above },
        },
        (Trust::Proven(_) | Trust::Assumed(..), None) => {
            Status::Indeterminate { reason: "the evidence has no zones".to_owned() }
        }
    }
}

/// A zone without the trailing dot, for people.
fn shown(zone: &str) -> String {
    if zone == "." { zone.to_owned() } else { zone.trim_end_matches('.').to_owned() }
}

enum Broken {
    Bad(String),
    Unsigned(String),
    Unknown(String),
}

struct Step<'e> {
    zone: &'e ZoneKeys,
    name: &'e WireName,
    parent: &'e WireName,
    now: u32,
}

impl Step<'_> {
    /// A zone that trust anchors stand for. If they do not fit, the anchors or the resolver are wrong and not the zone of
    /// the name, so nothing is called bogus here.
    fn at_anchor(&self, anchors: &[&TrustAnchor]) -> Result<Trust, Status> {
        let zone = if self.zone.zone == "." { "the root zone".to_owned() } else { shown(&self.zone.zone) };
        let answer = match &self.zone.dnskey {
            Observation::Observed(answer) => answer,
            Observation::Failed(failure) => return Ok(Trust::Unknown(format!("the keys of {zone}: {failure}"))),
            _ => return Ok(Trust::Unknown(format!("the keys of {zone} were not asked for"))),
        };
        let keys = Key::all(&answer.answer);
        if keys.is_empty() {
            return Ok(Trust::Unknown(format!("the resolver shows no keys for {zone}")));
        }
        let vouched: Vec<Key> =
            keys.iter().filter(|key| anchors.iter().any(|anchor| anchor.vouches_for(key))).cloned().collect();
        if vouched.is_empty() {
            return Ok(Trust::Unknown(format!("no key of {zone} matches the trust anchor")));
        }
        match self.key_set(answer, &vouched) {
            Ok(()) => Ok(Trust::Proven(keys)),
            Err(why) => Ok(Trust::Unknown(format!("the keys of {zone}: {}", explain(&why)))),
        }
    }

    /// A zone that its parent stands for.
    fn below_parent(&self, trust: Trust) -> Result<Trust, Status> {
        let zone = shown(&self.zone.zone);
        let (keys, above) = match trust {
            unsigned @ Trust::Unsigned { .. } => return Ok(unsigned),
            Trust::Proven(keys) => (Some(keys), None),
            Trust::Assumed(keys, above) => (Some(keys), Some(above)),
            Trust::Unknown(above) => (None, Some(above)),
        };
        let bogus = |reason: String| Status::Bogus { zone: zone.clone(), reason, proven: above.is_none() };
        let ds = match &self.zone.ds {
            Observation::Observed(answer) => answer,
            Observation::Failed(failure) => {
                return Ok(Trust::Unknown(above.unwrap_or_else(|| format!("the DS records of {zone}: {failure}"))));
            }
            _ => return Ok(Trust::Unknown(format!("the DS records of {zone} were not asked for"))),
        };
        let ds_set = sets(&ds.answer).into_iter().find(|set| set.owner == *self.name && set.kind == kind::DS);
        let Some(ds_set) = ds_set else { return self.undelegated(ds, keys.as_deref(), above.as_deref()) };
        if let Some(keys) = &keys {
            match verify(&ds_set, self.parent, keys, self.now) {
                Ok(_) => {}
                Err(Unverified::Unsupported(algorithm)) => return Ok(Trust::Unknown(unsupported(&zone, algorithm))),
                Err(Unverified::Unsigned) if above.is_some() => return Ok(stripped(above)),
                Err(why) => return Err(bogus(format!("the DS records of {zone}: {}", explain(&why)))),
            }
        }
        let delegations = delegations(&ds.answer);
        let supported: Vec<_> = delegations.iter().filter(|ds| ds.supported()).collect();
        if supported.is_empty() {
            let algorithm = delegations.first().map_or(0, |ds| ds.algorithm);
            return Ok(Trust::Unknown(unsupported(&zone, algorithm)));
        }
        let answer = match &self.zone.dnskey {
            Observation::Observed(answer) => answer,
            Observation::Failed(failure) => {
                return Ok(Trust::Unknown(above.unwrap_or_else(|| format!("the keys of {zone}: {failure}"))));
            }
            _ => return Ok(Trust::Unknown(format!("the keys of {zone} were not asked for"))),
        };
        let own = Key::all(&answer.answer);
        if own.is_empty() {
            return Err(bogus(format!("the parent has a DS record for {zone}, but the zone has no DNSKEY record")));
        }
        let vouched: Vec<Key> =
            own.iter().filter(|key| supported.iter().any(|ds| ds.matches(self.name, key))).cloned().collect();
        if vouched.is_empty() {
            let tags: Vec<String> = supported.iter().map(|ds| ds.key_tag.to_string()).collect();
            let tags = tags.join(", ");
            return Err(bogus(format!("no DNSKEY of {zone} matches the DS record of the parent (key tag {tags})")));
        }
        match self.key_set(answer, &vouched) {
            Ok(()) => {}
            Err(Unverified::Unsupported(algorithm)) => return Ok(Trust::Unknown(unsupported(&zone, algorithm))),
            Err(Unverified::Unsigned) if above.is_some() => return Ok(stripped(above)),
            Err(why) => return Err(bogus(format!("the DNSKEY records of {zone}: {}", explain(&why)))),
        }
        Ok(match above {
            None => Trust::Proven(own),
            Some(above) => Trust::Assumed(own, above),
        })
    }

    fn key_set(&self, answer: &SignedAnswer, vouched: &[Key]) -> Result<(), Unverified> {
        let set = sets(&answer.answer).into_iter().find(|set| set.owner == *self.name && set.kind == kind::DNSKEY);
        let set = set.ok_or(Unverified::Unsigned)?;
        verify(&set, self.name, vouched, self.now).map(|_| ())
    }

    /// A zone without DS records: proven to be unsigned, or broken.
    fn undelegated(&self, ds: &SignedAnswer, keys: Option<&[Key]>, above: Option<&str>) -> Result<Trust, Status> {
        let zone = shown(&self.zone.zone);
        let signed_itself = self.zone.dnskey.observed().map(|answer| !Key::all(&answer.answer).is_empty());
        let reason = match signed_itself {
            Some(true) => format!("{zone} is signed, but its parent has no DS record for it"),
            _ => format!("{zone} is not signed"),
        };
        let unsigned = |proven| Ok(Trust::Unsigned { zone: zone.clone(), reason: reason.clone(), proven });
        match (keys, above) {
            (Some(keys), None) => match self.proves_no_ds(ds, keys) {
                Ok(()) => unsigned(true),
                Err(Broken::Bad(why) | Broken::Unsigned(why)) => {
                    Err(Status::Bogus { zone: zone.clone(), reason: why, proven: true })
                }
                Err(Broken::Unknown(why)) => Ok(Trust::Unknown(why)),
            },
            // Without a parent to ask for a proof, the absence of both records is what there is to go by.
            (_, Some(above)) if signed_itself.is_none() => Ok(Trust::Unknown(above.to_owned())),
            _ => unsigned(false),
        }
    }

    fn proves_no_ds(&self, ds: &SignedAnswer, keys: &[Key]) -> Result<(), Broken> {
        let zone = shown(&self.zone.zone);
        let sets = sets(&ds.authority);
        let mut why = format!("the parent of {zone} does not prove that there is no DS record");
        for set in sets.iter().filter(|set| matches!(set.kind, kind::NSEC | kind::NSEC3)) {
            match verify(set, self.parent, keys, self.now) {
                Ok(_) => {}
                Err(Unverified::Unsupported(algorithm)) => return Err(Broken::Unknown(unsupported(&zone, algorithm))),
                Err(bad) => why = format!("the proof that {zone} has no DS record: {}", explain(&bad)),
            }
        }
        let good: Vec<&RrSet> = sets.iter().filter(|set| verify(set, self.parent, keys, self.now).is_ok()).collect();
        if good.iter().any(|set| set.kind == kind::NSEC && set.owner == *self.name && nsec_denies_ds(set)) {
            return Ok(());
        }
        let hashed: Vec<Nsec3> = good.iter().filter_map(|set| Nsec3::read(set)).collect();
        if hashed.iter().any(|record| record.iterations > MAX_ITERATIONS) {
            let detail =
                "uses more NSEC3 iterations than validators compute (RFC 9276), which makes it unsigned to them";
            return Err(Broken::Unknown(format!("the parent of {zone} {detail}")));
        }
        if nsec3_denies_ds(&hashed, self.name, self.parent) { Ok(()) } else { Err(Broken::Bad(why)) }
    }
}

fn unsupported(zone: &str, algorithm: u8) -> String {
    format!("{zone} is signed with algorithm {algorithm}, which this program cannot verify")
}

/// Missing signatures below an unknown top: a resolver that strips them all looks the same, so nothing is called broken.
fn stripped(above: Option<String>) -> Trust {
    Trust::Unknown(above.unwrap_or_else(|| "the resolver shows no signatures".to_owned()))
}

/// A delegation without DS: NS is there, DS and SOA are not (RFC 4035 section 5.2, RFC 6840 section 4.4).
fn denies(bitmap: &[u8]) -> bool {
    bitmap_has(bitmap, kind::NS) && !bitmap_has(bitmap, kind::DS) && !bitmap_has(bitmap, kind::SOA)
}

fn nsec_denies_ds(set: &RrSet) -> bool {
    set.rdata.iter().filter_map(|rdata| WireName::read(rdata)).any(|(_, bitmap)| denies(bitmap))
}

/// An NSEC3 record (RFC 5155 section 3).
struct Nsec3 {
    /// Hash in the owner name.
    own: Vec<u8>,
    next: Vec<u8>,
    opt_out: bool,
    iterations: u16,
    salt: Vec<u8>,
    bitmap: Vec<u8>,
}

impl Nsec3 {
    fn read(set: &RrSet) -> Option<Self> {
        if set.kind != kind::NSEC3 {
            return None;
        }
        let own = base32hex(set.owner.labels().first()?)?;
        let rdata = set.rdata.first()?;
        let salt_end = 5 + usize::from(*rdata.get(4)?);
        let next_end = salt_end + 1 + usize::from(*rdata.get(salt_end)?);
        (*rdata.first()? == 1).then_some(())?;
        Some(Self {
            own,
            next: rdata.get(salt_end + 1..next_end)?.to_vec(),
            opt_out: rdata.get(1)? & 1 == 1,
            iterations: number16(rdata, 2)?,
            salt: rdata.get(5..salt_end)?.to_vec(),
            bitmap: rdata.get(next_end..)?.to_vec(),
        })
    }

    fn hash(&self, name: &WireName) -> Option<Vec<u8>> {
        let digest = Nsec3HashAlgorithm::SHA1.hash(&self.salt, &name.to_name()?, self.iterations).ok()?;
        Some(digest.as_ref().to_vec())
    }

    fn matches(&self, name: &WireName) -> bool {
        self.hash(name).is_some_and(|hash| hash == self.own)
    }

    fn covers(&self, name: &WireName) -> bool {
        self.hash(name).is_some_and(|hash| {
            if self.own < self.next { self.own < hash && hash < self.next } else { self.own < hash || hash < self.next }
        })
    }
}

/// RFC 5155 section 8.9: a record that matches the name, or an opt-out span over the next closer name.
fn nsec3_denies_ds(records: &[Nsec3], name: &WireName, parent: &WireName) -> bool {
    if records.iter().any(|record| record.matches(name) && denies(&record.bitmap)) {
        return true;
    }
    let below = name.labels().len().saturating_sub(parent.labels().len());
    for count in 1..=below {
        let encloser = name.ancestor(count);
        if records.iter().any(|record| record.matches(&encloser)) {
            let next_closer = name.ancestor(count - 1);
            return records.iter().any(|record| record.opt_out && record.covers(&next_closer));
        }
    }
    false
}

fn base32hex(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut bytes = Vec::with_capacity(20);
    for c in text {
        let value = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'v' => c - b'a' + 10,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(value)) & 0xffff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Verifies the data of the last zone: every record set that answers one of the questions asked.
fn data(chain: &DnssecChain, zone: &WireName, keys: &[Key], now: u32) -> Result<(), Broken> {
    for query in &chain.data {
        let answer = match &query.answer {
            Observation::Observed(answer) => answer,
            Observation::Failed(failure) => {
                return Err(Broken::Unknown(format!("the records of {}: {failure}", shown(&query.name))));
            }
            _ => continue,
        };
        let Some(name) = WireName::parse(&query.name) else { continue };
        let sets = sets(&answer.answer);
        // A CNAME made from a DNAME carries no signature of its own (RFC 6672 section 5.3.1).
        let synthesised = sets.iter().any(|set| set.kind == kind::DNAME && name.is_at_or_below(&set.owner));
        for set in sets.iter().filter(|set| set.owner.is_at_or_below(zone)) {
            let asked = set.owner == name && (set.kind == query.kind || set.kind == kind::CNAME && !synthesised);
            let alias = set.kind == kind::DNAME && name.is_at_or_below(&set.owner);
            if !asked && !alias {
                continue;
            }
            match verify(set, zone, keys, now) {
                Ok(_) => {}
                Err(Unverified::Unsupported(algorithm)) => {
                    return Err(Broken::Unknown(unsupported(&shown(&query.name), algorithm)));
                }
                Err(why) => {
                    let kind = hickory_proto::rr::RecordType::from(set.kind);
                    let reason = format!("the {kind} record of {}: {}", shown(&query.name), explain(&why));
                    let unsigned = why == Unverified::Unsigned;
                    return Err(if unsigned { Broken::Unsigned(reason) } else { Broken::Bad(reason) });
                }
            }
        }
    }
    Ok(())
}

fn explain(why: &Unverified) -> String {
    let when = |seconds: u32| {
        chrono::DateTime::from_timestamp(i64::from(seconds), 0)
            .map_or_else(|| seconds.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
    };
    match why {
        Unverified::Unsigned => "there is no signature".to_owned(),
        Unverified::WrongSigner => "the signature is made by another zone".to_owned(),
        Unverified::NoKey(tag) => format!("the key that signed, tag {tag}, is not among the zone's keys"),
        Unverified::NotYet(from) => format!("the signature is not valid before {}", when(*from)),
        Unverified::Wrong(tag) => format!("the signature with key {tag} does not fit the records"),
        Unverified::Expired(end) => format!("the signature expired on {}", when(*end)),
        Unverified::Unsupported(algorithm) => format!("algorithm {algorithm} cannot be verified"),
    }
}
