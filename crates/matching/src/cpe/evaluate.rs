//! Evaluation of configurations against what an asset carries.
//!
//! A product is hit by a configuration if it satisfies a *vulnerable* criterion, and at every AND above that criterion
//! all other members hold for the asset as a whole. Members that are not vulnerable only restrict. A configuration
//! without members holds for nothing.
//!
//! A criterion is compared by the rules of NISTIR 7696 with additions that real data needs: the bounds of the
//! criterion are compared in the general version order, after the names that a dictionary lists for it
//! ([`super::criterion`]); a version is also compared with "version and update" written as one (`8.2` and `p1` is
//! `8.2p1`); what an inventory does not state (update, edition, target) is *unknown*, not "any": a criterion that names
//! it is met only roughly, unless the criteria beside it name every edition there is. Linear in the tree times the
//! products of the asset.

use super::criterion::{Criterion, Dictionary, Product};
use super::{Configuration, Node, Operator};
use crate::model::{Confidence, Text};

/// Deepest tree that is read.
const MAX_DEPTH: usize = 16;
/// Reasons that are given for one configuration at most.
const MAX_REASONS: usize = 8;
/// Criteria that are named for one missing member at most.
const MAX_NAMED: usize = 4;

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

/// The criterion that a product satisfies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Satisfied {
    /// The criterion and its bounds as text.
    pub criterion: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// The version below which it holds: the first that is fixed.
    pub fixed: Option<Text>,
    /// Why it is as sure as it is, where that is not plain.
    pub notes: Vec<Text>,
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

/// What a configuration is evaluated against.
struct Asset<'a> {
    subject: &'a Product,
    others: &'a [Product],
    dictionary: &'a dyn Dictionary,
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
    pub fn applies(&self, subject: &Product, others: &[Product], dictionary: &dyn Dictionary) -> Applicability {
        let asset = Asset { subject, others, dictionary };
        if let Some(satisfied) = self.root.satisfied(&asset, &|member| member.holds(&asset)) {
            return Applicability::Hit(satisfied);
        }
        // Were everything else given, would it be hit?
        match self.root.satisfied(&asset, &|_| Some(Confidence::EXACT)) {
            Some(satisfied) => Applicability::Restricted(satisfied),
            None => Applicability::No,
        }
    }

    /// The editions of `subject`'s product that it hits for sure and whatever else the asset carries. One record may
    /// name each edition in a configuration of its own.
    pub(crate) fn editions<'c>(&'c self, subject: &Product, dictionary: &dyn Dictionary) -> Vec<Edition<'c>> {
        let mut hit = Vec::new();
        let asset = Asset { subject, others: &[], dictionary };
        editions(std::slice::from_ref(&self.root), &asset, &mut hit);
        hit
    }

    /// Why it does not hit `subject`: the bound or attribute that each vulnerable criterion about the product fails on, or,
    /// where one is satisfied, what else the configuration asks for and the asset lacks. Empty if it hits, or is about
    /// other products only.
    #[must_use]
    pub fn shortfall(&self, subject: &Product, others: &[Product], dictionary: &dyn Dictionary) -> Vec<String> {
        let asset = Asset { subject, others, dictionary };
        let mut reasons = Vec::new();
        match self.applies(subject, others, dictionary) {
            Applicability::Hit(_) => {}
            Applicability::Restricted(satisfied) => {
                self.root.missing(&asset, &mut reasons);
                for reason in &mut reasons {
                    *reason = format!("`{}` holds, but {reason}", satisfied.criterion);
                }
            }
            Applicability::No => self.root.unmet(&asset, &mut reasons),
        }
        reasons.dedup();
        let more = reasons.len().saturating_sub(MAX_REASONS);
        reasons.truncate(MAX_REASONS);
        if more > 0 {
            reasons.push(format!("and {more} more criteria that do not hold"));
        }
        reasons
    }
}

fn member(node: &Node, depth: usize) -> Member {
    let mut members: Vec<Member> =
        node.matches.iter().map(|criterion| Member::Criterion(Box::new(Criterion::compile(criterion)))).collect();
    if depth < MAX_DEPTH {
        members.extend(node.children.iter().map(|child| member(child, depth + 1)));
    }
    Member::Join { operator: node.operator, negate: node.negate, members }
}

impl Member {
    /// How surely it holds for the asset, if it does. What is present in a version that is not known holds roughly where a
    /// version is asked for.
    fn holds(&self, asset: &Asset<'_>) -> Option<Confidence> {
        match self {
            Self::Criterion(criterion) => std::iter::once(asset.subject)
                .chain(asset.others)
                .filter_map(|product| criterion.given_by(product, asset.dictionary))
                .max(),
            Self::Join { members, .. } if members.is_empty() => None,
            Self::Join { operator, negate, members } => {
                let held = |member: &Self| member.holds(asset);
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

    /// The surest vulnerable criterion that the subject satisfies such that every AND above it is given; `given` tells
    /// how surely another member of an AND holds.
    fn satisfied(&self, asset: &Asset<'_>, given: &dyn Fn(&Self) -> Option<Confidence>) -> Option<Satisfied> {
        match self {
            Self::Criterion(criterion) if criterion.vulnerable => {
                let met = criterion.met_by(asset.subject, asset.dictionary)?;
                Some(Satisfied {
                    criterion: criterion.text.to_string(),
                    confidence: met.confidence,
                    fixed: criterion.fixed.clone(),
                    notes: met.notes,
                })
            }
            Self::Criterion(_) | Self::Join { negate: true, .. } => None,
            Self::Join { operator: Operator::Or, members, .. } => {
                let best = best(members.iter().filter_map(|member| member.satisfied(asset, given)))?;
                Some(if best.confidence == Confidence::ROUGH { every_edition(members, asset, best) } else { best })
            }
            Self::Join { operator: Operator::And, members, .. } => {
                best(members.iter().enumerate().filter_map(|(at, member)| {
                    let mut satisfied = member.satisfied(asset, given)?;
                    for (_, member) in members.iter().enumerate().filter(|(other, _)| *other != at) {
                        satisfied.confidence = satisfied.confidence.min(given(member)?);
                    }
                    Some(satisfied)
                }))
            }
        }
    }

    /// What keeps the vulnerable criteria about the subject's product from being met.
    fn unmet(&self, asset: &Asset<'_>, reasons: &mut Vec<String>) {
        match self {
            Self::Criterion(criterion) => {
                if let Some(other) = criterion.other_part(asset.subject) {
                    reasons.push(format!("`{}`: {other}", criterion.text));
                } else if let Some(Err(unmet)) = criterion.judge(asset.subject, asset.dictionary) {
                    let why = criterion.why(unmet, asset.subject, asset.dictionary);
                    let kind = if criterion.vulnerable { "" } else { " (only restricts)" };
                    reasons.push(format!("`{}`{kind}: {why}", criterion.text));
                } else if !criterion.vulnerable && criterion.met_by(asset.subject, asset.dictionary).is_some() {
                    reasons.push(format!(
                        "`{}` is what the vulnerable product runs on, not what is vulnerable",
                        criterion.text
                    ));
                }
            }
            Self::Join { members, .. } => members.iter().for_each(|member| member.unmet(asset, reasons)),
        }
    }

    /// The members of ANDs that are not given beside a member that the subject satisfies.
    fn missing(&self, asset: &Asset<'_>, reasons: &mut Vec<String>) {
        let Self::Join { operator, negate: false, members } = self else { return };
        let satisfies = |member: &Self| member.satisfied(asset, &|_| Some(Confidence::EXACT)).is_some();
        for (at, member) in members.iter().enumerate().filter(|(_, member)| satisfies(member)) {
            member.missing(asset, reasons);
            if *operator == Operator::And {
                for (_, other) in members.iter().enumerate().filter(|(other, _)| *other != at) {
                    if other.holds(asset).is_none() {
                        reasons.push(other.lacking(asset));
                    }
                }
            }
        }
    }

    /// What a member that does not hold asks for.
    fn lacking(&self, asset: &Asset<'_>) -> String {
        let present = |criterion: &&&Criterion| {
            std::iter::once(asset.subject).chain(asset.others).any(|product| criterion.is_about(product))
        };
        let mut criteria = Vec::new();
        self.criteria(&mut criteria);
        let mut texts: Vec<String> =
            criteria.iter().take(MAX_NAMED).map(|criterion| format!("`{}`", criterion.text)).collect();
        if criteria.len() > MAX_NAMED {
            texts.push(format!("{} more", criteria.len() - MAX_NAMED));
        }
        let (operator, negate) = match self {
            Self::Join { operator, negate, .. } => (*operator, *negate),
            Self::Criterion(_) => (Operator::Or, false),
        };
        let all = texts.join(if operator == Operator::And { " and " } else { " or " });
        if negate {
            return format!("it asks that {all} is absent, and the asset carries it");
        }
        // What is there in another version is not simply absent.
        let near = criteria.iter().filter(present).find_map(|criterion| {
            std::iter::once(asset.subject).chain(asset.others).find_map(|product| {
                let unmet = criterion.judge(product, asset.dictionary)?.err()?;
                Some(criterion.why(unmet, product, asset.dictionary))
            })
        });
        match near {
            Some(why) => format!("it also asks for {all}: {why}"),
            None => format!("it also asks for {all}, which the asset does not carry as far as is known"),
        }
    }

    /// The criteria any one of which is enough.
    fn alternatives<'m>(&'m self, into: &mut Vec<&'m Criterion>) {
        match self {
            Self::Criterion(criterion) => into.push(criterion),
            Self::Join { operator: Operator::Or, negate: false, members } => {
                members.iter().for_each(|member| member.alternatives(into));
            }
            Self::Join { .. } => {}
        }
    }

    fn criteria<'m>(&'m self, into: &mut Vec<&'m Criterion>) {
        match self {
            Self::Criterion(criterion) => into.push(criterion),
            Self::Join { members, .. } => members.iter().for_each(|member| member.criteria(into)),
        }
    }
}

/// A product whose edition is not known is hit for sure if each of its editions is.
fn every_edition(members: &[Member], asset: &Asset<'_>, mut best: Satisfied) -> Satisfied {
    let mut hit = Vec::new();
    editions(members, asset, &mut hit);
    best.if_every_edition(&hit);
    best
}

/// The editions that are hit for sure, each with all there are.
fn editions<'m>(members: &'m [Member], asset: &Asset<'_>, hit: &mut Vec<Edition<'m>>) {
    let mut alternatives = Vec::new();
    members.iter().for_each(|member| member.alternatives(&mut alternatives));
    for criterion in alternatives {
        let Some((edition, editions)) = criterion.edition_of().filter(|_| criterion.vulnerable) else { continue };
        let met = criterion.met_in_its_edition(asset.subject, asset.dictionary);
        if met.is_some_and(|met| met.confidence >= Confidence::CPE) {
            hit.push((edition, editions));
        }
    }
}

/// An edition, and all there are of the product.
pub(crate) type Edition<'m> = (&'m str, Vec<&'static str>);

impl Satisfied {
    /// Makes a rough hit sure if these editions are all there are.
    pub(crate) fn if_every_edition(&mut self, hit: &[Edition<'_>]) {
        let Some((_, all)) = hit.first().filter(|_| self.confidence == Confidence::ROUGH) else { return };
        if all.iter().all(|edition| hit.iter().any(|(one, _)| one == edition)) {
            self.confidence = Confidence::CPE;
            self.notes = vec![format!("whichever edition it is: {} are affected", all.join(" and ")).into()];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpe::{Cpe, CpeMatch, NoDictionary};

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
    fn any_release_of_windows_is_windows() {
        let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
        let on = |name: &str| tree().applies(&app, &[product(name)], &NoDictionary);
        for windows in [
            "cpe:2.3:o:microsoft:windows_10_22h2:10.0.19045.3448:*:*:*:*:*:x64:*",
            "cpe:2.3:o:microsoft:windows_server_2019:-:*:*:*:*:*:*:*",
        ] {
            assert!(matches!(on(windows), Applicability::Hit(_)), "{windows}");
        }
        for other in [
            "cpe:2.3:o:apple:macos:14:*:*:*:*:*:*:*",
            "cpe:2.3:a:microsoft:windows_media_player:12:*:*:*:*:*:*:*",
            "cpe:2.3:o:example:windows_10:1:*:*:*:*:*:*:*",
        ] {
            assert!(matches!(on(other), Applicability::Restricted(_)), "{other}");
        }
    }

    #[test]
    fn and_needs_the_rest_of_the_asset() {
        let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
        assert!(matches!(tree().applies(&app, &[], &NoDictionary), Applicability::Restricted(_)));
        assert!(matches!(tree().applies(&app, &[product(WINDOWS)], &NoDictionary), Applicability::Hit(_)));
        let fixed = product("cpe:2.3:a:acme:app:2.0:*:*:*:*:*:*:*");
        assert_eq!(tree().applies(&fixed, &[product(WINDOWS)], &NoDictionary), Applicability::No);
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
            match tree.applies(&app, &[product(present)], &NoDictionary) {
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
        assert_eq!(tree().applies(&product(WINDOWS), &[app], &NoDictionary), Applicability::No);
    }

    #[test]
    fn negated_and_empty_configurations() {
        let empty =
            CompiledConfiguration::compile(&Configuration { operator: Operator::Or, negate: false, nodes: vec![] });
        assert_eq!(empty.applies(&product(WINDOWS), &[], &NoDictionary), Applicability::No);
        let mut node = or(vec![criterion(false, WINDOWS, None)]);
        node.negate = true;
        let not_windows = CompiledConfiguration::compile(&Configuration {
            operator: Operator::And,
            negate: false,
            nodes: vec![or(vec![criterion(true, APP, None)]), node],
        });
        let app = product("cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*");
        assert!(matches!(not_windows.applies(&app, &[], &NoDictionary), Applicability::Hit(_)));
        assert!(matches!(not_windows.applies(&app, &[product(WINDOWS)], &NoDictionary), Applicability::Restricted(_)));
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
        assert!(matches!(tree.applies(&app, &[present], &NoDictionary), Applicability::Restricted(_)));
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
        let confidence =
            |tree: &CompiledConfiguration, name: &str| match tree.applies(&product(name), &[], &NoDictionary) {
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

    #[test]
    fn what_is_missing_is_named() {
        let why = |name: &str, others: &[Product]| tree().shortfall(&product(name), others, &NoDictionary);
        let app = "cpe:2.3:a:acme:app:1.5:*:*:*:*:*:*:*";
        assert_eq!(why(app, &[product(WINDOWS)]), Vec::<String>::new());
        assert_eq!(
            why(app, &[]),
            [format!(
                "`{APP} <2.0` holds, but it also asks for `{WINDOWS}`, which the asset does not carry as far as is known"
            )]
        );
        assert_eq!(
            why("cpe:2.3:a:acme:app:2.0:*:*:*:*:*:*:*", &[]),
            [format!("`{APP} <2.0`: version 2.0 is not <2.0")]
        );
        let ten = product("cpe:2.3:o:microsoft:windows:10:*:*:*:*:*:*:*");
        assert_eq!(
            why(app, &[ten]),
            [format!("`{APP} <2.0` holds, but it also asks for `{WINDOWS}`: version 10 is not the one named")]
        );
        assert!(why(WINDOWS, &[])[0].contains("runs on"));
        assert_eq!(why("cpe:2.3:a:acme:other:1:*:*:*:*:*:*:*", &[]), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_edition_is_sure_where_all_are_named() {
        let edition = |edition: &str, end: &str| {
            criterion(true, &format!("cpe:2.3:a:gitlab:gitlab:*:*:*:*:{edition}:*:*:*"), Some(end))
        };
        let tree = |criteria: Vec<CpeMatch>| {
            CompiledConfiguration::compile(&Configuration {
                operator: Operator::Or,
                negate: false,
                nodes: vec![or(criteria)],
            })
        };
        let confidence = |tree: &CompiledConfiguration, version: &str| {
            let subject = Product::new(Cpe::parse("cpe:2.3:a:gitlab:gitlab:*:*:*:*:*:*:*:*").unwrap(), version);
            match tree.applies(&subject, &[], &NoDictionary) {
                Applicability::Hit(satisfied) => Some(satisfied.confidence),
                _ => None,
            }
        };
        let both = tree(vec![edition("community", "15.2"), edition("enterprise", "15.3")]);
        assert_eq!(confidence(&both, "15.1"), Some(Confidence::CPE));
        assert_eq!(confidence(&both, "15.2"), Some(Confidence::ROUGH));
        assert_eq!(confidence(&both, "15.2-ee"), Some(Confidence::CPE));
        assert_eq!(confidence(&both, "15.2-ce"), None);
        let one = tree(vec![edition("enterprise", "15.3")]);
        assert_eq!(confidence(&one, "15.1"), Some(Confidence::ROUGH));
        assert_eq!(confidence(&one, "15.1-ce.0"), None);
    }
}
