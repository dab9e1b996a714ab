//! One criterion of a configuration, and how a product meets it.
//!
//! Bounds are compared in the general version order. Where that order is not sure to be the product's own (a version or a
//! bound is more than numbers and dots: `12.5(1)su8`, `r2021a`, `1.0.2zb`), the names that the dictionary lists for the
//! criterion decide first ([`Dictionary`]): what is listed is meant, whatever the order says. What is not listed is judged
//! by the order alone, because a dictionary lags behind the releases.

use super::{Cpe, CpeMatch, Part, Relation, Value};
use crate::model::{Confidence, Text};
use crate::{Dialect, SortKey};

/// A product an asset carries.
#[derive(Debug, Clone)]
pub struct Product {
    pub(super) cpe: Cpe,
    /// Version and update as one text.
    written: Option<String>,
    version: Option<SortKey>,
}

impl Product {
    /// A product; `version` stands in where the name itself has none.
    #[must_use]
    pub fn new(mut cpe: Cpe, version: &str) -> Self {
        if *cpe.version() == Value::Any && !version.is_empty() {
            cpe.attributes[2] = Value::Text(version.to_lowercase());
        }
        split_edition(&mut cpe);
        let written = written_version(&cpe);
        let version = written.as_deref().and_then(|version| Dialect::Generic.key(version).ok());
        Self { cpe, written, version }
    }

    /// Its name.
    #[must_use]
    pub const fn cpe(&self) -> &Cpe {
        &self.cpe
    }
}

/// A product that is made in a few editions, all of which share their version numbers.
struct Editions {
    vendor: &'static str,
    product: &'static str,
    /// Each edition with the ends of versions that tell it, as its packages write them.
    all: &'static [(&'static str, &'static [&'static str])],
}

/// GitLab's packages: `15.1.0-ee.0`, `15.1.0-ce`; the editions are those of NVD's names.
const EDITIONS: [Editions; 1] = [Editions {
    vendor: "gitlab",
    product: "gitlab",
    all: &[("community", &["-ce", "+ce", "~ce"]), ("enterprise", &["-ee", "+ee", "~ee"])],
}];

impl Editions {
    fn of(cpe: &Cpe) -> Option<&'static Self> {
        EDITIONS.iter().find(|known| {
            cpe.vendor().literal() == Some(known.vendor) && cpe.product().literal() == Some(known.product)
        })
    }
}

/// Moves an edition that is written into the version to where names have it.
fn split_edition(cpe: &mut Cpe) {
    let (Some(editions), Some(version)) = (Editions::of(cpe), cpe.version().literal()) else { return };
    for (edition, marks) in editions.all {
        for mark in *marks {
            let Some((rest, end)) = version.split_once(mark) else { continue };
            // `-ee`, `-ee.0`: nothing but the number of the package behind it.
            if !rest.is_empty() && end.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) {
                cpe.attributes[2] = Value::Text(rest.to_owned());
                if cpe.attributes[SOFTWARE_EDITION] == Value::Any {
                    cpe.attributes[SOFTWARE_EDITION] = Value::Text((*edition).to_owned());
                }
                return;
            }
        }
    }
}

/// Version and update as one text.
fn written_version(cpe: &Cpe) -> Option<String> {
    let version = cpe.version().literal()?;
    Some(match cpe.update().literal() {
        Some(update) => format!(
            "{version}{}{update}",
            if version.ends_with(|c: char| c.is_ascii_digit()) && update.starts_with(|c: char| c.is_ascii_digit()) {
                "."
            } else {
                ""
            }
        ),
        None => version.to_owned(),
    })
}

/// The names that a dictionary lists for criteria with bounds (NVD's CPE match strings).
pub trait Dictionary {
    /// The names listed for a criterion, by its text ([`CpeMatch::text`]); none if it is not known.
    fn names(&self, criterion: &str) -> Option<std::sync::Arc<[Text]>>;
}

/// No dictionary at hand.
#[derive(Debug, Clone, Copy)]
pub struct NoDictionary;

impl Dictionary for NoDictionary {
    fn names(&self, _criterion: &str) -> Option<std::sync::Arc<[Text]>> {
        None
    }
}

/// Whether a name means Windows whichever it is: NVD writes `cpe:2.3:o:microsoft:windows:-` for what runs on Windows, and
/// names the releases by other words (`windows_10_22h2`, `windows_server_2019`).
fn is_any_windows(cpe: &Cpe) -> bool {
    cpe.part == Part::OperatingSystem
        && cpe.vendor().literal() == Some("microsoft")
        && cpe.product().literal() == Some("windows")
        && matches!(cpe.version(), Value::Any | Value::NotApplicable)
}

fn is_windows(cpe: &Cpe) -> bool {
    cpe.part == Part::OperatingSystem
        && cpe.vendor().literal() == Some("microsoft")
        && cpe.product().literal().is_some_and(|product| product.starts_with("windows_"))
}

const UPDATE: usize = 3;
const EDITION: usize = 4;
const SOFTWARE_EDITION: usize = 6;
/// What the attributes from the edition on are called.
const ATTRIBUTES: [&str; 6] =
    ["edition", "language", "software edition", "target software", "target hardware", "other attribute"];

#[derive(Debug, Clone)]
pub(super) struct Criterion {
    pub(super) vulnerable: bool,
    pub(super) text: Text,
    pub(super) fixed: Option<Text>,
    cpe: Option<Cpe>,
    own: Option<SortKey>,
    low: Option<Bound>,
    high: Option<Bound>,
    /// Whether its bounds are numbers and dots.
    plain: bool,
}

#[derive(Debug, Clone)]
struct Bound {
    key: Option<SortKey>,
    inclusive: bool,
    text: Text,
}

/// How a product meets a criterion.
#[derive(Debug, Clone)]
pub(super) struct Met {
    pub(super) confidence: Confidence,
    pub(super) notes: Vec<Text>,
}

impl Met {
    fn by(confidence: Confidence) -> Self {
        Self { confidence, notes: Vec::new() }
    }

    fn at_most(mut self, limit: Confidence, note: String) -> Self {
        self.confidence = self.confidence.min(limit);
        self.notes.push(note.into());
        self
    }
}

/// Why a product does not meet a criterion about a product of its name. [`Criterion::why`] puts it into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmet {
    /// It lies below the lower bound.
    Low,
    /// It lies above the upper bound.
    High,
    /// Another version is named.
    Version,
    /// What is named has no versions.
    Versionless,
    /// Another update is named.
    Update,
    /// Another value of this attribute is named.
    Attribute(usize),
}

fn is_plain(version: &str) -> bool {
    version.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
}

impl Criterion {
    pub(super) fn compile(criterion: &CpeMatch) -> Self {
        let bound = |text: &Option<Text>, inclusive: bool| {
            text.as_ref().map(|text| Bound { key: Dialect::Generic.key(text).ok(), inclusive, text: text.clone() })
        };
        let cpe = Cpe::parse(&criterion.criteria).ok();
        let own = cpe.as_ref().and_then(written_version).and_then(|version| Dialect::Generic.key(&version).ok());
        let low = bound(&criterion.start_including, true).or_else(|| bound(&criterion.start_excluding, false));
        let high = bound(&criterion.end_including, true).or_else(|| bound(&criterion.end_excluding, false));
        Self {
            vulnerable: criterion.vulnerable,
            text: criterion.text().into(),
            own,
            cpe,
            fixed: criterion.end_excluding.clone(),
            plain: low.iter().chain(&high).all(|bound| is_plain(&bound.text)),
            low,
            high,
        }
    }

    /// Whether the criterion is about products of this part, vendor and product.
    pub(super) fn is_about(&self, product: &Product) -> bool {
        let Some(cpe) = &self.cpe else { return false };
        (cpe.part == product.cpe.part || cpe.part == Part::Any)
            && (0..2).all(|at| {
                let relation = cpe.attributes[at].relation(&product.cpe.attributes[at]);
                matches!(relation, Relation::Equal | Relation::Superset)
            })
    }

    /// In words, that the criterion has the product's vendor and product and is about another kind of thing.
    pub(super) fn other_part(&self, product: &Product) -> Option<String> {
        let cpe = self.cpe.as_ref().filter(|cpe| {
            cpe.part != product.cpe.part
                && cpe.part != Part::Any
                && cpe.vendor() == product.cpe.vendor()
                && cpe.product() == product.cpe.product()
        })?;
        let kind = |part: Part| match part {
            Part::Application => "an application",
            Part::OperatingSystem => "an operating system",
            Part::Hardware => "hardware",
            Part::Any => "anything",
        };
        Some(format!("it is about {}, the product is {}", kind(cpe.part), kind(product.cpe.part)))
    }

    /// How surely a product meets the criterion; why not if it does not, `None` for a product of another name.
    pub(super) fn judge(&self, product: &Product, dictionary: &dyn Dictionary) -> Option<Result<Met, Unmet>> {
        let cpe = self.cpe.as_ref().filter(|_| self.is_about(product))?;
        Some(self.version(cpe, product, dictionary).and_then(|met| attributes(cpe, &product.cpe, met)))
    }

    pub(super) fn met_by(&self, product: &Product, dictionary: &dyn Dictionary) -> Option<Met> {
        self.judge(product, dictionary)?.ok()
    }

    /// How surely a product that only has to be present gives what the criterion asks for.
    pub(super) fn given_by(&self, product: &Product, dictionary: &dyn Dictionary) -> Option<Confidence> {
        if let Some(cpe) = self.cpe.as_ref().filter(|cpe| is_any_windows(cpe) && !self.is_ranged())
            && is_windows(&product.cpe)
        {
            let met = attributes(cpe, &product.cpe, Met::by(Confidence::EXACT)).ok()?;
            return Some(met.confidence);
        }
        let confidence = self.met_by(product, dictionary)?.confidence;
        let any = self.cpe.as_ref().is_some_and(|cpe| !matches!(cpe.version(), Value::Text(_) | Value::Pattern(_)));
        Some(match confidence {
            // Any version will do, and the product's is not known.
            Confidence::NAME_ONLY if !self.is_ranged() && any => Confidence::EXACT,
            Confidence::NAME_ONLY | Confidence::ROUGH => Confidence::ROUGH,
            _ => Confidence::EXACT,
        })
    }

    /// The editions of a product of which this criterion names one: the edition, and all there are.
    pub(super) fn edition_of(&self) -> Option<(&str, Vec<&'static str>)> {
        let cpe = self.cpe.as_ref()?;
        let all = Editions::of(cpe)?.all.iter().map(|(edition, _)| *edition).collect();
        Some((cpe.attributes[SOFTWARE_EDITION].literal()?, all))
    }

    /// How the product would meet it if its edition were the one that is named.
    pub(super) fn met_in_its_edition(&self, product: &Product, dictionary: &dyn Dictionary) -> Option<Met> {
        let cpe = self.cpe.as_ref()?;
        let mut product = product.clone();
        product.cpe.attributes[SOFTWARE_EDITION] = cpe.attributes[SOFTWARE_EDITION].clone();
        self.met_by(&product, dictionary)
    }

    /// In words, why a product does not meet it.
    pub(super) fn why(&self, unmet: Unmet, product: &Product, dictionary: &dyn Dictionary) -> String {
        let installed = product.written.as_deref().unwrap_or("-");
        let shown = |at: usize| {
            let own = self.cpe.as_ref().map_or_else(String::new, |cpe| cpe.attributes[at].shown());
            (own, product.cpe.attributes[at].shown())
        };
        match unmet {
            Unmet::Low | Unmet::High => {
                let (bound, signs) =
                    if unmet == Unmet::Low { (&self.low, [">", ">="]) } else { (&self.high, ["<", "<="]) };
                let bound = bound
                    .as_ref()
                    .map_or_else(String::new, |bound| format!("{}{}", signs[usize::from(bound.inclusive)], bound.text));
                let unsure = !(self.plain && is_plain(installed));
                let names = dictionary.names(&self.text).filter(|names| unsure && !names.is_empty());
                let listed = names.map_or_else(String::new, |names| {
                    format!(", nor is it among the {} names that the dictionary lists", names.len())
                });
                format!("version {installed} is not {bound}{listed}")
            }
            Unmet::Version => format!("version {installed} is not the one named"),
            Unmet::Versionless => "it is about a product without versions".to_owned(),
            Unmet::Update => {
                let (own, theirs) = shown(UPDATE);
                format!("its update is {own}, the product's {theirs}")
            }
            Unmet::Attribute(at) => {
                let (own, theirs) = shown(at);
                format!("its {} is {own}, the product's {theirs}", ATTRIBUTES[at - EDITION])
            }
        }
    }

    const fn is_ranged(&self) -> bool {
        self.low.is_some() || self.high.is_some()
    }

    fn version(&self, cpe: &Cpe, product: &Product, dictionary: &dyn Dictionary) -> Result<Met, Unmet> {
        if self.is_ranged() {
            return self.range(product, dictionary);
        }
        let target = &product.cpe;
        match (cpe.version(), target.version()) {
            (Value::Any, Value::Any) | (Value::Text(_) | Value::Pattern(_), Value::Any) => {
                return Ok(Met::by(Confidence::NAME_ONLY));
            }
            (Value::Any, Value::NotApplicable) | (Value::NotApplicable, Value::NotApplicable) => {
                return Ok(Met::by(Confidence::CPE));
            }
            (Value::Any, _) => return update(cpe, target),
            (Value::NotApplicable, Value::Any) => return Err(Unmet::Versionless),
            (Value::NotApplicable, _) | (_, Value::NotApplicable) => return Err(Unmet::Version),
            _ => {}
        }
        // `8.2` with update `p1` is what others write as `8.2p1`.
        if let (Some(own), Some(theirs)) = (&self.own, &product.version)
            && own == theirs
        {
            return Ok(Met::by(Confidence::CPE));
        }
        match cpe.version().relation(target.version()) {
            Relation::Equal | Relation::Superset => update(cpe, target),
            _ => Err(Unmet::Version),
        }
    }

    fn range(&self, product: &Product, dictionary: &dyn Dictionary) -> Result<Met, Unmet> {
        let (Some(written), false) = (&product.written, *product.cpe.version() == Value::Any) else {
            return Ok(Met::by(Confidence::NAME_ONLY));
        };
        let by_order = self.order(product);
        if self.plain && is_plain(written) {
            return by_order;
        }
        let Some(names) = dictionary.names(&self.text).filter(|names| !names.is_empty()) else { return by_order };
        let listed = names.iter().filter_map(|name| Cpe::parse(name).ok()).any(|name| {
            written_version(&name).is_some_and(|name| name == *written)
                && attributes(&name, &product.cpe, Met::by(Confidence::CPE))
                    .is_ok_and(|met| met.confidence == Confidence::CPE)
        });
        let count = names.len();
        match (listed, by_order) {
            (true, _) => {
                let note = format!("version {written} is among the {count} names that the dictionary lists for it");
                Ok(Met { confidence: Confidence::CPE, notes: vec![note.into()] })
            }
            (false, Ok(mut met)) => {
                let note = format!(
                    "version {written} is not among the {count} names that the dictionary lists; the bounds were compared"
                );
                met.notes.push(note.into());
                Ok(met)
            }
            (false, Err(why)) => Err(why),
        }
    }

    fn order(&self, product: &Product) -> Result<Met, Unmet> {
        let Some(key) = product.version.as_ref() else { return Ok(Met::by(Confidence::NAME_ONLY)) };
        for (bound, is_low) in [(&self.low, true), (&self.high, false)] {
            let Some(Bound { key: bound, inclusive, .. }) = bound else { continue };
            let Some(bound) = bound else { return Ok(Met::by(Confidence::NAME_ONLY)) };
            let order = if is_low { key.cmp(bound) } else { bound.cmp(key) };
            if !(order.is_gt() || *inclusive && order.is_eq()) {
                return Err(if is_low { Unmet::Low } else { Unmet::High });
            }
        }
        Ok(Met::by(Confidence::CPE))
    }
}

/// Edition, language, software edition, target software, target hardware, other.
fn attributes(cpe: &Cpe, target: &Cpe, mut met: Met) -> Result<Met, Unmet> {
    for (at, (source, target)) in cpe.attributes.iter().zip(&target.attributes).enumerate().skip(EDITION) {
        match (source, target) {
            (Value::Any, _) | (Value::NotApplicable, Value::Any) => {}
            (source, Value::Any) => {
                let what = ATTRIBUTES[at - EDITION];
                let note = format!("only with {what} {}, which the inventory does not state", source.shown());
                met = met.at_most(Confidence::ROUGH, note);
            }
            (source, target) => match source.relation(target) {
                Relation::Equal | Relation::Superset => {}
                _ => return Err(Unmet::Attribute(at)),
            },
        }
    }
    Ok(met)
}

fn update(cpe: &Cpe, target: &Cpe) -> Result<Met, Unmet> {
    match (cpe.update(), target.update()) {
        (Value::Any, _) | (Value::NotApplicable, Value::Any) => Ok(Met::by(Confidence::CPE)),
        // The inventory writes version and update as one, or does not know the update: the comparison of both as one
        // has decided that it is another.
        (Value::Text(_) | Value::Pattern(_), Value::Any) => Err(Unmet::Update),
        (source, target) => match source.relation(target) {
            Relation::Equal | Relation::Superset => Ok(Met::by(Confidence::CPE)),
            _ => Err(Unmet::Update),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Lists(&'static str, Vec<&'static str>);

    impl Dictionary for Lists {
        fn names(&self, criterion: &str) -> Option<Arc<[Text]>> {
            (criterion == self.0).then(|| self.1.iter().map(|name| Text::from(*name)).collect())
        }
    }

    fn criterion(start: Option<&str>, end: Option<&str>) -> Criterion {
        Criterion::compile(&CpeMatch {
            vulnerable: true,
            criteria: "cpe:2.3:a:acme:box:*:*:*:*:*:*:*:*".into(),
            start_including: start.map(Text::from),
            start_excluding: None,
            end_including: None,
            end_excluding: end.map(Text::from),
        })
    }

    fn product(version: &str) -> Product {
        Product::new(Cpe::parse("cpe:2.3:a:acme:box:*:*:*:*:*:*:*:*").unwrap(), version)
    }

    #[test]
    fn the_dictionary_decides_where_the_order_is_not_sure() {
        let lists = Lists(
            "cpe:2.3:a:acme:box:*:*:*:*:*:*:*:* >=r2020a <r2021b",
            vec![
                "cpe:2.3:a:acme:box:r2020a:*:*:*:*:*:*:*",
                "cpe:2.3:a:acme:box:spring_21:*:*:*:*:*:*:*",
                "cpe:2.3:a:acme:box:r2021a:sp1:*:*:*:*:*:*",
                "no name",
            ],
        );
        let range = criterion(Some("r2020a"), Some("r2021b"));
        // Listed, although the order does not see it inside.
        assert!(range.met_by(&product("spring_21"), &NoDictionary).is_none());
        let met = range.met_by(&product("spring_21"), &lists).unwrap();
        assert_eq!(met.confidence, Confidence::CPE);
        assert!(met.notes[0].contains("among the 4 names"), "{met:?}");
        // Version and update as one.
        assert!(range.met_by(&product("r2021asp1"), &lists).unwrap().notes[0].contains("is among"));
        // Not listed: a newer release than the dictionary knows is judged by the order.
        let met = range.met_by(&product("r2020c"), &lists).unwrap();
        assert!(met.notes[0].contains("not among"), "{met:?}");
        let unmet = range.judge(&product("r2021b"), &lists).unwrap().unwrap_err();
        assert_eq!(
            range.why(unmet, &product("r2021b"), &lists),
            "version r2021b is not <r2021b, nor is it among the 4 names that the dictionary lists"
        );
    }

    #[test]
    fn plain_versions_need_no_dictionary() {
        let lists = Lists("cpe:2.3:a:acme:box:*:*:*:*:*:*:*:* <2.0", vec!["cpe:2.3:a:acme:box:2.1:*:*:*:*:*:*:*"]);
        let range = criterion(None, Some("2.0"));
        assert!(range.met_by(&product("2.1"), &lists).is_none());
        assert!(range.met_by(&product("1.9"), &lists).unwrap().notes.is_empty());
    }

    #[test]
    fn an_edition_in_the_version_is_an_edition() {
        let of = |version: &str| {
            let product = Product::new(Cpe::parse("cpe:2.3:a:gitlab:gitlab:*:*:*:*:*:*:*:*").unwrap(), version);
            (product.cpe.version().literal().unwrap().to_owned(), product.cpe.attributes[6].clone())
        };
        let edition = |text: &str| Value::Text(text.to_owned());
        assert_eq!(of("15.1.0-ee.0"), ("15.1.0".to_owned(), edition("enterprise")));
        assert_eq!(of("15.1.0-ce"), ("15.1.0".to_owned(), edition("community")));
        assert_eq!(of("15.1.0"), ("15.1.0".to_owned(), Value::Any));
        assert_eq!(of("15.1.0-eeprom"), ("15.1.0-eeprom".to_owned(), Value::Any));
        let other = Product::new(Cpe::parse("cpe:2.3:a:acme:box:1-ee:*:*:*:*:*:*:*").unwrap(), "");
        assert_eq!(other.cpe.version().literal(), Some("1-ee"));
    }
}
