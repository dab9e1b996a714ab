//! Tests of the API through a real server: one file a noun.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod api_keys;
mod assets;
mod audit;
mod auth;
mod bad_input;
mod branding;
mod conformance;
mod connections;
mod documents;
mod every_operation;
mod findings;
mod habits;
mod idempotency;
mod invitations;
mod isolation;
mod ldap;
mod limits;
mod mail;
mod members;
mod oidc;
mod organizations;
mod pages;
mod password_resets;
mod permissions;
mod roles;
mod scans;
mod schedules;
mod schemathesis;
mod second_factors;
mod sessions;
mod settings;
mod system;
mod users;

use serde_json::Value;

/// Puts placeholders for what differs from run to run.
fn redacted(mut value: Value) -> Value {
    redact(&mut value);
    value
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &member) {
                    ("request_id" | "token" | "access_token" | "refresh_token", Value::String(_)) => {
                        *member = format!("[{name}]").into();
                    }
                    (_, Value::String(text)) if is_uuid(text) => *member = "[id]".into(),
                    _ => redact(member),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if item.as_str().is_some_and(is_uuid) {
                    *item = "[id]".into();
                }
                redact(item);
            }
        }
        _ => {}
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text
            .char_indices()
            .all(|(at, c)| if matches!(at, 8 | 13 | 18 | 23) { c == '-' } else { c.is_ascii_hexdigit() })
}
