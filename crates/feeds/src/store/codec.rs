//! The binary form of records in the store.
//!
//! Numbers are LEB128, texts are a length and UTF-8, lists are a count and their items. Not self-describing: the store
//! has one format version for all of it ([`super::FORMAT`]), and a store of another version is imported anew. Reading
//! never panics on damaged bytes and never allocates more than the bytes at hand could fill.
//!
//! A record has two parts: what the correlation core reads of every candidate (head, statements, configurations), and
//! what only people read (summary, description, weaknesses, links, dates). They lie in different tables.

use bartizan_matching::cpe::{Configuration, CpeMatch, Node, Operator};
use bartizan_matching::model::{
    Advisory, AdvisoryHead, AdvisoryKind, Affected, Condition, Cwe, Ecosystem, Epss, Event, ExploitIndex, Kev,
    NameKind, PackageKey, Range, Reference, ReferenceKind, ScoreSystem, SeverityScore, Signals, Ssvc, Text,
    VendorState,
};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use crate::error::{FeedError, Result};

/// Deepest nesting of CPE nodes.
const MAX_NODE_DEPTH: usize = 16;

/// Writes the binary form.
#[derive(Debug, Default)]
pub struct Encoder(pub Vec<u8>);

impl Encoder {
    /// An unsigned number.
    pub fn number(&mut self, mut value: u64) {
        loop {
            let byte = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                self.0.push(byte);
                return;
            }
            self.0.push(byte | 0x80);
        }
    }

    /// A length or an index.
    pub fn size(&mut self, value: usize) {
        self.number(value as u64);
    }

    /// Bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.size(items.len());
        for item in items {
            each(self, item);
        }
    }

    fn texts(&mut self, texts: &[Text]) {
        self.list(texts, |encoder, text| encoder.text(text));
    }

    fn float(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn time(&mut self, time: Option<DateTime<Utc>>) {
        // Zig-zag of the second, plus one; zero is none.
        match time {
            None => self.number(0),
            Some(time) => {
                let second = time.timestamp();
                self.number((((second << 1) ^ (second >> 63)) as u64).saturating_add(1));
            }
        }
    }

    fn date(&mut self, date: Option<NaiveDate>) {
        self.number(date.map_or(0, |date| u64::try_from(date.num_days_from_ce()).unwrap_or(0)));
    }

    fn optional(&mut self, text: Option<&Text>) {
        match text {
            None => self.number(0),
            Some(text) => {
                self.size(text.len() + 1);
                self.0.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// The part that the core reads.
    pub fn matching_part(&mut self, advisory: &Advisory) {
        self.head(&advisory.head);
        self.list(&advisory.affected, Self::affected);
        self.list(&advisory.configurations, Self::configuration);
    }

    /// The part that people read.
    pub fn reading_part(&mut self, advisory: &Advisory) {
        self.time(advisory.published);
        self.time(advisory.modified);
        self.text(&advisory.summary);
        self.text(&advisory.details);
        self.list(&advisory.cwes, |encoder, cwe| encoder.number(cwe.0.into()));
        self.list(&advisory.references, |encoder, reference| {
            encoder.0.push(code(&REFERENCE_KINDS, reference.kind));
            encoder.text(&reference.url);
        });
    }

    fn head(&mut self, head: &AdvisoryHead) {
        self.text(&head.id);
        self.text(&head.source);
        self.texts(&head.aliases);
        self.texts(&head.addresses);
        self.time(head.withdrawn);
        self.0.push(code(&KINDS, head.kind));
        self.list(&head.severities, |encoder, severity| {
            encoder.0.push(code(&SYSTEMS, severity.system));
            encoder.text(&severity.vector);
            // Scores have one decimal; zero is none.
            let tenths = severity.score.map_or(0, |score| (score.clamp(0.0, 100.0) * 10.0).round() as u64 + 1);
            encoder.number(tenths);
            encoder.text(&severity.label);
            encoder.text(&severity.asserter);
        });
        self.text(&head.revision);
    }

    fn affected(&mut self, affected: &Affected) {
        self.text(affected.package.ecosystem.as_str());
        self.text(&affected.package.release);
        self.text(&affected.package.name);
        self.0.push(code(&NAME_KINDS, affected.name_kind));
        self.0.push(code(&STATES, affected.state));
        self.list(&affected.ranges, |encoder, range| match range {
            Range::Events { semver, events } => {
                encoder.0.push(u8::from(*semver));
                encoder.list(events, Self::event);
            }
            Range::Requirement { text } => {
                encoder.0.push(2);
                encoder.text(text);
            }
            Range::Except { texts } => {
                encoder.0.push(3);
                encoder.texts(texts);
            }
            Range::Git { repo, events } => {
                encoder.0.push(4);
                encoder.text(repo);
                encoder.list(events, Self::event);
            }
        });
        self.texts(&affected.versions);
        self.texts(&affected.fixed);
        self.list(&affected.conditions, |encoder, condition| match condition {
            Condition::Arch(texts) => encoder.tagged_texts(0, texts),
            Condition::Module(text) => encoder.tagged_text(1, text),
            Condition::Pocket(text) => encoder.tagged_text(2, text),
            Condition::Functions(texts) => encoder.tagged_texts(3, texts),
            Condition::Os(texts) => encoder.tagged_texts(4, texts),
            Condition::Unevaluated(text) => encoder.tagged_text(5, text),
            Condition::About(texts) => encoder.tagged_texts(6, texts),
        });
    }

    fn tagged_text(&mut self, tag: u8, text: &str) {
        self.0.push(tag);
        self.text(text);
    }

    fn tagged_texts(&mut self, tag: u8, texts: &[Text]) {
        self.0.push(tag);
        self.texts(texts);
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Introduced(text) => self.tagged_text(0, text),
            Event::Fixed(text) => self.tagged_text(1, text),
            Event::LastAffected(text) => self.tagged_text(2, text),
            Event::Limit(text) => self.tagged_text(3, text),
        }
    }

    fn configuration(&mut self, configuration: &Configuration) {
        self.0.push(flags(configuration.operator, configuration.negate));
        self.list(&configuration.nodes, Self::node);
    }

    fn node(&mut self, node: &Node) {
        self.0.push(flags(node.operator, node.negate));
        self.list(&node.matches, |encoder, criterion| {
            encoder.0.push(u8::from(criterion.vulnerable));
            encoder.text(&criterion.criteria);
            encoder.optional(criterion.start_including.as_ref());
            encoder.optional(criterion.start_excluding.as_ref());
            encoder.optional(criterion.end_including.as_ref());
            encoder.optional(criterion.end_excluding.as_ref());
        });
        self.list(&node.children, Self::node);
    }

    /// Facts about one vulnerability.
    pub fn signals(&mut self, signals: &Signals) {
        self.list(&signals.kev, |encoder, kev| {
            encoder.text(&kev.asserter);
            encoder.date(kev.added);
            encoder.date(kev.due);
            encoder.0.push(u8::from(kev.ransomware));
        });
        self.list(signals.epss.as_slice(), |encoder, epss| {
            encoder.float(epss.score);
            encoder.float(epss.percentile);
            encoder.date(epss.date);
        });
        self.list(&signals.exploits, |encoder, index| encoder.0.push(code(&INDEXES, *index)));
        self.list(signals.ssvc.as_slice(), |encoder, ssvc| {
            encoder.text(&ssvc.exploitation);
            encoder.text(&ssvc.automatable);
            encoder.text(&ssvc.technical_impact);
        });
    }
}

const KINDS: [AdvisoryKind; 5] = [
    AdvisoryKind::Vulnerability,
    AdvisoryKind::Malicious,
    AdvisoryKind::Unmaintained,
    AdvisoryKind::Unsound,
    AdvisoryKind::Notice,
];
const SYSTEMS: [ScoreSystem; 5] =
    [ScoreSystem::CvssV2, ScoreSystem::CvssV30, ScoreSystem::CvssV31, ScoreSystem::CvssV4, ScoreSystem::Vendor];
const NAME_KINDS: [NameKind; 2] = [NameKind::Binary, NameKind::Source];
const STATES: [VendorState; 6] = [
    VendorState::Affected,
    VendorState::NoFixYet,
    VendorState::WillNotFix,
    VendorState::EndOfLife,
    VendorState::UnderInvestigation,
    VendorState::NotAffected,
];
const REFERENCE_KINDS: [ReferenceKind; 6] = [
    ReferenceKind::Web,
    ReferenceKind::Advisory,
    ReferenceKind::Report,
    ReferenceKind::Fix,
    ReferenceKind::Exploit,
    ReferenceKind::Package,
];
const INDEXES: [ExploitIndex; 4] =
    [ExploitIndex::Metasploit, ExploitIndex::Nuclei, ExploitIndex::ExploitDb, ExploitIndex::Poc];

/// The position of `value` in its table; the tables hold every variant.
fn code<T: PartialEq + Copy, const N: usize>(table: &[T; N], value: T) -> u8 {
    let position = table.iter().position(|known| *known == value).unwrap_or(0);
    u8::try_from(position).expect("the tables are short")
}

const fn flags(operator: Operator, negate: bool) -> u8 {
    matches!(operator, Operator::And) as u8 | (negate as u8) << 1
}

/// Reads the binary form.
#[derive(Debug, Clone, Copy)]
pub struct Decoder<'b> {
    rest: &'b [u8],
}

impl<'b> Decoder<'b> {
    /// A decoder of these bytes.
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    fn damaged() -> FeedError {
        FeedError::Store("a record cannot be decoded".to_owned())
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(Self::damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Bytes not read yet.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything is read.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// An unsigned number.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn number(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Self::damaged())
    }

    /// A length or an index.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn size(&mut self) -> Result<usize> {
        usize::try_from(self.number()?).map_err(|_| Self::damaged())
    }

    /// Bytes with their length.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn bytes(&mut self) -> Result<&'b [u8]> {
        let length = self.size()?;
        self.take(length)
    }

    /// A text.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn text(&mut self) -> Result<&'b str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Self::damaged())
    }

    fn owned(&mut self) -> Result<Text> {
        self.text().map(Text::from)
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.size()?;
        // Each item takes at least one byte, so a damaged count cannot make us reserve more than is there.
        if count > self.rest.len() {
            return Err(Self::damaged());
        }
        let mut items = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            items.push(each(self)?);
        }
        Ok(items)
    }

    fn texts(&mut self) -> Result<Vec<Text>> {
        self.list(Self::owned)
    }

    fn float(&mut self) -> Result<f32> {
        let bytes = self.take(4)?;
        Ok(f32::from_le_bytes(bytes.try_into().map_err(|_| Self::damaged())?))
    }

    fn time(&mut self) -> Result<Option<DateTime<Utc>>> {
        match self.number()? {
            0 => Ok(None),
            value => {
                let zigzag = value - 1;
                let second = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
                DateTime::from_timestamp(second, 0).map(Some).ok_or_else(Self::damaged)
            }
        }
    }

    fn date(&mut self) -> Result<Option<NaiveDate>> {
        match self.number()? {
            0 => Ok(None),
            days => {
                let days = i32::try_from(days).map_err(|_| Self::damaged())?;
                NaiveDate::from_num_days_from_ce_opt(days).map(Some).ok_or_else(Self::damaged)
            }
        }
    }

    fn optional(&mut self) -> Result<Option<Text>> {
        match self.size()? {
            0 => Ok(None),
            length => {
                let text = std::str::from_utf8(self.take(length - 1)?).map_err(|_| Self::damaged())?;
                Ok(Some(text.into()))
            }
        }
    }

    fn coded<T: Copy, const N: usize>(&mut self, table: &[T; N]) -> Result<T> {
        table.get(usize::from(self.byte()?)).copied().ok_or_else(Self::damaged)
    }

    /// The head of a record, from its matching part.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn head(&mut self) -> Result<AdvisoryHead> {
        Ok(AdvisoryHead {
            id: self.owned()?,
            source: self.owned()?,
            aliases: self.texts()?,
            addresses: self.texts()?,
            withdrawn: self.time()?,
            kind: self.coded(&KINDS)?,
            severities: self.list(|decoder| {
                Ok(SeverityScore {
                    system: decoder.coded(&SYSTEMS)?,
                    vector: decoder.owned()?,
                    score: match decoder.number()? {
                        0 => None,
                        tenths => Some((tenths - 1).min(1000) as f32 / 10.0),
                    },
                    label: decoder.owned()?,
                    asserter: decoder.owned()?,
                })
            })?,
            revision: self.owned()?,
        })
    }

    /// The statements, after the head.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn statements(&mut self) -> Result<Vec<Affected>> {
        self.list(Self::affected)
    }

    /// The statements about one package, after the head.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn statements_about(&mut self, ecosystem: &Ecosystem, name: &str) -> Result<Vec<Affected>> {
        let count = self.size()?;
        let mut found = Vec::new();
        for _ in 0..count {
            let start = *self;
            let (its_ecosystem, _, its_name) = (self.text()?, self.text()?, self.text()?);
            let wanted = its_ecosystem == ecosystem.as_str() && its_name == name;
            *self = start;
            let statement = self.affected()?;
            if wanted {
                found.push(statement);
            }
        }
        Ok(found)
    }

    /// The configurations, after the statements.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn configurations(&mut self) -> Result<Vec<Configuration>> {
        self.list(|decoder| {
            let flags = decoder.byte()?;
            let nodes = decoder.list(|decoder| decoder.node(0))?;
            Ok(Configuration { operator: operator(flags), negate: flags & 2 != 0, nodes })
        })
    }

    fn affected(&mut self) -> Result<Affected> {
        let ecosystem = Ecosystem::of_name(self.text()?);
        Ok(Affected {
            package: PackageKey { ecosystem, release: self.owned()?, name: self.owned()? },
            name_kind: self.coded(&NAME_KINDS)?,
            state: self.coded(&STATES)?,
            ranges: self.list(|decoder| {
                Ok(match decoder.byte()? {
                    tag @ (0 | 1) => Range::Events { semver: tag == 1, events: decoder.list(Self::event)? },
                    2 => Range::Requirement { text: decoder.owned()? },
                    3 => Range::Except { texts: decoder.texts()? },
                    4 => Range::Git { repo: decoder.owned()?, events: decoder.list(Self::event)? },
                    _ => return Err(Self::damaged()),
                })
            })?,
            versions: self.texts()?,
            fixed: self.texts()?,
            conditions: self.list(|decoder| {
                Ok(match decoder.byte()? {
                    0 => Condition::Arch(decoder.texts()?),
                    1 => Condition::Module(decoder.owned()?),
                    2 => Condition::Pocket(decoder.owned()?),
                    3 => Condition::Functions(decoder.texts()?),
                    4 => Condition::Os(decoder.texts()?),
                    5 => Condition::Unevaluated(decoder.owned()?),
                    6 => Condition::About(decoder.texts()?),
                    _ => return Err(Self::damaged()),
                })
            })?,
        })
    }

    fn event(&mut self) -> Result<Event> {
        Ok(match self.byte()? {
            0 => Event::Introduced(self.owned()?),
            1 => Event::Fixed(self.owned()?),
            2 => Event::LastAffected(self.owned()?),
            3 => Event::Limit(self.owned()?),
            _ => return Err(Self::damaged()),
        })
    }

    fn node(&mut self, depth: usize) -> Result<Node> {
        if depth > MAX_NODE_DEPTH {
            return Err(Self::damaged());
        }
        let flags = self.byte()?;
        let matches = self.list(|decoder| {
            Ok(CpeMatch {
                vulnerable: decoder.byte()? != 0,
                criteria: decoder.owned()?,
                start_including: decoder.optional()?,
                start_excluding: decoder.optional()?,
                end_including: decoder.optional()?,
                end_excluding: decoder.optional()?,
            })
        })?;
        let children = self.list(|decoder| decoder.node(depth + 1))?;
        Ok(Node { operator: operator(flags), negate: flags & 2 != 0, matches, children })
    }

    /// The part that people read, put round the part that the core reads.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn reading_part(
        &mut self,
        head: AdvisoryHead,
        affected: Vec<Affected>,
        configurations: Vec<Configuration>,
    ) -> Result<Advisory> {
        Ok(Advisory {
            head,
            published: self.time()?,
            modified: self.time()?,
            summary: self.owned()?,
            details: self.owned()?,
            cwes: self.list(|decoder| u32::try_from(decoder.number()?).map(Cwe).map_err(|_| Self::damaged()))?,
            references: self
                .list(|decoder| Ok(Reference { kind: decoder.coded(&REFERENCE_KINDS)?, url: decoder.owned()? }))?,
            affected,
            configurations,
        })
    }

    /// Facts about one vulnerability.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn signals(&mut self) -> Result<Signals> {
        Ok(Signals {
            kev: self.list(|decoder| {
                Ok(Kev {
                    asserter: decoder.owned()?,
                    added: decoder.date()?,
                    due: decoder.date()?,
                    ransomware: decoder.byte()? != 0,
                })
            })?,
            epss: self
                .list(|decoder| {
                    Ok(Epss { score: decoder.float()?, percentile: decoder.float()?, date: decoder.date()? })
                })?
                .pop(),
            exploits: self.list(|decoder| decoder.coded(&INDEXES))?,
            ssvc: self
                .list(|decoder| {
                    Ok(Ssvc {
                        exploitation: decoder.owned()?,
                        automatable: decoder.owned()?,
                        technical_impact: decoder.owned()?,
                    })
                })?
                .pop(),
        })
    }
}

const fn operator(flags: u8) -> Operator {
    if flags & 1 == 1 { Operator::And } else { Operator::Or }
}

/// Deepest CPE nesting a reader of a source may build, so that what is written can be read.
pub(crate) const fn max_node_depth() -> usize {
    MAX_NODE_DEPTH
}
