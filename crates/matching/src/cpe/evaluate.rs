//! Evaluation of configurations against what an asset carries.
//!
//! A product is hit by a configuration if it satisfies a *vulnerable* criterion, and at every AND above that criterion
//! all other members hold for the asset as a whole. Members that are not vulnerable only restrict. A configuration
//! without members holds for nothing.
//!
//! A criterion is compared by the rules of NISTIR 7696 with three additions that real data needs: the bounds of the
//! criterion are compared in the general version order; a version is also compared with "version and update" written
//! as one (`8.2` and `p1` is `8.2p1`); and what an inventory does not state (update, edition, target) is *unknown*, not
//! "any": a criterion that names it is met only roughly. Linear in the tree times the products of the asset.

use super::{Configuration, Cpe, CpeMatch, Node, Operator, Relation, Value};
use crate::model::{Confidence, Text};
use crate::{Dialect, SortKey};

/// Deepest tree that is read.
const MAX_DEPTH: usize = 16;

/// A product an asset carries.
#[derive(Debug, Clone)]
pub struct Product {
    cpe: Cpe,
    version: Option<SortKey>,
}

impl Product {
    /// A product; `version` stands in where the name itself has none.
    #[must_use]
    pub fn new(mut cpe: Cpe, version: &str) -> Self {
        if *cpe.version() == Value::Any && !version.is_empty() {
            cpe.attributes[2] = Value::Text(version.to_lowercase());
        }
        let joined = written_version(&cpe);
        let version = joined.and_then(|version| Dialect::Generic.key(&version).ok());
        Self { cpe, version }
    }

    /// Its name.
    #[must_use]
    pub fn cpe(&self) -> &Cpe {
        &self.cpe
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

/// A configuration whose names are parsed. Criteria that cannot be read hold for nothing.
#[derive(Debug, Clone)]
pub struct CompiledConfiguration {
    root: Member,
}

#[derive(Debug, Clone)]
enum Member {
    Join { operator: Operator, negate: bool, members: Vec<Member> },
    Criterion(Box<Criterion>),
}

#[derive(Debug, Clone)]
struct Criterion {
    vulnerable: bool,
    cpe: Option<Cpe>,
    text: Text,
    own: Option<SortKey>,
    low: Option<(Option<SortKey>, bool)>,
    high: Option<(Option<SortKey>, bool)>,
    fixed: Option<Text>,
}

/// The criterion that a product satisfies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Satisfied {
    /// The criterion and its bounds as text.
    pub criterion: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// The version below which it holds: the first that is fixed.
    pub fixed: Option<Text>,
}

/// What a configuration says about a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applicability {
    /// It is hit.
    Hit(Satisfied),
    /// It satisfies a vulnerable criterion, but something else the configuration asks for is absent from the asset.
    Restricted(Satisfied),
    /// It satisfies no vulnerable criterion.
    No,
}

impl CompiledConfiguration {
    /// Parses the names of a configuration.
    #[must_use]
    pub fn compile(configuration: &Configuration) -> Self {
        let members = configuration.nodes.iter().map(|node| member(node, 1)).collect();
        Self { root: Member::Join { operator: configuration.operator, negate: configuration.negate, members } }
    }

    /// What it says about `subject` on an asset that also carries `others` (`subject` may be among them).
    #[must_use]
    pub fn applies(&self, subject: &Product, others: &[Product]) -> Applicability {
        if let Some(satisfied) = self.root.satisfied(subject, &|member| member.holds(subject, others)) {
            return Applicability::Hit(satisfied);
        }
        // Were everything else given, would it be hit?
        match self.root.satisfied(subject, &|_| Some(Confidence::EXACT)) {
            Some(satisfied) => Applicability::Restricted(satisfied),
            None => Applicability::No,
        }
    }
}

fn member(node: &Node, depth: usize) -> Member {
    let mut members: Vec<Member> =
        node.matches.iter().map(|criterion| Member::Criterion(Box::new(compile(criterion)))).collect();
    if depth < MAX_DEPTH {
        members.extend(node.children.iter().map(|child| member(child, depth + 1)));
    }
    Member::Join { operator: node.operator, negate: node.negate, members }
}

fn compile(criterion: &CpeMatch) -> Criterion {
    let bound =
        |text: &Option<Text>, inclusive: bool| text.as_ref().map(|text| (Dialect::Generic.key(text).ok(), inclusive));
    let cpe = Cpe::parse(&criterion.criteria).ok();
    let own = cpe.as_ref().and_then(written_version).and_then(|version| Dialect::Generic.key(&version).ok());
    Criterion {
        vulnerable: criterion.vulnerable,
        text: describe(criterion).into(),
        own,
        cpe,
        fixed: criterion.end_excluding.clone(),
        low: bound(&criterion.start_including, true).or_else(|| bound(&criterion.start_excluding, false)),
        high: bound(&criterion.end_including, true).or_else(|| bound(&criterion.end_excluding, false)),
    }
}

fn describe(criterion: &CpeMatch) -> String {
    let mut text = criterion.criteria.to_string();
    for (sign, bound) in [
        (">=", &criterion.start_including),
        (">", &criterion.start_excluding),
        ("<=", &criterion.end_including),
        ("<", &criterion.end_excluding),
    ] {
        if let Some(bound) = bound {
            text.push_str(&format!(" {sign}{bound}"));
        }
    }
    text
}

impl Member {
    /// How surely it holds for the asset, if it does. What is present in a version that is not known holds roughly where a
    /// version is asked for.
    fn holds(&self, subject: &Product, others: &[Product]) -> Option<Confidence> {
        match self {
            Self::Criterion(criterion) => {
                std::iter::once(subject).chain(others).filter_map(|product| criterion.given_by(product)).max()
            }
            Self::Join { members, .. } if members.is_empty() => None,
            Self::Join { operator, negate, members } => {
                let held = |member: &Self| member.holds(subject, others);
                let holds = match operator {
                    Operator::Or => members.iter().filter_map(held).max(),
                    Operator::And => members.iter().map(held).min().flatten(),
                };
                match (holds, negate) {
                    (holds, false) => holds,
                    (None, true) => Some(Confidence::EXACT),
                    (Some(unsure), true) => (unsure < Confidence::FINDING).then_some(Confidence::ROUGH),
                }
            }
        }
    }

    /// The surest vulnerable criterion that `subject` satisfies such that every AND above it is given; `given` tells
    /// how surely another member of an AND holds.
    fn satisfied(&self, subject: &Product, given: &dyn Fn(&Self) -> Option<Confidence>) -> Option<Satisfied> {
        match self {
            Self::Criterion(criterion) if criterion.vulnerable => {
                let confidence = criterion.met_by(subject)?;
                let fixed = criterion.fixed.clone();
                Some(Satisfied { criterion: criterion.text.to_string(), confidence, fixed })
            }
            Self::Criterion(_) | Self::Join { negate: true, .. } => None,
            Self::Join { operator: Operator::Or, members, .. } => {
                best(members.iter().filter_map(|member| member.satisfied(subject, given)))
            }
            Self::Join { operator: Operator::And, members, .. } => {
                best(members.iter().enumerate().filter_map(|(at, member)| {
                    let mut satisfied = member.satisfied(subject, given)?;
                    for (_, member) in members.iter().enumerate().filter(|(other, _)| *other != at) {
                        satisfied.confidence = satisfied.confidence.min(given(member)?);
                    }
                    Some(satisfied)
                }))
            }
        }
    }
}

/// The first of the surest.
fn best(all: impl Iterator<Item = Satisfied>) -> Option<Satisfied> {
    all.fold(None, |best: Option<Satisfied>, next| match best {
        Some(best) if best.confidence >= next.confidence => Some(best),
        _ => Some(next),
    })
}

impl Criterion {
    /// How surely a product meets the criterion, if it does.
    fn met_by(&self, product: &Product) -> Option<Confidence> {
        let cpe = self.cpe.as_ref()?;
        let target = &product.cpe;
        if cpe.part != target.part && cpe.part != super::Part::Any {
            return None;
        }
        for at in 0..2 {
            if !matches!(cpe.attributes[at].relation(&target.attributes[at]), Relation::Equal | Relation::Superset) {
                return None;
            }
        }
        let mut confidence = self.version(cpe, product)?;
        // Edition, language, software edition, target software, target hardware, other.
        for at in 4..10 {
            match (&cpe.attributes[at], &target.attributes[at]) {
                (Value::Any, _) => {}
                (Value::NotApplicable, Value::Any) => {}
                (_, Value::Any) => confidence = confidence.min(Confidence::ROUGH),
                (source, target) => match source.relation(target) {
                    Relation::Equal | Relation::Superset => {}
                    _ => return None,
                },
            }
        }
        Some(confidence)
    }

    /// How surely a product that only has to be present gives what the criterion asks for.
    fn given_by(&self, product: &Product) -> Option<Confidence> {
        let confidence = self.met_by(product)?;
        let ranged = self.low.is_some() || self.high.is_some();
        let any = self.cpe.as_ref().is_some_and(|cpe| !matches!(cpe.version(), Value::Text(_) | Value::Pattern(_)));
        Some(match confidence {
            // Any version will do, and the product's is not known.
            Confidence::NAME_ONLY if !ranged && any => Confidence::EXACT,
            Confidence::NAME_ONLY | Confidence::ROUGH => Confidence::ROUGH,
            _ => Confidence::EXACT,
        })
    }

    fn version(&self, cpe: &Cpe, product: &Product) -> Option<Confidence> {
        let target = &product.cpe;
        let ranged = self.low.is_some() || self.high.is_some();
        if ranged {
            if *target.version() == Value::Any {
                return Some(Confidence::NAME_ONLY);
            }
            let key = product.version.as_ref();
            let Some(key) = key else { return Some(Confidence::NAME_ONLY) };
            for (bound, is_low) in [(&self.low, true), (&self.high, false)] {
                match bound {
                    None => {}
                    Some((None, _)) => return Some(Confidence::NAME_ONLY),
                    Some((Some(bound), inclusive)) => {
                        let order = if is_low { key.cmp(bound) } else { bound.cmp(key) };
                        let inside = order.is_gt() || *inclusive && order.is_eq();
                        if !inside {
                            return None;
                        }
                    }
                }
            }
            return Some(Confidence::CPE);
        }
        match (cpe.version(), target.version()) {
            (Value::Any, Value::Any) => return Some(Confidence::NAME_ONLY),
            (Value::Any, Value::NotApplicable) => return Some(Confidence::CPE),
            (Value::Any, _) => return self.update(cpe, target),
            (Value::NotApplicable, Value::NotApplicable) => return Some(Confidence::CPE),
            (Value::NotApplicable, _) | (_, Value::NotApplicable) => return None,
            (_, Value::Any) => return Some(Confidence::NAME_ONLY),
            _ => {}
        }
        // `8.2` with update `p1` is what others write as `8.2p1`.
        if let (Some(own), Some(theirs)) = (&self.own, &product.version)
            && own == theirs
        {
            return Some(Confidence::CPE);
        }
        match cpe.version().relation(target.version()) {
            Relation::Equal | Relation::Superset => self.update(cpe, target),
            _ => None,
        }
    }

    fn update(&self, cpe: &Cpe, target: &Cpe) -> Option<Confidence> {
        match (cpe.update(), target.update()) {
            (Value::Any, _) | (Value::NotApplicable, Value::Any) => Some(Confidence::CPE),
            // The inventory writes version and update as one, or does not know the update: the comparison of both as one
            // has decided that it is another.
            (Value::Text(_) | Value::Pattern(_), Value::Any) => None,
            (source, target) => {
                matches!(source.relation(target), Relation::Equal | Relation::Superset).then_some(Confidence::CPE)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(vulnerable: bool, name: &str, end_excluding: Option<&str>) -> CpeMatch {
        CpeMatch {
            vulnerable,
            criteria: name.into(),
            start_including: None,
            start_excluding: None,
            end_including: None,
            end_excluding: end_excluding.map(Text::from),
        }
    }

    fn or(matches: Vec<CpeMatch>) -> Node {
        Node { operator: Operator::Or, negate: false, matches, children: Vec::new() }
    }

    fn product(name: &str) -> Product {
        Product::new(Cpe::parse(name).unwrap(), "")
    }

    const APP: &str = "cpe:2.3:a:acme:app:*:*:*:*:*:*:*:*";
    const WINDOWS: &str = "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*";

    fn tree() -> CompiledConfiguration {
        CompiledConfiguration::compile(&Configuration {
            operator: Operator::And,
            negate: false,
            nodes: vec![or(vec![criterion(true, APP, Some("2.0"))]), or(vec![criterion(false, WINDOWS, None)])],
        })
    }

    #[test]
    fn and_needs_the_rest_of_the_asset() {
        let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
        assert!(matches!(tree().applies(&app, &[]), Applicability::Restricted(_)));
        assert!(matches!(tree().applies(&app, &[product(WINDOWS)]), Applicability::Hit(_)));
        let fixed = product("cpe:2.3:a:acme:app:2.0:*:*:*:*:*:*:*");
        assert_eq!(tree().applies(&fixed, &[product(WINDOWS)]), Applicability::No);
    }

    #[test]
    fn a_member_of_unknown_version_is_held_roughly() {
        let confidence = |member: CpeMatch, present: &str| {
            let tree = CompiledConfiguration::compile(&Configuration {
                operator: Operator::And,
                negate: false,
                nodes: vec![or(vec![criterion(true, APP, Some("2.0"))]), or(vec![member])],
            });
            let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
            match tree.applies(&app, &[product(present)]) {
                Applicability::Hit(satisfied) => Some(satisfied.confidence),
                _ => None,
            }
        };
        let any = "cpe:2.3:o:acme:os:*:*:*:*:*:*:*:*";
        assert_eq!(confidence(criterion(false, any, None), any), Some(Confidence::CPE));
        assert_eq!(confidence(criterion(false, any, Some("4")), any), Some(Confidence::ROUGH));
        let three = "cpe:2.3:o:acme:os:3:*:*:*:*:*:*:*";
        assert_eq!(confidence(criterion(false, three, None), any), Some(Confidence::ROUGH));
        assert_eq!(confidence(criterion(false, any, Some("4")), three), Some(Confidence::CPE));
        assert_eq!(confidence(criterion(false, any, Some("2")), three), None);
    }

    #[test]
    fn what_is_not_vulnerable_is_never_hit() {
        let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
        assert_eq!(tree().applies(&product(WINDOWS), &[app]), Applicability::No);
    }

    #[test]
    fn negated_and_empty_configurations() {
        let empty =
            CompiledConfiguration::compile(&Configuration { operator: Operator::Or, negate: false, nodes: vec![] });
        assert_eq!(empty.applies(&product(WINDOWS), &[]), Applicability::No);
        let mut node = or(vec![criterion(false, WINDOWS, None)]);
        node.negate = true;
        let not_windows = CompiledConfiguration::compile(&Configuration {
            operator: Operator::And,
            negate: false,
            nodes: vec![or(vec![criterion(true, APP, None)]), node],
        });
        let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
        assert!(matches!(not_windows.applies(&app, &[]), Applicability::Hit(_)));
        assert!(matches!(not_windows.applies(&app, &[product(WINDOWS)]), Applicability::Restricted(_)));
    }

    #[test]
    fn the_other_branch_of_an_or_does_not_lend_its_and() {
        // (app AND windows) OR other: the presence of `other` must not make `app` vulnerable.
        let both = Node {
            operator: Operator::And,
            negate: false,
            matches: vec![criterion(true, APP, None), criterion(false, WINDOWS, None)],
            children: vec![],
        };
        let other = "cpe:2.3:a:acme:other:*:*:*:*:*:*:*:*";
        let tree = CompiledConfiguration::compile(&Configuration {
            operator: Operator::Or,
            negate: false,
            nodes: vec![both, or(vec![criterion(true, other, None)])],
        });
        let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
        let present = product("cpe:2.3:a:acme:other:1:*:*:*:*:*:*:*");
        assert!(matches!(tree.applies(&app, &[present]), Applicability::Restricted(_)));
    }

    #[test]
    fn updates_editions_and_unreadable_versions() {
        let single = |name: &str, end: Option<&str>| {
            CompiledConfiguration::compile(&Configuration {
                operator: Operator::Or,
                negate: false,
                nodes: vec![or(vec![criterion(true, name, end)])],
            })
        };
        let confidence = |tree: &CompiledConfiguration, name: &str| match tree.applies(&product(name), &[]) {
            Applicability::Hit(satisfied) => Some(satisfied.confidence),
            _ => None,
        };
        let p1 = single("cpe:2.3:a:openbsd:openssh:8.2:p1:*:*:*:*:*:*", None);
        assert_eq!(confidence(&p1, "cpe:2.3:a:openbsd:openssh:8.2p1:*:*:*:*:*:*:*"), Some(Confidence::CPE));
        assert_eq!(confidence(&p1, "cpe:2.3:a:openbsd:openssh:8.2:*:*:*:*:*:*:*"), None);
        let edition = single("cpe:2.3:a:acme:app:*:*:*:*:*:wordpress:*:*", Some("2"));
        assert_eq!(confidence(&edition, "cpe:2.3:a:acme:app:1:*:*:*:*:*:*:*"), Some(Confidence::ROUGH));
        assert_eq!(confidence(&edition, "cpe:2.3:a:acme:app:1:*:*:*:*:drupal:*:*"), None);
        assert_eq!(
            confidence(&edition, "cpe:2.3:a:acme:app:unknown:*:*:*:*:wordpress:*:*"),
            Some(Confidence::NAME_ONLY)
        );
        let na = single("cpe:2.3:a:acme:app:-:*:*:*:*:*:*:*", None);
        assert_eq!(confidence(&na, "cpe:2.3:a:acme:app:1:*:*:*:*:*:*:*"), None);
        let hardware = single("cpe:2.3:h:acme:app:*:*:*:*:*:*:*:*", None);
        assert_eq!(confidence(&hardware, "cpe:2.3:a:acme:app:1:*:*:*:*:*:*:*"), None);
    }
}
