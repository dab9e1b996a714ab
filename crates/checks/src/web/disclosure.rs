//! `disclosure.version`: a product with its version in headers, pages or error pages. One finding a location.

use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::{Value, json};

use super::site;
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Headers that name products.
const PRODUCT_HEADERS: [&str; 10] = [
    "server",
    "x-powered-by",
    "x-generator",
    "x-powered-cms",
    "x-redirect-by",
    "x-mod-pagespeed",
    "x-page-speed",
    "liferay-portal",
    "microsoftsharepointteamservices",
    "x-jenkins",
];
/// Headers whose whole value is a version.
const VERSION_HEADERS: [&str; 3] = ["x-aspnet-version", "x-aspnetmvc-version", "x-owa-version"];

/// `disclosure.version`.
#[derive(Debug)]
pub struct Version;

impl Check for Version {
    fn id(&self) -> &'static str {
        "disclosure.version"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Web]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_distinct(evidence, out, |site, out| {
            let mut told: Vec<Value> = Vec::new();
            let mut add = |place: &str, text: &str| {
                let entry = json!({"where": place, "text": text});
                if !told.contains(&entry) {
                    told.push(entry);
                }
            };
            for response in site.web.own_responses() {
                for name in PRODUCT_HEADERS {
                    response
                        .header_values(name)
                        .filter(|value| names_version(value))
                        .for_each(|value| add(name, value));
                }
                for name in VERSION_HEADERS {
                    response
                        .header_values(name)
                        .filter(|value| value.starts_with(|c: char| c.is_ascii_digit()))
                        .for_each(|value| add(name, value));
                }
                let generator = response.document.as_ref().and_then(|document| document.generator.as_deref());
                if let Some(generator) = generator.filter(|text| names_version(text)) {
                    add("generator", generator);
                }
                if let Some(signature) = &response.signature {
                    add("page", signature);
                }
            }
            if let Some(signature) = site.web.baseline.observed().and_then(|baseline| baseline.signature.as_ref()) {
                add("error page", signature);
            }
            if told.is_empty() {
                out.pass(site.location());
            } else {
                out.fail(site.location(), Fail::new(json!({"disclosed": told})));
            }
        });
    }
}

/// Whether a text names a product together with a version: `nginx/1.26.3`, `WordPress 6.4`, `PHP/8.2`. A bare name, or
/// a name that merely ends in a digit (`Apache2`, `nginx/upstream-1`), does not.
#[must_use]
pub fn names_version(text: &str) -> bool {
    let mut after_name = false;
    for word in text.split([' ', '/', ',', ';', '(', ')']).filter(|word| !word.is_empty()) {
        let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
        let is_version = digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().take_while(|c| c.is_ascii_digit() || *c == '.').any(|c| c == '.');
        let is_major = !digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if after_name && (is_version || is_major) {
            return true;
        }
        after_name = word.starts_with(|c: char| c.is_ascii_alphabetic()) && word != digits || is_word(word);
    }
    false
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_version_is_told_from_a_name() {
        for text in [
            "nginx/1.26.3",
            "Apache/2.4.62 (Debian)",
            "PHP/8.2.7",
            "WordPress 6.4",
            "Drupal 10 (https://www.drupal.org)",
            "Microsoft-IIS/10.0",
            "Apache/2",
            "SimpleHTTP/0.6 Python/3.11.2",
            "Joomla! v4.2",
        ] {
            assert!(names_version(text), "{text}");
        }
        for text in
            ["nginx", "Apache", "cloudflare", "Express", "ASP.NET", "Apache (Debian)", "", "1.2.3", "Apache2", "h2o"]
        {
            assert!(!names_version(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,100}") {
            let _ = names_version(&text);
        }
    }
}
