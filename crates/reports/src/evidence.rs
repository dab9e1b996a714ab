//! Evidence of a finding as HTML, drawn by its shape: named facts, a table, a list, a word.
//!
//! Evidence has no fixed form and comes from outside: everything in it is text and is escaped here, how deep it goes is
//! bounded. `ui/src/lib/evidence.ts` reads the same shapes for the web interface.

use std::fmt::{self, Write as _};

use chrono::DateTime;
use minijinja::HtmlEscape;
use serde_json::{Map, Value};

/// Structures below this depth are written as JSON: nobody reads a table in a table in a table.
const MAX_DEPTH: usize = 3;
/// Columns a table may have before its rows become facts.
const MAX_COLUMNS: usize = 5;
/// Rows, items and facts shown before the rest is folded away.
const FIRST: usize = 20;

/// Facts that say what the target sent, where null means that it sent nothing. Elsewhere null means that it was not
/// found out.
const ABSENT_WHEN_NULL: [&str; 9] = [
    "charset",
    "content_security_policy",
    "content_type",
    "header",
    "max_age",
    "redirects_to",
    "shared_prime",
    "title",
    "x_frame_options",
];

/// Columns that say what a row is about.
const NAMING: [&str; 6] = ["name", "path", "url", "where", "kind", "server"];

/// Evidence as HTML; `None` if there is none.
pub(crate) fn html(evidence: &Value) -> Option<String> {
    let mut out = String::new();
    match shape(evidence, "") {
        Shape::Unknown | Shape::None => return None,
        // Writing to a string cannot fail.
        Shape::Facts(_) => fact(&mut out, evidence, "", 0).ok()?,
        _ => {
            out.push_str("<div class=\"sole\">");
            fact(&mut out, evidence, "", 1).ok()?;
            out.push_str("</div>");
        }
    }
    Some(out)
}

enum Shape<'e> {
    Unknown,
    None,
    Word(&'static str),
    Number(String),
    Instant(&'e str, String),
    Text(&'e str),
    List(&'e [Value]),
    Table(Vec<&'e str>, Vec<&'e Map<String, Value>>),
    Facts(Vec<(&'e str, &'e Value)>),
}

fn shape<'e>(value: &'e Value, name: &str) -> Shape<'e> {
    match value {
        Value::Null if ABSENT_WHEN_NULL.contains(&name) => Shape::None,
        Value::Null => Shape::Unknown,
        Value::Bool(true) => Shape::Word("yes"),
        Value::Bool(false) => Shape::Word("no"),
        Value::Number(number) => Shape::Number(number.to_string()),
        Value::String(text) if text.is_empty() => Shape::None,
        Value::String(text) => instant(text).map_or(Shape::Text(text), |shown| Shape::Instant(text, shown)),
        Value::Array(items) => match items.as_slice() {
            [] => Shape::None,
            [only] if !only.is_object() && !only.is_array() => shape(only, name),
            items => table(items).unwrap_or(Shape::List(items)),
        },
        Value::Object(facts) if facts.is_empty() => Shape::None,
        // What has an inside of its own comes last: a fact after it would read as a part of it.
        Value::Object(facts) => {
            Shape::Facts(first(facts.iter().map(|(name, fact)| (name.as_str(), fact)), |(_, fact)| !is_wide(fact)))
        }
    }
}

/// The items as a table, if they are records with few columns.
fn table(items: &[Value]) -> Option<Shape<'_>> {
    let rows: Vec<&Map<String, Value>> = items.iter().map(Value::as_object).collect::<Option<_>>()?;
    let mut columns: Vec<&str> = Vec::new();
    for column in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(&column.as_str()) {
            columns.push(column);
        }
        if columns.len() > MAX_COLUMNS {
            return None;
        }
    }
    if columns.is_empty() {
        return None;
    }
    Some(Shape::Table(first(columns.into_iter(), |column| NAMING.contains(column)), rows))
}

/// `2026-11-22T08:00:00Z` as `2026-11-22 08:00:00 UTC`; `None` for any other text.
fn instant(text: &str) -> Option<String> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Whether a fact needs the whole width, with its name above it.
fn is_wide(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(Value::is_object),
        Value::Object(facts) => !facts.is_empty(),
        _ => false,
    }
}

/// Those that are wanted first, otherwise in their order.
fn first<T>(items: impl Iterator<Item = T>, wanted: impl Fn(&T) -> bool) -> Vec<T> {
    let (mut wanted, others): (Vec<T>, Vec<T>) = items.partition(wanted);
    wanted.extend(others);
    wanted
}

fn fact(out: &mut String, value: &Value, name: &str, depth: usize) -> fmt::Result {
    let shape = match shape(value, name) {
        Shape::List(_) | Shape::Table(..) | Shape::Facts(_) if depth >= MAX_DEPTH => {
            return raw(out, &value.to_string());
        }
        shape => shape,
    };
    match shape {
        Shape::Unknown => out.write_str("<span class=\"muted\">not known</span>"),
        Shape::None => out.write_str("<span class=\"muted\">none</span>"),
        Shape::Word(word) => out.write_str(word),
        Shape::Number(number) => raw(out, &number),
        Shape::Instant(exact, shown) => {
            write!(out, "<time datetime=\"{}\">{}</time>", HtmlEscape(exact), HtmlEscape(&shown))
        }
        Shape::Text(text) => raw(out, text),
        Shape::List(items) => in_parts(out, items, |out, items| {
            out.write_str("<ul>")?;
            for item in items {
                out.write_str("<li>")?;
                fact(out, item, name, depth + 1)?;
                out.write_str("</li>")?;
            }
            out.write_str("</ul>")
        }),
        Shape::Table(columns, rows) => in_parts(out, &rows, |out, rows| {
            out.write_str("<table><thead><tr>")?;
            for column in &columns {
                write!(out, "<th scope=\"col\">{}</th>", HtmlEscape(&fact_name(column)))?;
            }
            out.write_str("</tr></thead><tbody>")?;
            for row in rows {
                out.write_str("<tr>")?;
                for column in &columns {
                    out.write_str("<td>")?;
                    fact(out, row.get(*column).unwrap_or(&Value::Null), column, depth + 1)?;
                    out.write_str("</td>")?;
                }
                out.write_str("</tr>")?;
            }
            out.write_str("</tbody></table>")
        }),
        Shape::Facts(entries) => in_parts(out, &entries, |out, entries| {
            out.write_str("<dl>")?;
            for (name, value) in entries {
                let class = if is_wide(value) { " class=\"wide\"" } else { "" };
                write!(out, "<div><dt{class}>{}</dt><dd{class}>", HtmlEscape(&fact_name(name)))?;
                fact(out, value, name, depth + 1)?;
                out.write_str("</dd></div>")?;
            }
            out.write_str("</dl>")
        }),
    }
}

/// A text as it came.
fn raw(out: &mut String, text: &str) -> fmt::Result {
    write!(out, "<span class=\"raw\">{}</span>", HtmlEscape(text))
}

/// The first of many, and the rest folded away; on paper all of them are there.
fn in_parts<T>(out: &mut String, all: &[T], mut draw: impl FnMut(&mut String, &[T]) -> fmt::Result) -> fmt::Result {
    let (shown, rest) = all.split_at(all.len().min(FIRST));
    draw(out, shown)?;
    if rest.is_empty() {
        return Ok(());
    }
    write!(out, "<details class=\"rest\"><summary>Show the other {}</summary>", rest.len())?;
    draw(out, rest)?;
    out.write_str("</details>")
}

/// `not_after` as `Not after`, `sha256` as `SHA-256`, `x_frame_options` as `X-Frame-Options`.
fn fact_name(key: &str) -> String {
    let known = match key {
        "content_security_policy" => "Content-Security-Policy",
        "x_frame_options" => "X-Frame-Options",
        "sha256" => "SHA-256",
        "dav" => "WebDAV",
        "missing_issuer" => "Issuer that is missing",
        "meta_policies" => "Policies in <meta>",
        "https_port_tried" => "HTTPS port tried",
        "which" => "Which certificate",
        "" => "Value",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let words: Vec<&str> = key.split(['_', ' ']).filter(|word| !word.is_empty()).map(word).collect();
    let text = words.join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |initial| initial.to_uppercase().chain(letters).collect())
}

fn word(word: &str) -> &str {
    match word {
        "axfr" => "AXFR",
        "cname" => "CNAME",
        "dkim" => "DKIM",
        "dmarc" => "DMARC",
        "dns" => "DNS",
        "dnssec" => "DNSSEC",
        "html" => "HTML",
        "http" => "HTTP",
        "https" => "HTTPS",
        "id" => "ID",
        "ip" => "IP",
        "mx" => "MX",
        "ns" => "NS",
        "ocsp" => "OCSP",
        "rdap" => "RDAP",
        "spf" => "SPF",
        "ssh" => "SSH",
        "tcp" => "TCP",
        "tls" => "TLS",
        "ttl" => "TTL",
        "udp" => "UDP",
        "url" => "URL",
        "urls" => "URLs",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_shape_is_drawn_as_what_it_is() {
        let drawn = |value: Value| html(&value).unwrap();
        assert_eq!(
            drawn(json!({"days_left": -3, "expired": true, "header": null, "serial": null, "url": "https://a.test"})),
            "<dl><div><dt>Days left</dt><dd><span class=\"raw\">-3</span></dd></div>\
             <div><dt>Expired</dt><dd>yes</dd></div>\
             <div><dt>Header</dt><dd><span class=\"muted\">none</span></dd></div>\
             <div><dt>Serial</dt><dd><span class=\"muted\">not known</span></dd></div>\
             <div><dt>URL</dt><dd><span class=\"raw\">https:&#x2f;&#x2f;a.test</span></dd></div></dl>"
        );
        let table = drawn(json!({"cookies": [{"problem": "no Secure", "name": "a"}, {"name": "b"}], "port": 443}));
        assert!(table.starts_with("<dl><div><dt>Port</dt>"), "what is wide comes last: {table}");
        assert!(table.contains("<th scope=\"col\">Name</th><th scope=\"col\">Problem</th>"), "{table}");
        assert!(table.contains("<td><span class=\"muted\">not known</span></td>"), "{table}");
        let dated = drawn(json!({"not_after": "2026-11-22T08:00:00+01:00"}));
        assert!(dated.contains(">2026-11-22 07:00:00 UTC</time>"), "{dated}");
        assert!(drawn(json!({"names": ["a", "b"]})).contains("<ul><li>"));
        assert!(!drawn(json!({"names": ["a"]})).contains("<ul>"), "one of a list reads as itself");
        assert!(drawn(json!("word")).contains("class=\"sole\""));
        assert_eq!((html(&json!({})), html(&Value::Null), html(&json!([]))), (None, None, None));
    }

    #[test]
    fn what_is_many_is_folded_and_what_is_deep_is_json() {
        let many = html(&json!({"names": (0..25).collect::<Vec<u8>>()})).unwrap();
        assert!(many.contains("<summary>Show the other 5</summary>"), "{many}");
        assert_eq!(many.matches("<li>").count(), 25);
        let mut deep = json!("<bottom>");
        for _ in 0..100 {
            deep = json!({ "in": deep });
        }
        let drawn = html(&deep).unwrap();
        assert_eq!(drawn.matches("<dl>").count(), MAX_DEPTH);
        assert!(drawn.contains("&lt;bottom&gt;"));
    }

    #[test]
    fn names_and_values_from_outside_are_escaped() {
        let drawn = html(&json!({
            "<b>k": "<i>v</i>", "l": ["<u>", "\"'&"], "t": [{"<th>": "<td>", "n": {"<x>": [{"<y>": "<z>"}]}}],
        }))
        .unwrap();
        for markup in ["<b>", "<i>", "<u>", "<th>", "<x>", "<y>", "<z>", "\"'&"] {
            assert!(!drawn.contains(markup), "{markup} in {drawn}");
        }
    }
}
