//! `Set-Cookie`, parsed as a browser does (RFC 6265, section 5.2, as revised by 6265bis).

use bartizan_domain::evidence::web::{SetCookie, WITHHELD};
use http::HeaderMap;

use super::redact::shortened;

/// Cookies of one response at most.
const MAX_COOKIES: usize = 50;

/// The cookies that a response sets, in order.
pub fn parse_all(map: &HeaderMap) -> Vec<SetCookie> {
    map.get_all(http::header::SET_COOKIE)
        .iter()
        .take(MAX_COOKIES)
        .filter_map(|field| parse(&String::from_utf8_lossy(field.as_bytes())))
        .collect()
}

/// One `Set-Cookie` value; `None` if a browser would ignore it (neither name nor value, or control characters).
pub fn parse(text: &str) -> Option<SetCookie> {
    if text.chars().any(|c| c.is_ascii_control() && c != '\t') {
        return None;
    }
    let mut parts = text.split(';');
    let pair = parts.next().unwrap_or_default();
    // A pair without `=` is a value without a name.
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() && value.is_empty() {
        return None;
    }
    let mut cookie = SetCookie { name: shortened(name, 256), empty: value.is_empty(), ..SetCookie::default() };
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "secure" => cookie.secure = true,
            "httponly" => cookie.http_only = true,
            "partitioned" => cookie.partitioned = true,
            "samesite" => cookie.same_site = Some(shortened(value, 32)),
            "path" => cookie.path = Some(path(value)),
            "domain" => {
                let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
                cookie.domain = (!domain.is_empty()).then(|| shortened(&domain, 256));
            }
            "max-age" => cookie.max_age = max_age(value).or(cookie.max_age),
            "expires" => cookie.expires = Some(shortened(value, 64)),
            _ => {}
        }
    }
    Some(cookie)
}

/// The cookie's value, for the redaction sweep only.
pub fn value(text: &str) -> Option<&str> {
    let pair = text.split(';').next()?;
    let value = pair.split_once('=').map_or(pair, |(_, value)| value).trim().trim_matches('"');
    (!value.is_empty()).then_some(value)
}

/// The header value with the cookie's value withheld and unknown attributes left out.
pub fn withheld(text: &str) -> String {
    let Some(cookie) = parse(text) else { return WITHHELD.to_owned() };
    let mut kept = format!("{}={WITHHELD}", cookie.name);
    let mut add = |attribute: &str, value: Option<&str>| {
        kept.push_str("; ");
        kept.push_str(attribute);
        if let Some(value) = value {
            kept.push('=');
            kept.push_str(value);
        }
    };
    if let Some(domain) = &cookie.domain {
        add("Domain", Some(domain));
    }
    if let Some(path) = &cookie.path {
        add("Path", Some(path));
    }
    if let Some(expires) = &cookie.expires {
        add("Expires", Some(expires));
    }
    if let Some(max_age) = cookie.max_age {
        add("Max-Age", Some(&max_age.to_string()));
    }
    if cookie.secure {
        add("Secure", None);
    }
    if cookie.http_only {
        add("HttpOnly", None);
    }
    if let Some(same_site) = &cookie.same_site {
        add("SameSite", Some(same_site));
    }
    if cookie.partitioned {
        add("Partitioned", None);
    }
    kept
}

/// A path that does not begin with `/` is ignored by browsers in favour of the default.
fn path(value: &str) -> String {
    if value.starts_with('/') { shortened(value, 256) } else { String::new() }
}

/// A number too large for the type means "for ever", one too small "at once".
fn max_age(value: &str) -> Option<i64> {
    let (negative, digits) = value.strip_prefix('-').map_or((false, value), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse::<i64>().unwrap_or(i64::MAX);
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn attributes_count_and_names_and_values_do_not() {
        let cookie = parse("insecure_secure=secure-httponly-samesite=lax").unwrap();
        assert_eq!(cookie, SetCookie { name: "insecure_secure".into(), ..SetCookie::default() });
        let cookie =
            parse("sid=x; SECURE ;HttpOnly; samesite = Strict; Domain=.Example.TEST; Path=/a; Max-Age=-5; Path=b")
                .unwrap();
        assert!(cookie.secure && cookie.http_only);
        assert_eq!(cookie.same_site.as_deref(), Some("Strict"));
        assert_eq!(cookie.domain.as_deref(), Some("example.test"));
        assert_eq!(cookie.path.as_deref(), Some(""));
        assert_eq!(cookie.max_age, Some(-5));
        assert_eq!(parse("; Secure"), None);
        assert_eq!(parse("bare").unwrap().name, "");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_without_its_value(text in "\\PC{0,200}") {
            let _ = parse(&text);
            let _ = withheld(&text);
        }

        #[test]
        fn the_value_is_gone(name in "[a-z]{1,8}", value in "[A-Z0-9]{12,40}", rest in "(; (Secure|HttpOnly|Path=/x|Foo=bar))*") {
            let text = format!("{name}={value}{rest}");
            let cookie = parse(&text).unwrap();
            let stored = format!("{}{}", serde_json::to_string(&cookie).unwrap(), withheld(&text));
            prop_assert!(!stored.contains(&value));
            prop_assert_eq!(super::value(&text), Some(value.as_str()));
            prop_assert_eq!(cookie.secure, rest.contains("Secure"));
        }
    }
}
