//! The audit log.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use bartizan_domain::Error;
use bartizan_domain::id::UserId;
use bartizan_services::{audit, audit_actions};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, Problem, ReadErrors};
use crate::extract::{Instant, Listing, PageParams, Query};
use crate::wire::PageOf;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_audit_entries))
        .routes(routes!(verify_audit_log))
        .routes(routes!(download_audit_log))
}

/// One thing that was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "actor": "admin",
    "actor_id": "550e8400-e29b-41d4-a716-446655440000", "actor_kind": "user", "action": "user.create",
    "target_type": "user", "target_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c56", "old_value": null,
    "new_value": {"username": "analyst1", "role": "analyst"}, "ip": "192.0.2.7",
    "request_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c57", "created_at": "2026-11-20T08:15:00Z", "position": 17,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct AuditEntry {
    /// The entry.
    pub id: Uuid,
    /// Who, by the name of that time.
    pub actor: String,
    /// Which user.
    pub actor_id: Option<UserId>,
    /// `user`, `api_key`, `system` or `anonymous`.
    pub actor_kind: String,
    /// What was done.
    #[schema(schema_with = action)]
    pub action: String,
    /// To which kind of thing.
    pub target_type: String,
    /// To which one.
    pub target_id: String,
    /// The thing before, without secrets.
    #[schema(value_type = Option<Object>)]
    pub old_value: Option<Value>,
    /// The thing after, without secrets.
    #[schema(value_type = Option<Object>)]
    pub new_value: Option<Value>,
    /// Where the request came from.
    pub ip: Option<String>,
    /// Which request.
    pub request_id: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Place in the chain; null until it is sealed, some seconds after it was made.
    pub position: Option<i64>,
    /// The link: position and hash noted down elsewhere prove later that nothing up to here was changed or cut off.
    pub hash: Option<String>,
}

/// The actions by name.
fn action() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What was done."))
        .enum_values(Some(audit_actions::ACTIONS))
        .build()
}

impl From<(audit::AuditEntry, Option<audit::Seal>)> for AuditEntry {
    fn from((entry, seal): (audit::AuditEntry, Option<audit::Seal>)) -> Self {
        Self {
            id: entry.id,
            actor: entry.actor_name,
            actor_id: entry.actor_id,
            actor_kind: entry.actor_kind,
            action: entry.action,
            target_type: entry.noun,
            target_id: entry.noun_id,
            old_value: entry.before,
            new_value: entry.after,
            ip: entry.ip,
            request_id: entry.request_id,
            created_at: entry.at,
            hash: seal.as_ref().map(|seal| hex::encode(&seal.hash)),
            position: seal.map(|seal| seal.position),
        }
    }
}

/// Filters of the list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Name of who did it, whole.
    pub actor: Option<String>,
    /// The whole action, `user.create`, or the kind of action with a dot at its end, `user.`.
    pub action: Option<String>,
    /// Kind of thing it was done to.
    pub target_type: Option<String>,
    /// The thing it was done to.
    pub target_id: Option<String>,
    /// Not before this day or instant.
    #[param(example = "2026-11-01")]
    pub date_from: Option<String>,
    /// Not after this day, or before this instant.
    #[param(example = "2026-11-30")]
    pub date_to: Option<String>,
}

impl TryFrom<AuditFilter> for audit::AuditFilter {
    type Error = Error;

    fn try_from(filter: AuditFilter) -> Result<Self, Error> {
        Ok(Self {
            actor: filter.actor,
            action: filter.action,
            noun: filter.target_type,
            noun_id: filter.target_id,
            from: filter.date_from.as_deref().map(|text| instant("date_from", text, Edge::Begin)).transpose()?,
            to: filter.date_to.as_deref().map(|text| instant("date_to", text, Edge::End)).transpose()?,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

/// An instant, or the begin or end of a day in UTC.
fn instant(field: &str, text: &str, edge: Edge) -> Result<DateTime<Utc>, Error> {
    // In a query string a plus sign is a space.
    let at = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok().map(|at| at.to_utc());
    let of_day = || {
        let day = text.parse::<NaiveDate>().ok()?;
        let day = if edge == Edge::End { day.succ_opt()? } else { day };
        Some(day.and_time(NaiveTime::MIN).and_utc())
    };
    at.or_else(of_day).and_then(Instant::new).map(|at| at.0).ok_or_else(|| {
        Error::invalid(
            format!("query -> {field}"),
            format!(
                "`{text}` is neither a day (2026-11-22) nor an instant (2026-11-22T09:00:00Z) of the years 0001 to 9999"
            ),
        )
    })
}

/// The state of the chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"intact": true, "sealed": 250, "unsealed": 1, "head_position": 250,
    "head_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sealed_at": "2026-11-22T08:30:00Z", "broken_at": null, "reason": null, "without_organization": null}))]
pub struct AuditVerification {
    /// The chain of the organisation.
    #[serde(flatten)]
    pub chain: AuditChain,
    /// The chain of what belongs to no organisation, such as sign-ins under names that nobody has; in the first
    /// organisation of the server.
    pub without_organization: Option<AuditChain>,
}

/// The state of one chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"intact": true, "sealed": 12, "unsealed": 0, "head_position": 12,
    "head_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sealed_at": "2026-11-22T08:30:00Z", "broken_at": null, "reason": null}))]
pub struct AuditChain {
    /// Whether every link holds.
    pub intact: bool,
    /// Entries that are linked.
    pub sealed: u64,
    /// Entries that are not linked yet.
    pub unsealed: u64,
    /// Position of the last link.
    pub head_position: Option<i64>,
    /// Its hash: noted down elsewhere, it proves that nothing was cut off.
    pub head_hash: Option<String>,
    /// When it was made.
    pub sealed_at: Option<DateTime<Utc>>,
    /// The position at which the chain breaks.
    pub broken_at: Option<i64>,
    /// How it does.
    pub reason: Option<String>,
}

impl From<audit::Verification> for AuditChain {
    fn from(found: audit::Verification) -> Self {
        Self {
            intact: found.broken.is_none(),
            sealed: found.sealed,
            unsealed: found.unsealed,
            head_position: found.head.as_ref().map(|head| head.seal.position),
            head_hash: found.head_hash(),
            sealed_at: found.head.as_ref().map(|head| head.sealed_at),
            broken_at: found.broken.as_ref().map(|broken| broken.position),
            reason: found.broken.map(|broken| broken.reason),
        }
    }
}

/// A link that was noted down.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct NotedLink {
    /// Its position; with `hash`.
    #[param(minimum = 1)]
    pub position: Option<i64>,
    /// Its hash; with `position`.
    #[param(max_length = 64)]
    pub hash: Option<String>,
}

impl NotedLink {
    fn seal(self) -> Result<Option<audit::Seal>, Error> {
        match (self.position, self.hash) {
            (None, None) => Ok(None),
            (Some(position), Some(hash)) if position >= 1 => match hex::decode(&hash) {
                Ok(hash) if hash.len() == 32 => Ok(Some(audit::Seal { position, hash })),
                _ => Err(Error::invalid("query -> hash", "expected 64 hexadecimal digits")),
            },
            (Some(_), Some(_)) => Err(Error::invalid("query -> position", "positions begin with 1")),
            (Some(_), None) => Err(Error::invalid("query -> hash", "a position is noted with its hash")),
            (None, Some(_)) => Err(Error::invalid("query -> position", "a hash is noted with its position")),
        }
    }
}

/// Format of a file.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditFormat {
    /// A table.
    #[default]
    Csv,
    /// One entry a line.
    Jsonl,
}

/// Which entries, in which format.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditExport {
    /// Format of the file.
    #[param(inline)]
    pub format: AuditFormat,
    /// Name of who did it, whole.
    pub actor: Option<String>,
    /// The whole action, `user.create`, or the kind of action with a dot at its end, `user.`.
    pub action: Option<String>,
    /// Kind of thing it was done to.
    pub target_type: Option<String>,
    /// The thing it was done to.
    pub target_id: Option<String>,
    /// Not before this day or instant.
    pub date_from: Option<String>,
    /// Not after this day, or before this instant.
    pub date_to: Option<String>,
}

/// Lists the audit log, newest first.
///
/// Needs `audit.view`.
#[utoipa::path(get, path = "/api/audit", operation_id = "list_audit_entries", tag = "audit",
    params(PageParams, AuditFilter), responses((status = 200, body = PageOf<AuditEntry>), ReadErrors))]
async fn list_audit_entries(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<AuditFilter>,
) -> ApiResult<Json<PageOf<AuditEntry>>> {
    let found = audit::list(&caller.cx, state.services(), &list.filter.try_into()?, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, AuditEntry::from)))
}

/// Verifies the chain of the audit log.
///
/// Needs `audit.view`. Reads every entry of the organisation. With `position` and `hash` of an entry or head noted down
/// earlier, also that this link is still there: a chain whose end was cut off together with its head is found out so.
#[utoipa::path(get, path = "/api/audit/verify", operation_id = "verify_audit_log", tag = "audit",
    params(NotedLink), responses((status = 200, body = AuditVerification), ReadErrors))]
async fn verify_audit_log(
    State(state): State<AppState>,
    caller: Caller,
    Query(noted): Query<NotedLink>,
) -> ApiResult<Json<AuditVerification>> {
    let (own, none) = audit::verify(&caller.cx, state.services(), noted.seal()?.as_ref()).await?;
    Ok(Json(AuditVerification { chain: own.into(), without_organization: none.map(AuditChain::from) }))
}

/// Exports the audit log as a file.
///
/// Needs `audit.view` and `exports.run`. At most 100,000 entries; more are a 413. The export is itself an entry.
#[utoipa::path(get, path = "/api/audit/export", operation_id = "download_audit_log", tag = "audit",
    params(AuditExport),
    responses((status = 200, description = "The file.",
            content((String = "text/csv"), (String = "application/jsonl"))),
        (status = 413, body = Problem, description = "Too many entries."),
        (status = 429, body = Problem, description = "Too many exports; `Retry-After` says for how long."), ReadErrors))]
async fn download_audit_log(
    State(state): State<AppState>,
    caller: Caller,
    Query(wanted): Query<AuditExport>,
) -> ApiResult<(HeaderMap, String)> {
    let filter = AuditFilter {
        actor: wanted.actor,
        action: wanted.action,
        target_type: wanted.target_type,
        target_id: wanted.target_id,
        date_from: wanted.date_from,
        date_to: wanted.date_to,
    };
    let entries = audit::export(&caller.cx, state.services(), &filter.try_into()?).await?;
    let entries = entries.into_iter().map(AuditEntry::from);
    let (media, name, text) = match wanted.format {
        AuditFormat::Csv => ("text/csv; charset=utf-8", "audit-log.csv", csv(entries)),
        AuditFormat::Jsonl => ("application/jsonl", "audit-log.jsonl", json_lines(entries)?),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok((headers, text))
}

fn json_lines(entries: impl Iterator<Item = AuditEntry>) -> ApiResult<String> {
    let mut text = String::new();
    for entry in entries {
        text.push_str(&serde_json::to_string(&entry).map_err(Error::internal)?);
        text.push('\n');
    }
    Ok(text)
}

fn csv(entries: impl Iterator<Item = AuditEntry>) -> String {
    let mut text = String::from(
        "created_at,actor,actor_kind,action,target_type,target_id,old_value,new_value,ip,request_id,position,hash,id\r\n",
    );
    let json = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
    for entry in entries {
        let cells = [
            entry.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            entry.actor,
            entry.actor_kind,
            entry.action,
            entry.target_type,
            entry.target_id,
            json(entry.old_value),
            json(entry.new_value),
            entry.ip.unwrap_or_default(),
            entry.request_id,
            entry.position.map(|position| position.to_string()).unwrap_or_default(),
            entry.hash.unwrap_or_default(),
            entry.id.to_string(),
        ];
        text.push_str(&cells.map(|cell| quoted(&cell)).join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell in quotes (RFC 4180). What a spreadsheet would run as a formula is made text by an apostrophe.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_instants_exact() {
        let at = |text, edge| instant("date_from", text, edge).map(|at| at.to_rfc3339()).ok();
        assert_eq!(at("2026-11-22", Edge::Begin).as_deref(), Some("2026-11-22T00:00:00+00:00"));
        assert_eq!(at("2026-11-22", Edge::End).as_deref(), Some("2026-11-23T00:00:00+00:00"));
        assert_eq!(at("2026-11-22T10:00:00 01:00", Edge::End).as_deref(), Some("2026-11-22T09:00:00+00:00"));
        assert_eq!(at("yesterday", Edge::Begin), None);
    }

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
    }
}
