//! Bad input, to every operation of the document: a 4xx that names the field, nothing stored, no 5xx.
//!
//! What is sent is made from the document, so that a new operation is covered as soon as it is in there.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bartizan_auth::{AccessTokens, Identity, SigningKey};
use bartizan_domain::Clock as _;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Answer, Options, TestApp};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::Method;
use serde_json::{Value, json};

use crate::documents::operations;
use crate::permissions::{concrete, example_body};

api_tests!(
    bodies_that_are_no_json_are_refused_by_every_operation,
    fields_of_wrong_types_are_named_by_every_operation,
    bodies_of_the_wrong_kind_or_size_are_refused_by_every_operation,
    parameters_that_make_no_sense_are_refused_by_every_operation,
    paths_that_make_no_sense_are_refused_by_every_operation,
    forged_and_expired_tokens_are_refused,
    ten_thousand_rows_with_formulas_are_imported_or_named,
);

/// Fields that hold whatever the caller likes, and fields whose rule the reference gives another status for.
const ANY_TYPE: &[(&str, &str)] = &[("bulk_update_assets", "risk_zone")];

/// An operation that reads a JSON body.
struct Reader {
    method: Method,
    path: String,
    id: String,
    example: Value,
}

impl Reader {
    async fn send(&self, actor: &Actor, body: impl Into<Vec<u8>>) -> Answer {
        let call = actor.request(self.method.clone(), &concrete(&self.path));
        call.body("application/json", body.into()).send().await
    }
}

fn readers() -> Vec<Reader> {
    let readers: Vec<Reader> = operations()
        .into_iter()
        .filter_map(|(method, path, operation)| {
            let example = example_body(&operation)?;
            let id = operation["operationId"].as_str().unwrap().to_owned();
            example.is_object().then_some(Reader { method, path, id, example })
        })
        .collect();
    assert!(readers.len() > 30, "{}", readers.len());
    readers
}

/// Every change of anything leaves an entry here: as many as before means that nothing was stored.
async fn entries(admin: &Actor) -> Value {
    admin.get("/api/audit?page_size=1").await.expect(200).json()["total"].clone()
}

/// What is wrong with an answer that should be a 422 about `field`.
fn complaint(answer: &Answer, field: &str) -> Option<String> {
    if answer.status != 422 {
        return Some(format!("{} {}", answer.status, answer.text()));
    }
    let fields = answer.fields();
    let named = fields.iter().any(|named| named == field || named.starts_with(&format!("{field} -> ")));
    (!named).then(|| format!("422 names {fields:?} and not `{field}`"))
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

async fn bodies_that_are_no_json_are_refused_by_every_operation() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let before = entries(&admin).await;
    let mut complaints = Vec::new();
    for reader in readers() {
        let whole = reader.example.to_string();
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let deep_object = "{\"a\":".repeat(50_000);
        let mut broken = whole.clone().into_bytes();
        broken.splice(1..1, *b"\"\xc3\x28\":1,");
        let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bodies: [(&str, Vec<u8>); 12] = [
            ("nothing", Vec::new()),
            ("half", whole.as_bytes()[..whole.len() - 1].to_vec()),
            ("twice", format!("{whole}{whole}").into_bytes()),
            ("a list", b"[1]".to_vec()),
            ("a text", b"\"x\"".to_vec()),
            ("a number", b"1e999999".to_vec()),
            ("null", b"null".to_vec()),
            ("deep lists", deep.into_bytes()),
            ("deep objects", deep_object.into_bytes()),
            ("broken UTF-8", broken),
            ("UTF-16", utf16),
            ("NUL", vec![0; 64]),
        ];
        for (what, body) in bodies {
            if let Some(complaint) = complaint(&reader.send(&admin, body).await, "body") {
                complaints.push(format!("{} with {what}: {complaint}", reader.id));
            }
        }
    }
    none(&complaints);
    assert_eq!(entries(&admin).await, before);
}

async fn fields_of_wrong_types_are_named_by_every_operation() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let before = entries(&admin).await;
    let mut complaints = Vec::new();
    for reader in readers() {
        let members = reader.example.as_object().unwrap();
        let mut unknown = members.clone();
        unknown.insert("no_such_field".to_owned(), json!(1));
        let answer = reader.send(&admin, Value::Object(unknown).to_string()).await;
        if let Some(complaint) = complaint(&answer, "body -> no_such_field") {
            complaints.push(format!("{} with an unknown field: {complaint}", reader.id));
        }
        for (name, value) in members {
            let field = format!("body -> {name}");
            let wrong = [json!({"no_such_field": 1}), json!([[[[]]]]), json!(-1.5e300), json!("\u{0}\u{202e}\u{ffff}")];
            for wrong in wrong {
                // A text is no wrong type for a text, nor a list of lists for who takes any list; those are tried below.
                if wrong.is_string() && value.is_string() || wrong.is_array() && value.is_array() {
                    continue;
                }
                let mut changed = members.clone();
                changed.insert(name.clone(), wrong.clone());
                let answer = reader.send(&admin, Value::Object(changed).to_string()).await;
                let free = ANY_TYPE.contains(&(&reader.id, name)) && answer.status == 400;
                if let Some(complaint) = complaint(&answer, &field).filter(|_| !free) {
                    complaints.push(format!("{} with {name} = {wrong}: {complaint}", reader.id));
                }
            }
            let twice = format!("{{{:?}:{value},{}", name, &reader.example.to_string()[1..]);
            if let Some(complaint) = complaint(&reader.send(&admin, twice).await, "body") {
                complaints.push(format!("{} with {name} twice: {complaint}", reader.id));
            }
        }
    }
    none(&complaints);
    assert_eq!(entries(&admin).await, before);
    // Texts that no database or terminal should be trusted with: refused, or kept as they are, and never a failure.
    for reader in readers() {
        for (name, value) in reader.example.as_object().unwrap() {
            for text in ["\u{0}", "a\u{0}b", "\u{1b}[2J", "\u{202e}", &"x".repeat(200_000), "'; DROP TABLE users; --"] {
                if !value.is_string() {
                    continue;
                }
                let mut changed = reader.example.clone();
                changed[name] = json!(text);
                let answer = reader.send(&admin, changed.to_string()).await;
                if answer.status >= 500 || text.contains('\u{0}') && answer.status < 300 {
                    complaints.push(format!(
                        "{} with {name} = {:?}: {}",
                        reader.id,
                        &text[..text.len().min(9)],
                        answer.status
                    ));
                }
            }
        }
    }
    none(&complaints);
}

async fn bodies_of_the_wrong_kind_or_size_are_refused_by_every_operation() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let before = entries(&admin).await;
    let mut complaints = Vec::new();
    for (method, path, operation) in operations() {
        let Some(example) = example_body(&operation) else { continue };
        let id = operation["operationId"].as_str().unwrap();
        let call = || admin.request(method.clone(), &concrete(&path));
        for media in
            ["text/plain", "application/x-www-form-urlencoded", "application/xml", "text/json", "application/jsonx", ""]
        {
            let answer = call().body(media, example.to_string()).send().await;
            if answer.status != 415 {
                complaints.push(format!("{id} as `{media}`: {} {}", answer.status, answer.text()));
            }
        }
        let large = " ".repeat(6 * 1024 * 1024);
        let json = call().body("application/json", large.clone()).send().await.status;
        let form = call().file(&large).send().await.status;
        let expected = if example.is_object() { (413, 415) } else { (415, 413) };
        if (json, form) != expected {
            complaints.push(format!("{id} with 6 MiB: {json} as JSON and {form} as a form"));
        }
    }
    none(&complaints);
    assert_eq!(entries(&admin).await, before);
}

/// The query parameters of an operation.
fn parameters<'o>(operation: &'o Value, place: &str) -> Vec<&'o str> {
    let all = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter(|p| p["in"] == place).map(|p| p["name"].as_str().unwrap()).collect()
}

async fn parameters_that_make_no_sense_are_refused_by_every_operation() {
    let mut options = Options::default();
    options.http.exports_per_minute = 100_000;
    let app = TestApp::with(options).await;
    let admin = app.admin().await;
    let mut complaints = Vec::new();
    let mut lists = 0;
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        let names = parameters(&operation, "query");
        let documented: BTreeSet<&str> =
            operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
        if names.is_empty() || method != Method::GET {
            continue;
        }
        let get = |query: String| {
            let (admin, path) = (admin.clone(), format!("{}?{query}", concrete(&path)));
            async move { admin.request(Method::GET, &path).open().await.status }
        };
        // Where a parameter is required, a call without it is refused for that; it is still refused.
        let answer = admin.get(&format!("{}?no_such_parameter=1", concrete(&path))).await;
        if let Some(complaint) = complaint(&answer, "query") {
            complaints.push(format!("{id} with an unknown parameter: {complaint}"));
        }
        for name in &names {
            let long = format!("{name}={}", "x".repeat(20_000));
            let many = vec![format!("{name}=x"); 500].join("&");
            for query in [
                "%00",
                "a%00b",
                "%ff%fe",
                "-1",
                "99999999999999999999999",
                "%F0%9F%92%A9",
                "'%22%3B--",
                "%25_%5C",
                "0001-01-01T00:00:00Z",
                "+999999-01-01T00:00:00Z",
                "-9999-01-01",
                "-9999-01-01T00:00:00Z",
                "NaN",
            ]
            .map(|value| format!("{name}={value}"))
            .into_iter()
            .chain([long, many])
            {
                let status = get(query.clone()).await;
                if status >= 500 || !documented.contains(status.to_string().as_str()) {
                    complaints.push(format!("{id} with {}: {status}", &query[..query.len().min(40)]));
                }
            }
        }
        if names.contains(&"page") {
            lists += 1;
            for (query, field) in [
                ("page=0", "query -> page"),
                ("page=-1", "query -> page"),
                ("page=1.5", "query -> page"),
                ("page=18446744073709551616", "query -> page"),
                ("page_size=0", "query -> page_size"),
                ("page_size=501", "query -> page_size"),
                ("page_size=ten", "query -> page_size"),
                ("sort=password_hash", "query -> sort"),
                ("sort=id;drop", "query -> sort"),
                ("sort_dir=sideways", "query -> sort_dir"),
            ] {
                let answer = admin.get(&format!("{}?{query}", concrete(&path))).await;
                if let Some(complaint) = complaint(&answer, field) {
                    complaints.push(format!("{id} with {query}: {complaint}"));
                }
            }
        }
    }
    none(&complaints);
    assert!(lists >= 8, "{lists}");
    let long = format!("/api/assets?search={}", "x".repeat(65_000));
    assert_eq!(admin.get(&long).await.expect(422).fields(), ["query -> search"]);
    assert_eq!(admin.get("/api/assets?search=%ff%fe").await.expect(422).fields(), ["query -> search"]);
}

async fn paths_that_make_no_sense_are_refused_by_every_operation() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let before = entries(&admin).await;
    let mut complaints = Vec::new();
    let mut tried = 0;
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        let names = parameters(&operation, "path");
        for name in &names {
            for value in [
                "%00",
                "..%2f..%2f..%2fetc%2fpasswd",
                "..%5c..%5cwindows",
                "%2e%2e",
                "%2e%2e%2f%2e%2e%2fapi%2fusers",
                "%ff%fe",
                "-1",
                "99999999999999999999999",
                "%27%20or%201=1--",
                "%F0%9F%92%A9",
                "a%0d%0aX-Injected:%201",
                "{}",
                "%7B%7D",
                &"x".repeat(5_000),
            ] {
                let path = concrete(&path.replace(&format!("{{{name}}}"), value));
                let call = admin.request(method.clone(), &path.replace("{}", "%7B%7D"));
                let answer = match example_body(&operation) {
                    Some(body) if body.is_object() => call.json(&body).send().await,
                    Some(_) => call.file("").send().await,
                    None => call.send().await,
                };
                tried += 1;
                if !matches!(answer.status, 404 | 422) || answer.headers.contains_key("x-injected") {
                    let value = &value[..value.len().min(30)];
                    complaints.push(format!("{id} with {name} = {value}: {} {}", answer.status, answer.text()));
                }
            }
        }
    }
    none(&complaints);
    assert!(tried > 300, "{tried}");
    assert_eq!(entries(&admin).await, before);
    for path in [
        "/ui/../Cargo.toml",
        "/ui/..%2f..%2fetc%2fpasswd",
        "/ui/%2e%2e/%2e%2e/etc/passwd",
        "/api/docs/..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/api//users/",
    ] {
        let answer = app.anonymous().get(path).await;
        assert!(answer.status < 500 && !answer.text().contains("root:"), "{path}: {}", answer.status);
    }
}

async fn forged_and_expired_tokens_are_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let _ = admin.get("/api/auth/me").await.expect(200);
    let real = admin.token().to_owned();
    let parts: Vec<&str> = real.split('.').collect();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let id = |name: &str| claims[name].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
    let identity = Identity { user: id("sub").into(), session: id("sid").into(), organization: id("org").into() };
    let foreign = AccessTokens::new(&SigningKey::random()).issue(&identity, app.clock.now()).token;
    let header = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let mut raised = claims.clone();
    raised["exp"] = json!(99_999_999_999_u64);
    let raised = BASE64_URL_SAFE_NO_PAD.encode(raised.to_string());
    let (payload, signature) = (parts[1], parts[2]);
    let mut forged = vec![
        foreign,
        format!("{}.{payload}.", header(r#"{"alg":"none","typ":"JWT"}"#)),
        format!("{}.{payload}.{signature}", header(r#"{"alg":"none","typ":"JWT"}"#)),
        format!("{}.{payload}.{signature}", header(r#"{"alg":"NoNe","typ":"JWT"}"#)),
        format!("{}.{payload}.{signature}", header(r#"{"alg":"HS512","typ":"JWT"}"#)),
        format!("{}.{payload}.{signature}", header(r#"{"alg":"RS256","typ":"JWT"}"#)),
        format!("{}.{payload}.{signature}", header(r#"{"alg":"HS256","jwk":{"kty":"oct","k":""},"typ":"JWT"}"#)),
        format!("{}.{payload}.{signature}", header(r#"{"alg":"HS256","kid":"../../dev/null","typ":"JWT"}"#)),
        format!("{}.{raised}.{signature}", parts[0]),
        format!("{}.{payload}.", parts[0]),
        format!("{}.{payload}", parts[0]),
        format!("{real}x"),
        format!("{real}.x"),
        real[..real.len() - 2].to_owned(),
        String::new(),
        "null".to_owned(),
        "x".repeat(7_000),
    ];
    let mut text = String::new();
    write!(text, "{}..", parts[0]).unwrap();
    forged.push(text);
    for token in forged {
        let answer = app.bearer(&token).get("/api/auth/me").await;
        assert_eq!(answer.status, 401, "{}: {}", &token[..token.len().min(60)], answer.text());
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    for scheme in ["Basic YWRtaW46eA==", "Bearer", "Token x", "bearer\t", "Bearer a b"] {
        let call = app.anonymous().request(Method::GET, "/api/auth/me").header("authorization", scheme);
        assert_eq!(call.send().await.status, 401, "{scheme}");
    }
    for key in ["", "btz_", "btz_0000", "x", &"x".repeat(7_000), "' or 1=1 --"] {
        assert_eq!(app.key(key).get("/api/auth/me").await.status, 401, "{key}");
    }
    // A wrong bearer is not made up for by a right key.
    let key = admin.post("/api/api-keys", &json!({"name": "k"})).await.expect(201).json()["key"].clone();
    let key = key.as_str().unwrap();
    let _ = app.key(key).get("/api/auth/me").await.expect(200);
    let both = app.key(key).request(Method::GET, "/api/auth/me").header("authorization", "Bearer x");
    let _ = both.send().await.expect(401);
    app.clock.advance(chrono::Duration::minutes(30));
    let _ = admin.get("/api/auth/me").await.expect(401);
}

async fn ten_thousand_rows_with_formulas_are_imported_or_named() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let call = || analyst.request(Method::POST, "/api/assets/import");
    let mut csv = "name,target_type,target_value,tags\n".to_owned();
    for row in 0..10_000 {
        let name = ["=HYPERLINK(\"\"http://evil.example\"\")", "+1", "-1", "@SUM(A1)", "\tx"][row % 5];
        let target = if row % 100 == 99 { "not a target".to_owned() } else { format!("h{row}.example.com") };
        writeln!(csv, "\"{name} {row}\",domain,{target},pci").unwrap();
    }
    let too_many = format!("{csv}x,domain,one-more.example.com,\n");
    assert_eq!(call().file(&too_many).send().await.expect(422).fields(), ["body -> file"]);
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 0);
    let done = call().file(&csv).send().await.expect(200).json();
    // Four of five names are formulas; of the others, every twentieth target is none.
    assert_eq!((&done["rows"], &done["created"], &done["invalid"]), (&json!(10_000), &json!(1_900), &json!(8_100)));
    assert_eq!((&done["errors"][0]["row"], &done["errors"][0]["field"]), (&json!(2), &json!("name")));
    // An apostrophe says that a text is meant, as in what is exported.
    let marked = csv.replace("\n\"", "\n\"'");
    let again = call().file(&marked).send().await.expect(200).json();
    assert_eq!((&again["created"], &again["duplicates"]), (&json!(8_000), &json!(1_900)));
    assert_eq!((&again["errors"][0]["row"], &again["errors"][0]["field"]), (&json!(6), &json!("target_value")));
    for bad in [
        &b"name,target_type,target_value\n\xff\xfe,domain,x.example.com\n"[..],
        b"name,name\nx,y\n",
        b"",
        b"\0\0\0\0",
        b"target_type,target_value\n\"unclosed",
        b"PK\x03\x04 a spreadsheet",
    ] {
        let answer = call().file(bad).send().await;
        assert!(answer.status == 422 || answer.json()["created"] == 0, "{} {}", answer.status, answer.text());
    }
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 9_900);
}
