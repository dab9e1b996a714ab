//! MongoDB's wire protocol, as far as three harmless commands need it: `isMaster`, `buildInfo`, `listDatabases`.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::wire::{Channel, Cursor, Dialer, Enough, printable};
use super::{evidence, signatures};

const OP_REPLY: u32 = 1;
const OP_QUERY: u32 = 2004;
const OP_MSG: u32 = 2013;
/// Code of the error `Unauthorized`.
const UNAUTHORIZED: f64 = 13.0;

/// Says hello, and asks for the version and for the names of the databases, of which only the number is kept.
pub async fn mongodb(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    // Servers before 3.6 know nothing else, and all later ones still take this one command in this form.
    let mut query = 0_u32.to_le_bytes().to_vec();
    query.extend_from_slice(b"admin.$cmd\0");
    query.extend_from_slice(&0_u32.to_le_bytes());
    query.extend_from_slice(&u32::MAX.to_le_bytes());
    query.extend(document(&[("isMaster", Item::Int(1))]));
    let answer = channel.ask(&message(1, OP_QUERY, &query), complete).await?;
    let Some(hello) = reply(&answer) else { return Ok(None) };
    if !hello.iter().any(|(name, _)| matches!(name.as_str(), "maxWireVersion" | "ismaster" | "isWritablePrimary")) {
        return Ok(None);
    }
    let mut found = evidence("mongodb");
    let build = command(&mut channel, 2, "buildInfo").await.unwrap_or_default();
    product(&mut found, &answer, &build);
    found.access = match command(&mut channel, 3, "listDatabases").await {
        Some(fields) => judge_access(&fields),
        None => Access::Unknown { reason: "listDatabases was not answered".to_owned() },
    };
    Ok(Some(found))
}

/// The product behind a server's hello and its `buildInfo`. What is compatible states a version of MongoDB for the sake of
/// clients; MongoDB itself states the revision that it was built from, which the hosted ones do not.
fn product(found: &mut ServiceEvidence, hello: &[u8], build: &[(String, Item)]) {
    let names = |host: &[u8]| hello.windows(host.len()).any(|part| part == host);
    let ferret = text(build, "ferretdbVersion").or_else(|| text(build, "ferretdb.version"));
    if let Some(version) = ferret {
        signatures::set(found, "FerretDB", Some(version.trim_start_matches('v')), None);
    } else if names(b"docdb.amazonaws.com") {
        signatures::set(found, "Amazon DocumentDB", None, None);
    } else if names(b"cosmos.azure.com") {
        signatures::set(found, "Azure Cosmos DB for MongoDB", None, None);
    } else if build.is_empty() {
        // Refused or not answered: nothing speaks against the usual one, and nothing tells its version.
        signatures::set(found, "MongoDB", None, Some("mongodb:mongodb"));
    } else if text(build, "gitVersion").is_some() {
        signatures::set(found, "MongoDB", text(build, "version").as_deref(), Some("mongodb:mongodb"));
    }
}

fn judge_access(fields: &[(String, Item)]) -> Access {
    let number = |name: &str| {
        fields.iter().find(|(field, _)| field == name).and_then(|(_, item)| match item {
            Item::Number(number) => Some(*number),
            _ => None,
        })
    };
    match (number("ok"), number("code")) {
        (Some(1.0), _) => {
            let count = fields.iter().find_map(|(name, item)| match item {
                Item::Entries(count) if name == "databases" => Some(*count),
                _ => None,
            });
            Access::Open {
                proof: format!("listDatabases answered without credentials: {} databases", count.unwrap_or_default()),
            }
        }
        (_, Some(code)) if code == UNAUTHORIZED => {
            Access::AuthRequired { proof: "listDatabases answered: Unauthorized (code 13)".to_owned() }
        }
        _ => {
            let said = text(fields, "errmsg").unwrap_or_else(|| "something unexpected".to_owned());
            // Older servers state the refusal in words only.
            if said.contains("not authorized") || said.contains("requires authentication") {
                Access::AuthRequired { proof: format!("listDatabases answered: {said}") }
            } else {
                Access::Unknown { reason: format!("listDatabases answered: {said}") }
            }
        }
    }
}

async fn command(channel: &mut Channel, id: u32, name: &str) -> Option<Vec<(String, Item)>> {
    let mut body = vec![0, 0, 0, 0, 0];
    let mut fields = vec![(name, Item::Int(1)), ("$db", Item::Text("admin".to_owned()))];
    if name == "listDatabases" {
        fields.insert(1, ("nameOnly", Item::Int(1)));
    }
    body.extend(document(&fields));
    let answer = channel.ask(&message(id, OP_MSG, &body), complete).await.ok()?;
    reply(&answer)
}

/// A value of a document, as far as it is needed.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Int(i32),
    Number(f64),
    Text(String),
    /// An array or a document: how many entries it has.
    Entries(usize),
    Other,
}

fn text(fields: &[(String, Item)], name: &str) -> Option<String> {
    fields.iter().find(|(field, _)| field == name).and_then(|(_, item)| match item {
        Item::Text(text) => Some(text.clone()),
        _ => None,
    })
}

fn message(id: u32, operation: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap_or_default();
    let mut out = Vec::with_capacity(16 + body.len());
    for number in [length, id, 0, operation] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(body);
    out
}

fn document(fields: &[(&str, Item)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, item) in fields {
        match item {
            Item::Int(number) => {
                body.push(0x10);
                body.extend_from_slice(name.as_bytes());
                body.push(0);
                body.extend_from_slice(&number.to_le_bytes());
            }
            Item::Text(text) => {
                body.push(2);
                body.extend_from_slice(name.as_bytes());
                body.push(0);
                body.extend_from_slice(&u32::try_from(text.len() + 1).unwrap_or_default().to_le_bytes());
                body.extend_from_slice(text.as_bytes());
                body.push(0);
            }
            Item::Number(_) | Item::Entries(_) | Item::Other => {}
        }
    }
    body.push(0);
    let mut out = u32::try_from(body.len() + 4).unwrap_or_default().to_le_bytes().to_vec();
    out.extend(body);
    out
}

fn complete(answer: &[u8]) -> Enough {
    let length = Cursor(answer).le32().and_then(|length| usize::try_from(length).ok());
    Enough::when(length.is_some_and(|length| answer.len() >= length))
}

/// The fields of the document in a server's reply; `None` if it is no such reply.
pub fn reply(answer: &[u8]) -> Option<Vec<(String, Item)>> {
    let mut cursor = Cursor(answer);
    let _length = cursor.le32()?;
    let _id = cursor.le32()?;
    let _to = cursor.le32()?;
    match cursor.le32()? {
        OP_REPLY => drop(cursor.take(20)?),
        OP_MSG => drop(cursor.take(5)?),
        _ => return None,
    }
    fields(cursor.0)
}

/// The fields of a BSON document; of documents within it the texts, as `outer.inner`.
fn fields(bytes: &[u8]) -> Option<Vec<(String, Item)>> {
    fields_within(bytes, 1)
}

fn fields_within(bytes: &[u8], depth: usize) -> Option<Vec<(String, Item)>> {
    let mut cursor = Cursor(bytes);
    let length = usize::try_from(cursor.le32()?).ok()?.checked_sub(4)?;
    let mut cursor = Cursor(cursor.take(length)?);
    let mut out = Vec::new();
    while out.len() < 200 {
        let kind = cursor.u8()?;
        if kind == 0 {
            break;
        }
        let name = printable(cursor.c_string()?, 60);
        let item = match kind {
            0x01 => Item::Number(f64::from_le_bytes(cursor.take(8)?.try_into().ok()?)),
            0x02 => {
                let length = usize::try_from(cursor.le32()?).ok()?;
                Item::Text(printable(cursor.take(length)?, 160))
            }
            0x03 | 0x04 => {
                let length = usize::try_from(Cursor(cursor.0).le32()?).ok()?;
                let inner = cursor.take(length)?;
                if kind == 3 && depth > 0 {
                    let texts = fields_within(inner, depth - 1).unwrap_or_default().into_iter();
                    let texts = texts.filter(|(_, item)| matches!(item, Item::Text(_)));
                    out.extend(texts.map(|(field, item)| (format!("{name}.{field}"), item)));
                }
                Item::Entries(entries(inner))
            }
            0x05 => {
                let length = usize::try_from(cursor.le32()?).ok()?;
                cursor.take(length.checked_add(1)?)?;
                Item::Other
            }
            0x07 => {
                cursor.take(12)?;
                Item::Other
            }
            0x08 => Item::Number(f64::from(cursor.u8()?)),
            0x09 | 0x11 => {
                cursor.take(8)?;
                Item::Other
            }
            0x0a => Item::Other,
            0x10 => Item::Number(f64::from(cursor.le32()?.cast_signed())),
            0x12 => {
                let number = i64::from_le_bytes(cursor.take(8)?.try_into().ok()?);
                #[expect(clippy::cast_precision_loss, reason = "compared with small codes only")]
                Item::Number(number as f64)
            }
            _ => return None,
        };
        out.push((name, item));
    }
    Some(out)
}

/// How many documents an array holds; enough for databases, of which each is one.
fn entries(bytes: &[u8]) -> usize {
    let mut cursor = Cursor(bytes);
    let _ = cursor.le32();
    let mut count = 0;
    while let Some(3) = cursor.u8() {
        let Some(_) = cursor.c_string() else { break };
        let Some(length) = Cursor(cursor.0).le32().and_then(|length| usize::try_from(length).ok()) else { break };
        if length < 5 || cursor.take(length).is_none() {
            break;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn replies_are_read_and_access_is_judged() {
        let mut body = vec![0, 0, 0, 0, 0];
        body.extend(document(&[("errmsg", Item::Text("no".into())), ("code", Item::Int(13)), ("ok", Item::Int(0))]));
        let fields = reply(&message(1, OP_MSG, &body)).unwrap();
        assert!(matches!(judge_access(&fields), Access::AuthRequired { .. }));
        let mut body = vec![0, 0, 0, 0, 0];
        body.extend(document(&[("ok", Item::Int(1))]));
        assert!(matches!(judge_access(&reply(&message(1, OP_MSG, &body)).unwrap()), Access::Open { .. }));
        assert!(matches!(judge_access(&[]), Access::Unknown { .. }));
    }

    #[test]
    fn what_is_compatible_is_not_the_original() {
        let said = |text: &str| Item::Text(text.to_owned());
        for (hello, build, product_name, version) in [
            (&b""[..], vec![("version", said("7.0.14")), ("gitVersion", said("abc"))], Some("MongoDB"), Some("7.0.14")),
            (b"", vec![], Some("MongoDB"), None),
            (b"", vec![("version", said("5.0.0"))], None, None),
            (
                b"",
                vec![("version", said("7.0.42")), ("gitVersion", said("x")), ("ferretdbVersion", said("v1.24.0"))],
                Some("FerretDB"),
                Some("1.24.0"),
            ),
            (b"x.cluster.docdb.amazonaws.com:27017", vec![("version", said("5.0.0"))], Some("Amazon DocumentDB"), None),
        ] {
            let body = [vec![0; 5], document(&build)].concat();
            let build = if build.is_empty() { Vec::new() } else { reply(&message(1, OP_MSG, &body)).unwrap() };
            let mut found = evidence("mongodb");
            product(&mut found, hello, &build);
            assert_eq!((found.product.as_deref(), found.version.as_deref()), (product_name, version));
        }
        // FerretDB 2 states it in a document of its own.
        let mut inner = vec![3];
        inner.extend(b"ferretdb\0");
        inner.extend(document(&[("version", said("v2.0.0"))]));
        let mut outer = u32::try_from(inner.len() + 5).unwrap().to_le_bytes().to_vec();
        outer.extend(inner);
        outer.push(0);
        assert_eq!(text(&fields(&outer).unwrap(), "ferretdb.version").as_deref(), Some("v2.0.0"));
    }

    proptest! {
        #[test]
        fn hostile_replies_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = reply(&bytes);
            let _ = complete(&bytes);
            let mut framed = message(1, OP_MSG, &[0; 5]);
            framed.extend(&bytes);
            let _ = reply(&framed);
            let _ = entries(&bytes);
        }
    }
}
