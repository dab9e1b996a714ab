//! What is kept of header values and URLs, and the last sweep for cookie values.

use bartizan_domain::evidence::web::{Header, WITHHELD};
use http::HeaderMap;
use url::Url;

/// Longest header value kept, in bytes.
const MAX_VALUE: usize = 4096;
/// Cookie values shorter than this are no secrets (`1`, `en`) and would cut holes into harmless text.
const MIN_SECRET: usize = 6;

/// Header fields whose values are kept. Everything else may carry a token and is kept by name alone.
const KEPT: &[&str] = &[
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "dav",
    "expect-ct",
    "expires",
    "feature-policy",
    "liferay-portal",
    "microsoftsharepointteamservices",
    "ms-author-via",
    "origin-agent-cluster",
    "permissions-policy",
    "pragma",
    "public",
    "public-key-pins",
    "referrer-policy",
    "server",
    "strict-transport-security",
    "timing-allow-origin",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-cache",
    "x-content-security-policy",
    "x-content-type-options",
    "x-download-options",
    "x-drupal-cache",
    "x-frame-options",
    "x-generator",
    "x-jenkins",
    "x-litespeed-cache",
    "x-mod-pagespeed",
    "x-owa-version",
    "x-page-speed",
    "x-permitted-cross-domain-policies",
    "x-powered-by",
    "x-powered-cms",
    "x-redirect-by",
    "x-robots-tag",
    "x-runtime",
    "x-ua-compatible",
    "x-varnish-cache",
    "x-webkit-csp",
    "x-xss-protection",
];

/// The header fields as they are kept.
pub fn headers(map: &HeaderMap, base: &Url) -> Vec<Header> {
    map.iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let kept = match name.as_str() {
                "set-cookie" => super::cookies::withheld(&value),
                "location" | "content-location" => base.join(&value).map_or_else(|_| WITHHELD.to_owned(), |u| url(&u)),
                // The scheme says what kind of login it is; realm and nonce stay with the server.
                "www-authenticate" | "proxy-authenticate" => {
                    format!("{} {WITHHELD}", value.split_whitespace().next().unwrap_or_default())
                }
                name if KEPT.binary_search(&name).is_ok() => shortened(&value, MAX_VALUE),
                _ => WITHHELD.to_owned(),
            };
            Header { name: name.as_str().to_owned(), value: kept }
        })
        .collect()
}

/// A URL without user information, query, fragment and path parameters (`;jsessionid=…`).
pub fn url(url: &Url) -> String {
    let mut url = url.clone();
    if url.cannot_be_a_base() {
        // `data:`, `javascript:`, `mailto:`: the rest is content, not an address.
        return format!("{}:", url.scheme());
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    let path: Vec<&str> = url.path().split('/').map(|part| part.split(';').next().unwrap_or_default()).collect();
    let path = path.join("/");
    url.set_path(&path);
    shortened(url.as_str(), 1024)
}

/// `text` cut to `limit` bytes at a character border.
pub fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().find(|(start, c)| start + c.len_utf8() > limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Cookie values seen during one probe, never kept beyond it.
#[derive(Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Remembers the values of the cookies that `map` sets.
    pub fn learn(&mut self, map: &HeaderMap) {
        for field in map.get_all(http::header::SET_COOKIE) {
            let text = String::from_utf8_lossy(field.as_bytes());
            if let Some(value) = super::cookies::value(&text)
                && value.len() >= MIN_SECRET
                && !self.0.iter().any(|known| known == value)
                && self.0.len() < 500
            {
                self.0.push(value.to_owned());
            }
        }
    }

    /// Removes every learnt value from the free text of `evidence` (URLs, header values, titles …), wherever the
    /// server may have repeated it.
    pub fn sweep(&self, evidence: &mut serde_json::Value) {
        if self.0.is_empty() {
            return;
        }
        match evidence {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    match value {
                        serde_json::Value::String(text) if FREE_TEXT.contains(&key.as_str()) => self.clean(text),
                        serde_json::Value::Array(list) if FREE_TEXT.contains(&key.as_str()) => {
                            for item in list.iter_mut() {
                                if let serde_json::Value::String(text) = item {
                                    self.clean(text);
                                }
                            }
                            list.iter_mut().for_each(|item| self.sweep(item));
                        }
                        other => self.sweep(other),
                    }
                }
            }
            serde_json::Value::Array(list) => list.iter_mut().for_each(|item| self.sweep(item)),
            _ => {}
        }
    }

    fn clean(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), WITHHELD);
            }
        }
    }
}

/// Fields of the evidence that hold text of the server's choosing. Names of things (cookies, headers, hosts) are not
/// among them: cutting a hole into them would change what is judged.
const FREE_TEXT: &[&str] = &[
    "acknowledgments",
    "action",
    "allow",
    "canonical",
    "contact",
    "dav",
    "detail",
    "encryption",
    "expires",
    "generator",
    "meta_csp",
    "names",
    "other_fields",
    "path",
    "policy",
    "preferred_languages",
    "reason",
    "signature",
    "target",
    "title",
    "url",
    "value",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(KEPT.is_sorted());
    }

    #[test]
    fn urls_lose_what_can_be_secret() {
        let parse = |text: &str| url(&Url::parse(text).unwrap());
        assert_eq!(parse("https://u:p@site.test:8443/a;jsessionid=77/b?token=x#frag"), "https://site.test:8443/a/b");
        assert_eq!(parse("data:text/javascript,alert(1)"), "data:");
    }

    #[test]
    fn values_are_withheld_unless_known_to_be_harmless() {
        let mut map = HeaderMap::new();
        map.insert("server", "nginx".parse().unwrap());
        map.insert("x-session-token", "abcdef123456".parse().unwrap());
        map.append("set-cookie", "sid=abcdef123456; Secure".parse().unwrap());
        map.insert("location", "/login?sid=abcdef123456".parse().unwrap());
        map.insert("www-authenticate", "Digest realm=\"abcdef123456\"".parse().unwrap());
        let kept = headers(&map, &Url::parse("http://site.test/").unwrap());
        assert!(kept.iter().all(|header| !header.value.contains("abcdef")), "{kept:?}");
        let value = |name: &str| kept.iter().find(|header| header.name == name).unwrap().value.as_str();
        assert_eq!(value("server"), "nginx");
        assert_eq!(value("location"), "http://site.test/login");
        assert_eq!(value("www-authenticate"), "Digest [withheld]");
        assert_eq!(value("set-cookie"), "sid=[withheld]; Secure");
    }
}
