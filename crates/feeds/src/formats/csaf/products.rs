//! Products that are no packages of a distribution: devices, applications, packages of languages.

use bartizan_matching::cpe::{Configuration, Cpe, CpeMatch, Node, Operator, Value};
use bartizan_matching::model::{
    Advisory, Authority, Condition, Ecosystem, Event, NameKind, PackageKey, Range, Text, VendorState,
};

use super::{Entry, Seen, add};
use crate::formats::common;
use crate::formats::openvex::decode;

/// A product that is no package: a device or an application.
pub(super) fn other_product(entry: &Entry<'_>, state: VendorState, advisory: &mut Advisory, seen: &mut Seen) {
    if state == VendorState::Affected {
        // Its fixed version; what is affected is stated by the affected products.
        return;
    }
    if entry.cpe.starts_with("cpe:") && !matches!(state, VendorState::NotAffected | VendorState::UnderInvestigation) {
        let node = Node { operator: Operator::Or, negate: false, matches: criteria(entry), children: Vec::new() };
        let configuration = Configuration { operator: Operator::Or, negate: false, nodes: vec![node] };
        if !advisory.configurations.contains(&configuration) {
            advisory.configurations.push(configuration);
        }
        return;
    }
    if entry.vendor.is_empty() || entry.product.is_empty() {
        return;
    }
    let name = format!("{}:{}", entry.vendor.trim(), entry.product.trim());
    let key = PackageKey::new(Ecosystem::Generic, "", &common::cut(&name, 250));
    let mut statement = common::statement(key, NameKind::Binary, state);
    match versions(&entry.version) {
        Some(ranges) => statement.ranges = ranges,
        None => statement.conditions.push(Condition::Unevaluated(common::cut(&entry.version, 200))),
    }
    add(statement, advisory, seen);
}

/// The CPE name of a product with the versions of its branch, one criterion an interval. A branch whose version cannot be
/// read becomes a bound that cannot be read either: then only the name is known to fit.
fn criteria(entry: &Entry<'_>) -> Vec<CpeMatch> {
    let whole = CpeMatch {
        vulnerable: true,
        criteria: (&*entry.cpe).into(),
        start_including: None,
        start_excluding: None,
        end_including: None,
        end_excluding: None,
    };
    let named = Cpe::parse(&entry.cpe).is_ok_and(|cpe| *cpe.version() != Value::Any);
    if named || entry.version.trim().is_empty() {
        return vec![whole];
    }
    let Some(ranges) = versions(&entry.version) else {
        return vec![CpeMatch { end_including: Some("?".into()), ..whole }];
    };
    let mut all = Vec::new();
    for range in &ranges {
        let Range::Events { events, .. } = range else { continue };
        let mut open: Option<CpeMatch> = None;
        for event in events {
            match event {
                Event::Introduced(version) => {
                    all.extend(open.take());
                    let from = (version != "0").then(|| version.clone());
                    open = Some(CpeMatch { start_including: from, ..whole.clone() });
                }
                Event::Fixed(version) => {
                    let below = open.take().unwrap_or_else(|| whole.clone());
                    all.push(CpeMatch { end_excluding: Some(version.clone()), ..below });
                }
                Event::LastAffected(version) => {
                    let below = open.take().unwrap_or_else(|| whole.clone());
                    all.push(CpeMatch { end_including: Some(version.clone()), ..below });
                }
                Event::Limit(_) => {}
            }
        }
        all.extend(open);
    }
    if all.is_empty() { vec![whole] } else { all }
}

/// Ecosystem, name and version of a package URL of a language.
pub(super) fn language_package(purl: &str) -> Option<(Ecosystem, String, String)> {
    let rest = purl.strip_prefix("pkg:")?;
    let rest = rest.split(['?', '#']).next()?;
    let (kind, path) = rest.split_once('/')?;
    let ecosystem = Ecosystem::KNOWN.iter().find(|known| known.purl_type() == kind)?.clone();
    if ecosystem.authority() != Authority::Ecosystem {
        return None;
    }
    let (path, version) = path.rsplit_once('@').filter(|(path, _)| !path.is_empty()).unwrap_or((path, ""));
    let parts: Vec<String> = path.split('/').map(decode).collect();
    let name = parts.join(if ecosystem == Ecosystem::Maven { ":" } else { "/" });
    (!name.is_empty()).then(|| (ecosystem, name, decode(version)))
}

/// A package of a language. Its fixed versions are no statement of their own: what is affected is said by the others.
pub(super) fn of_language(
    entry: &Entry<'_>,
    (ecosystem, name, version): (Ecosystem, &str, &str),
    state: VendorState,
    advisory: &mut Advisory,
    seen: &mut Seen,
) {
    let state = match state {
        VendorState::Affected => return,
        // A third party does not acquit somebody else's package for everybody.
        VendorState::NotAffected => return,
        // That no fix is named here does not mean that there is none.
        VendorState::NoFixYet => VendorState::Affected,
        other => other,
    };
    let key = PackageKey::new(ecosystem, "", &common::cut(name, 250));
    let mut statement = common::statement(key, NameKind::Binary, state);
    if version.is_empty() {
        match versions(&entry.version).filter(|_| !entry.version.trim().is_empty()) {
            Some(ranges) => statement.ranges = ranges,
            None => {
                let text = if entry.version.is_empty() { "the product names no versions" } else { &*entry.version };
                statement.conditions.push(Condition::Unevaluated(common::cut(text, 200)));
            }
        }
    } else {
        statement.versions.push(common::cut(version, 200));
    }
    add(statement, advisory, seen);
}

/// Ranges of `<V2.0`, `<=1.3`, `>=1.0|<2.0`, `vers:all/*`, `vers:generic/<1.2`; a bare version is itself.
fn versions(text: &str) -> Option<Vec<Range>> {
    let text = text.trim();
    let text = text.strip_prefix("vers:").and_then(|rest| rest.split_once('/')).map_or(text, |(_, rest)| rest).trim();
    if matches!(text, "" | "*" | "all" | "All" | "all versions" | "All versions" | "vers:all/*") {
        return Some(Vec::new());
    }
    let bare = |text: &str| {
        let text = text.trim().trim_start_matches(['v', 'V']).trim();
        (!text.is_empty() && text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(char::is_whitespace))
            .then(|| Text::from(text))
    };
    let mut events = Vec::new();
    for part in text.split('|').map(str::trim) {
        if let Some(version) = part.strip_prefix(">=") {
            events.push(Event::Introduced(bare(version)?));
        } else if let Some(version) = part.strip_prefix("<=") {
            events.push(Event::LastAffected(bare(version)?));
        } else if let Some(version) = part.strip_prefix('<') {
            events.push(Event::Fixed(bare(version)?));
        } else if part.starts_with('>') {
            return None;
        } else {
            let version = bare(part.trim_start_matches('='))?;
            events.extend([Event::Introduced(version.clone()), Event::LastAffected(version)]);
        }
    }
    // An upper bound without a lower one of its own begins at the beginning, whatever the order they are written in.
    let lower = events.iter().filter(|event| matches!(event, Event::Introduced(_))).count();
    if lower * 2 < events.len() {
        events.insert(0, Event::Introduced("0".into()));
    }
    Some(vec![Range::Events { semver: false, events }])
}
