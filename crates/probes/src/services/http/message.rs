//! Responses of HTTP/1.1 as bytes: when one is whole, and what is in it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::services::wire::{Enough, printable};

/// Most header lines read.
const MAX_HEADERS: usize = 100;
/// Most names of cookies kept.
const MAX_COOKIES: usize = 20;

/// A response as far as recognition needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub status: u16,
    /// Lower-case names; repeated headers are joined by a comma.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub(in super::super) json: Option<Value>,
    /// Whether more was announced than was read; `json` then holds the complete entries of what there is.
    pub(super) is_cut: bool,
    /// Names of cookies, which tell products apart; their values are secrets.
    pub(in super::super) cookies: Vec<String>,
}

/// Enough when the announced body is there, or when it is plain that this is no HTTP.
pub(super) fn complete(answer: &[u8]) -> Enough {
    if answer.len() >= 5 && !answer.starts_with(b"HTTP/") {
        return Enough::Yes;
    }
    let Some(end) = head_end(answer) else { return Enough::NotYet };
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let body = answer.len() - end;
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    Enough::when(match announced {
        Some(length) => body >= length,
        None => head.contains("chunked") && answer.ends_with(b"0\r\n\r\n"),
    })
}

fn head_end(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|part| part == b"\r\n\r\n").map(|at| at + 4)
}

/// Parses a response; `None` if it is no HTTP.
pub fn parse(answer: &[u8]) -> Option<Response> {
    let end = head_end(answer).unwrap_or(answer.len());
    let head = String::from_utf8_lossy(answer.get(..end)?);
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let version = first.next()?;
    if !matches!(version, "HTTP/1.0" | "HTTP/1.1" | "HTTP/2" | "HTTP/2.0") {
        return None;
    }
    let status: u16 = first.next()?.parse().ok().filter(|status| (100..1000).contains(status))?;
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut cookies = Vec::new();
    for line in lines.take(MAX_HEADERS) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        // Cookies are secrets; of one only the name is kept.
        if name == "set-cookie" {
            let cookie = value.split('=').next().unwrap_or_default().trim();
            if value.contains('=') && cookie.len() <= 80 && cookies.len() < MAX_COOKIES {
                cookies.push(printable(cookie.as_bytes(), 80));
            }
            continue;
        }
        if name.is_empty() || name.len() > 80 {
            continue;
        }
        let value = printable(value.trim().as_bytes(), 300);
        headers.entry(name).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
    }
    let raw = answer.get(end..).unwrap_or_default();
    let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding.contains("chunked"));
    let body = if chunked { dechunk(raw) } else { raw.to_vec() };
    let is_json = body.first().is_some_and(|byte| matches!(byte, b'{' | b'['));
    let whole = is_json.then(|| serde_json::from_slice(&body).ok()).flatten();
    let is_cut = whole.is_none() && complete(answer) == Enough::NotYet;
    let json = if is_json && is_cut { json_prefix(&body) } else { whole };
    Some(Response { status, headers, body, json, is_cut, cookies })
}

/// What is complete of JSON that was cut off: entries up to the last whole one, with everything that is open closed behind
/// it. `None` if no entry is complete.
fn json_prefix(body: &[u8]) -> Option<Value> {
    let (_, end) = json_open(body)?;
    let mut text = body.get(..end)?.to_vec();
    let (open, _) = json_open(&text)?;
    text.extend(open.iter().rev());
    serde_json::from_slice(&text).ok()
}

/// The brackets that would close what is open at the end of JSON, and where its last complete entry ends.
fn json_open(body: &[u8]) -> Option<(Vec<u8>, usize)> {
    /// As deep as the reader of JSON goes.
    const DEPTH: usize = 120;
    let (mut open, mut end, mut in_string, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => open.push(if *byte == b'[' { b']' } else { b'}' }),
            b']' | b'}' => {
                open.pop().filter(|closing| closing == byte)?;
                end = at + 1;
            }
            b',' => end = at,
            _ => {}
        }
        if open.len() > DEPTH {
            return None;
        }
    }
    (end > 0).then_some((open, end))
}

fn dechunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|part| part == b"\r\n") {
        let size = std::str::from_utf8(raw.get(..end).unwrap_or_default())
            .ok()
            .and_then(|text| usize::from_str_radix(text.split(';').next()?.trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0) else { break };
        let rest = raw.get(end + 2..).unwrap_or_default();
        let (chunk, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        body.extend_from_slice(chunk);
        raw = after.get(2..).unwrap_or_default();
    }
    body
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn responses_are_read() {
        let read = |text: &str| parse(text.as_bytes());
        let response = read("HTTP/1.1 401 Unauthorized\r\nSet-Cookie: s=secret\r\n\r\n").unwrap();
        assert_eq!((response.status, response.headers.contains_key("set-cookie")), (401, false));
        assert_eq!(response.cookies, ["s"], "of a cookie only the name is kept");
        let chunked =
            read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n").unwrap();
        assert_eq!(chunked.body, b"{\"a\":1}");
        assert!(read("SSH-2.0-x\r\n").is_none());
        assert!(read("HTTP/1.1 abc\r\n\r\n").is_none());
    }

    #[test]
    fn json_that_is_cut_off_is_read_up_to_its_last_whole_entry() {
        for (cut, entries) in [
            (r#"[{"index":"a"},{"index":"b"},{"ind"#, 2),
            (r#"["a","b","c"#, 2),
            (r#"["a,b","c]", "#, 2),
            (r#"["a\"","b","#, 2),
        ] {
            assert_eq!(json_prefix(cut.as_bytes()).unwrap().as_array().unwrap().len(), entries, "{cut}");
        }
        assert_eq!(json_prefix(b"[\"a"), None);
        assert_eq!(json_prefix(b"{\"error"), None);
        assert_eq!(json_prefix(b"[]]"), None);
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
            let _ = json_prefix(&bytes);
            let _ = json_prefix(text.as_bytes());
            for lead in ["", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n[{"] {
                let mut answer = lead.as_bytes().to_vec();
                answer.extend(&bytes);
                let _ = complete(&answer);
                if let Some(response) = parse(&answer) {
                    prop_assert!(response.headers.len() <= MAX_HEADERS);
                }
            }
        }
    }
}
