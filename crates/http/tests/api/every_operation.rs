//! Every operation succeeds once for an administrator on real data, and its answer is what the document says.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_auth::Totp;
use bartizan_domain::Clock as _;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Answer, PASSWORD, TestApp};
use hyper::Method;
use serde_json::{Value, json};

use crate::documents::operations;
use crate::isolation;
use crate::permissions::example_body;
use crate::scans::{scanned, shop, with_shop};

api_tests!(every_operation_succeeds_and_answers_as_documented);

/// Operations that need a service of others to succeed; the tests of their noun run them against real ones.
const ELSEWHERE: &[&str] = &[
    // A mail server: `mail.rs` and `password_resets.rs`.
    "test_mail_settings",
    // An identity provider: `oidc.rs`.
    "authorize_oidc",
    "exchange_oidc_code",
    "reset_password",
];

/// Operations that end what the others need: called last, in this order.
const LAST: [&str; 4] = ["delete_demo_data", "delete_other_sessions", "update_password", "logout_user"];

/// What is sent with a call.
enum Sent {
    Nothing,
    Json(Value),
    File(&'static [u8]),
}

/// Calls operations by their id and holds the answers against the document.
struct Witness {
    document: Value,
    operations: BTreeMap<String, (Method, String, Value)>,
    rows: BTreeMap<&'static str, String>,
    succeeded: BTreeSet<String>,
    complaints: Vec<String>,
}

impl Witness {
    fn new() -> Self {
        let by_id = |(method, path, operation): (Method, String, Value)| {
            (operation["operationId"].as_str().unwrap().to_owned(), (method, path, operation))
        };
        Self {
            document: serde_json::from_str(&bartizan_http::openapi_json()).unwrap(),
            operations: operations().into_iter().map(by_id).collect(),
            rows: BTreeMap::new(),
            succeeded: BTreeSet::new(),
            complaints: Vec::new(),
        }
    }

    /// Calls an operation with the body of its example.
    async fn call(&mut self, actor: &Actor, id: &str) -> Answer {
        let sent = match example_body(&self.operations[id].2) {
            Some(Value::Null) => panic!("{id}: say which file it takes"),
            Some(body) => Sent::Json(body),
            None => Sent::Nothing,
        };
        self.call_with(actor, id, "", sent).await
    }

    async fn json(&mut self, actor: &Actor, id: &str, body: Value) -> Answer {
        self.call_with(actor, id, "", Sent::Json(body)).await
    }

    async fn call_with(&mut self, actor: &Actor, id: &str, query: &str, sent: Sent) -> Answer {
        let (method, template, operation) =
            self.operations.get(id).unwrap_or_else(|| panic!("no operation {id}")).clone();
        let mut path = template.clone();
        for (name, value) in &self.rows {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "{id}: make a row for {path}");
        let call = actor.request(method, &format!("{path}{query}"));
        let call = match sent {
            Sent::Nothing => call,
            Sent::Json(body) => call.json(&body),
            Sent::File(bytes) => call.file(bytes),
        };
        let answer = call.send().await;
        if (200..300).contains(&answer.status) {
            self.succeeded.insert(id.to_owned());
        } else {
            self.complaints.push(format!("{id}: {} {}", answer.status, answer.text()));
        }
        if let Err(complaint) = documented(&self.document, &operation, &answer) {
            self.complaints.push(format!("{id}: {complaint}"));
        }
        answer
    }
}

/// Whether an answer is one that the document says the operation gives.
pub fn documented(document: &Value, operation: &Value, answer: &Answer) -> Result<(), String> {
    let response = &operation["responses"][answer.status.to_string()];
    if response.is_null() {
        return Err(format!("{} is not documented", answer.status));
    }
    let Some(content) = response["content"].as_object() else {
        return if answer.body.is_empty() { Ok(()) } else { Err("a body where none is documented".to_owned()) };
    };
    let media = answer.header("content-type").split(';').next().unwrap_or_default().trim().to_owned();
    let Some(described) = content.get(&media) else {
        return Err(format!("`{media}` is not documented, only {:?}", content.keys().collect::<Vec<_>>()));
    };
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        if answer.header(&name.to_lowercase()).is_empty() && header["required"] != json!(false) {
            return Err(format!("the header {name} is documented and missing"));
        }
    }
    if media != "application/json" {
        return Ok(());
    }
    let mut schema = described["schema"].clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).map_err(|error| format!("schema: {error}"))?;
    let body = answer.json();
    let errors: Vec<String> =
        validator.iter_errors(&body).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(format!("not as documented: {}", errors.join("; "))) }
}

async fn every_operation_succeeds_and_answers_as_documented() {
    let app = with_shop().await;
    let admin = app.admin().await;
    let mut witness = Witness::new();
    witness.rows = isolation::rows(&app, &admin).await;
    let checks = admin.get("/api/checks").await.expect(200).json();
    let check = checks.pointer("/data/0/id").or_else(|| checks.pointer("/0/id")).unwrap();
    witness.rows.insert("check_id", check.as_str().unwrap().to_owned());
    witness.rows.insert("asset_type", "favicon".to_owned());

    signing_in(&app, &mut witness).await;
    invitations(&app, &admin, &mut witness).await;
    work_that_waits(&mut witness).await;
    second_factors(&app, &mut witness).await;
    particular(&app, &admin, &mut witness).await;
    everything_else(&admin, &mut witness).await;

    assert!(witness.complaints.is_empty(), "{}", witness.complaints.join("\n"));
    let all: BTreeSet<String> = witness.operations.keys().cloned().collect();
    let left: Vec<&String> =
        all.difference(&witness.succeeded).filter(|id| !ELSEWHERE.contains(&id.as_str())).collect();
    assert!(left.is_empty(), "no success of {left:?}");
    for id in ELSEWHERE {
        assert!(all.contains(*id), "{id} is excused and does not exist");
    }
}

async fn signing_in(app: &TestApp, witness: &mut Witness) {
    let blank = TestApp::blank().await;
    let setup = json!({"username": "admin", "email": "admin@example.test", "password": PASSWORD,
        "organization_name": "Example", "allow_private": true});
    witness.json(&blank.anonymous(), "setup_server", setup).await;
    let anyone = app.anonymous();
    let login = json!({"username": "admin-example", "password": PASSWORD});
    let signed_in = witness.json(&anyone, "login_user", login).await.json();
    let token = json!({"refresh_token": signed_in["refresh_token"]});
    witness.json(&anyone, "refresh_session", token).await;
}

async fn invitations(app: &TestApp, admin: &Actor, witness: &mut Witness) {
    let body = json!({"email": "ada@example.test", "role": "analyst"});
    let token = json!({"token": witness.json(admin, "create_invitation", body).await.json()["token"]});
    witness.json(&app.anonymous(), "preview_invitation", token.clone()).await;
    let accept = json!({"token": token["token"], "username": "ada", "password": PASSWORD});
    witness.json(&app.anonymous(), "accept_invitation", accept).await;
    let outsider = app.outsider().await;
    let body = json!({"email": "admin-another@example.test", "role": "analyst"});
    let token = json!({"token": admin.post("/api/invitations", &body).await.expect(201).json()["token"]});
    witness.json(&outsider, "join_organization", token).await;
}

/// On a server without a worker, where what is queued stays so.
async fn work_that_waits(witness: &mut Witness) {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let known = witness.rows.clone();
    let scan = witness.json(&admin, "create_scan", shop()).await.json();
    witness.rows.insert("scan_id", scan["id"].to_string());
    witness.call(&admin, "cancel_scan").await;
    let _ = admin.post("/api/scans", &shop()).await.expect(202);
    let jobs = admin.get("/api/jobs?kind=scan&status=queued").await.expect(200).json();
    witness.rows.insert("job_id", jobs["data"][0]["id"].as_str().unwrap().to_owned());
    witness.call(&admin, "cancel_job").await;
    // What is tried again is any work but a scan; there is none yet that an organisation begins.
    app.damage("UPDATE jobs SET kind = 'report' WHERE status = 'cancelled'").await;
    witness.call(&admin, "retry_job").await;
    witness.rows = known;
}

async fn second_factors(app: &TestApp, witness: &mut Witness) {
    let analyst = app.analyst().await;
    let password = json!({"current_password": PASSWORD});
    for rounds in [1, 2] {
        let begun = witness.json(&analyst, "create_second_factor", password.clone()).await.json();
        let totp = Totp::from_base32(&begun["secret"].as_str().unwrap().into()).unwrap();
        let code = json!({"code": totp.code(app.clock.now())});
        witness.json(&analyst, "confirm_second_factor", code).await;
        if rounds == 1 {
            app.clock.advance(chrono::Duration::seconds(30));
            let code = json!({"code": totp.code(app.clock.now())});
            witness.json(&analyst, "create_recovery_codes", code).await;
            witness.json(&analyst, "delete_second_factor", password.clone()).await;
            // A code is good once.
            app.clock.advance(chrono::Duration::seconds(30));
        }
    }
    let known = witness.rows.insert("user_id", app.analyst_id().await.to_string()).unwrap();
    witness.call(&app.admin().await, "delete_user_second_factor").await;
    witness.rows.insert("user_id", known);
}

/// Operations whose example cannot know the data.
async fn particular(app: &TestApp, admin: &Actor, witness: &mut Witness) {
    let asset = witness.json(admin, "create_asset", json!({"target_value": "new.example.com"})).await.json();
    witness.json(admin, "bulk_update_assets", json!({"asset_ids": [asset["id"]], "add_tags": ["pci"]})).await;
    witness.call_with(admin, "import_assets", "", Sent::File(b"target_type,target_value\nip,192.0.2.9\n")).await;
    witness.call_with(admin, "update_branding_asset", "", Sent::File(crate::branding::DOT)).await;
    let schedule = json!({"name": "Nightly", "cron": "0 3 * * *", "time_zone": "UTC",
        "scan": {"asset_ids": [asset["id"]], "scan_type": "full"}});
    witness.json(admin, "create_schedule", schedule).await;
    witness.json(admin, "update_schedule", json!({"cron": "30 3 * * *"})).await;
    witness.call_with(admin, "preview_schedule", "?cron=0%203%20*%20*%20*&time_zone=UTC", Sent::Nothing).await;
    witness.json(admin, "update_mail_settings", json!({"from_name": "Watch"})).await;
    witness.json(&app.anonymous(), "request_password_reset", json!({"email": "nobody@example.test"})).await;
    let findings = json!({"finding_ids": [witness.rows["finding_id"]], "status": "in_progress"});
    witness.json(admin, "bulk_update_findings", findings).await;
    let organization = admin.get("/api/auth/me").await.expect(200).json()["organization"]["id"].clone();
    witness.json(admin, "switch_organization", json!({"organization_id": organization})).await;
    for (body, id) in [(json!({"enabled": true, "reason": "Moving"}), 1), (json!({"enabled": false}), 2)] {
        let answer = witness.json(admin, "update_maintenance", body).await;
        assert_eq!(answer.status, 200, "{id}");
    }
    // Removed in two ways: from the organisation, and switched off.
    let known = witness.rows["user_id"].clone();
    let leaving = json!({"username": "leaving", "email": "leaving@example.test", "password": PASSWORD});
    let leaving = witness.json(admin, "create_user", leaving).await.json();
    witness.rows.insert("user_id", leaving["id"].as_str().unwrap().to_owned());
    witness.call(admin, "delete_member").await;
    witness.rows.insert("user_id", known);
    // A session that nobody here needs.
    let _ = app.admin().await;
    let sessions = admin.get("/api/auth/sessions").await.expect(200).json();
    let other = sessions["data"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let known = witness.rows.insert("session_id", other["id"].as_str().unwrap().to_owned()).unwrap();
    witness.call(admin, "delete_session").await;
    witness.rows.insert("session_id", known);
    let _ = scanned(admin, &shop()).await;
}

/// The rest as the document shows it: reading first, removing last.
async fn everything_else(admin: &Actor, witness: &mut Witness) {
    let turn = |id: &str, method: &Method| match (LAST.iter().position(|last| *last == id), method) {
        (Some(place), _) => 3 + place,
        (None, &Method::GET) => 0,
        (None, &Method::DELETE) => 2,
        (None, _) => 1,
    };
    let mut open: Vec<(usize, String)> = witness
        .operations
        .iter()
        .filter(|(id, _)| !witness.succeeded.contains(*id) && !ELSEWHERE.contains(&id.as_str()))
        .map(|(id, (method, ..))| (turn(id, method), id.clone()))
        .collect();
    open.sort();
    for (_, id) in open {
        if id == "update_password" {
            let body = json!({"current_password": PASSWORD, "new_password": "nottingham castle 1194"});
            witness.json(admin, &id, body).await;
        } else {
            witness.call(admin, &id).await;
        }
    }
}
