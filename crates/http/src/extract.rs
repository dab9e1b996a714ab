//! Extractors: bodies, query strings, paths. Each refuses what it does not know and names the field.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use axum::http::{header, request::Parts};
use bartizan_domain::{Error, FieldError};
use bytes::Bytes;
use chrono::{DateTime, Datelike as _, Utc};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::ApiError;

/// Largest body of an ordinary operation.
pub const MAX_BODY: usize = 1024 * 1024;

/// Largest page.
pub const MAX_PAGE_SIZE: u64 = 500;

/// Page size when none is given.
pub const DEFAULT_PAGE_SIZE: u64 = 50;

/// Highest page number: an offset beyond it is certainly an error.
const MAX_PAGE: u64 = 10_000_000;

/// A JSON body.
///
/// The media type must be JSON. That is a safety rule as well: a page of another origin cannot send it without a
/// preflight request, which this server never grants.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
            .is_some_and(|kind| kind == "application/json" || kind.ends_with("+json"));
        if !is_json {
            return Err(ApiError::UnsupportedMediaType("application/json"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                Error::TooLarge(format!("the body is larger than {MAX_BODY} bytes"))
            } else {
                Error::BadRequest("the body could not be read".to_owned())
            }
        })?;
        parse_json(&bytes).map(Self).map_err(|error| Error::Invalid(vec![error]).into())
    }
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let kind = if inner.is_data() { None } else { Some("json_invalid") };
        field_error("body", &path, &inner.to_string(), kind)
    })?;
    deserializer.end().map_err(|error| field_error("body", ".", &error.to_string(), Some("json_invalid")))?;
    match with_nul(bytes) {
        Some(path) => Err(field_error("body", &path, NUL, None)),
        None => Ok(parsed),
    }
}

/// No name and no text has a reason to contain this character, and PostgreSQL cannot store it.
const NUL: &str = "the text contains the character U+0000";

/// Where in a JSON document the first text with a NUL is. In JSON the character is always written as an escape.
fn with_nul(bytes: &[u8]) -> Option<String> {
    if !bytes.windows(6).any(|window| window == b"\\u0000") {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    nul_in(&value, String::new())
}

fn nul_in(value: &serde_json::Value, path: String) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::String(text) => text.contains('\0').then_some(path),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| nul_in(item, format!("{path}.{at}"))),
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name.contains('\0') { Some(path.clone()) } else { nul_in(member, format!("{path}.{name}")) }
        }),
        _ => None,
    }
}

/// Turns serde's message and path into the form of the API: `body -> targets -> 0`.
fn field_error(root: &str, path: &str, message: &str, kind: Option<&'static str>) -> FieldError {
    let mut segments: Vec<String> = vec![root.to_owned()];
    let path = path.replace('[', ".").replace(']', "");
    segments.extend(path.split('.').filter(|part| !part.is_empty() && *part != "?").map(str::to_owned));
    // serde_json appends the position, which means nothing to who filled in a form.
    let message = message.split(" at line ").next().unwrap_or(message).to_owned();
    let quoted = message.split('`').nth(1).map(str::to_owned);
    let (named, found) = if message.starts_with("missing field") {
        (quoted, "missing")
    } else if message.starts_with("unknown field") {
        (quoted, "unknown_field")
    } else if message.starts_with("invalid type") {
        (None, "type_error")
    } else {
        (None, "value_error")
    };
    if let Some(name) = named
        && segments.last() != Some(&name)
    {
        segments.push(name);
    }
    FieldError { field: segments.join(" -> "), message, kind: kind.unwrap_or(found).into() }
}

/// Reads the part `file`, the one part of a form, of at most `most` bytes.
///
/// # Errors
/// For a form that cannot be read, is too large, or has another part.
pub(crate) async fn file_part(mut form: Multipart, most: usize) -> Result<Bytes, ApiError> {
    let too_large = || Error::TooLarge(format!("the file is larger than {most} bytes"));
    let failed = |error: MultipartError| {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            too_large()
        } else {
            Error::BadRequest("the form could not be read".to_owned())
        }
    };
    let Some(part) = form.next_field().await.map_err(failed)? else {
        let field = "body -> file".to_owned();
        let missing = FieldError { field, message: "missing part `file`".to_owned(), kind: "missing".into() };
        return Err(Error::Invalid(vec![missing]).into());
    };
    if part.name() != Some("file") {
        let field = format!("body -> {}", part.name().unwrap_or("(no name)"));
        return Err(Error::invalid(field, "unknown part: expected `file`").into());
    }
    let bytes = part.bytes().await.map_err(failed)?;
    if bytes.len() > most {
        return Err(too_large().into());
    }
    if let Some(more) = form.next_field().await.map_err(failed)? {
        let field = format!("body -> {}", more.name().unwrap_or("(no name)"));
        return Err(Error::invalid(field, "one part too many: expected one `file`").into());
    }
    Ok(bytes)
}

/// The first and the last year that both databases can store and every client can show.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// An instant of a query string, in a year of four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub DateTime<Utc>);

impl Instant {
    /// An instant, if its year is one.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Option<Self> {
        YEARS.contains(&at.year()).then_some(Self(at))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rule = "expected an instant of the years 0001 to 9999, such as 2026-11-22T09:00:00Z";
        // In a query string a plus sign is a space.
        let text = String::deserialize(deserializer)?.replace(' ', "+");
        let at = DateTime::parse_from_rfc3339(&text).map_err(|_| D::Error::custom(rule))?;
        Self::new(at.to_utc()).ok_or_else(|| D::Error::custom(rule))
    }
}

/// Direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortDir {
    /// Smallest first.
    #[default]
    Asc,
    /// Greatest first.
    Desc,
}

/// The page parameters every list reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Page number, from 1.
    #[param(required = false, default = 1, minimum = 1)]
    pub page: u64,
    /// Items per page.
    #[param(required = false, default = 50, minimum = 1, maximum = 500)]
    pub page_size: u64,
    /// Direction of the sort.
    #[param(required = false, inline)]
    pub sort_dir: SortDir,
}

/// A list request: which page, the filters `F` of the endpoint, and the column of `C` to sort by. With `CURSOR`, the
/// list may be read on from an item as well.
#[derive(Debug)]
pub struct Listing<F, C = NoSort, const CURSOR: bool = false> {
    /// The page.
    pub page: PageParams,
    /// The filters.
    pub filter: F,
    /// The column, if one was named.
    pub sort: Option<C>,
    /// The item that those wanted follow, instead of a page.
    pub after: Option<Uuid>,
}

impl<F, C, S, const CURSOR: bool> FromRequestParts<S> for Listing<F, C, CURSOR>
where
    F: DeserializeOwned,
    C: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut sort = None;
        let mut after = None;
        let mut page = PageParams { page: 1, page_size: DEFAULT_PAGE_SIZE, sort_dir: SortDir::Asc };
        let mut rest = Vec::new();
        let mut errors = Vec::new();
        for (name, value) in pairs(parts) {
            if let Some(error) = unfit(&name, &value) {
                errors.push(error);
                continue;
            }
            match name.as_str() {
                "page" => match bounded(&name, &value, MAX_PAGE) {
                    Ok(number) => page.page = number,
                    Err(error) => errors.push(error),
                },
                "page_size" => match bounded(&name, &value, MAX_PAGE_SIZE) {
                    Ok(number) => page.page_size = number,
                    Err(error) => errors.push(error),
                },
                "sort_dir" => match value.as_str() {
                    "asc" => page.sort_dir = SortDir::Asc,
                    "desc" => page.sort_dir = SortDir::Desc,
                    _ => errors.push(FieldError::new(
                        "query -> sort_dir",
                        format!("unknown sort_dir `{value}`: expected asc or desc"),
                    )),
                },
                "after" if CURSOR => match Uuid::parse_str(&value) {
                    Ok(id) => after = Some(id),
                    Err(_) => errors.push(FieldError::new("query -> after", format!("`{value}` is not an id"))),
                },
                "sort" => match C::deserialize(value.as_str().into_deserializer()) {
                    Ok(column) => sort = Some(column),
                    Err(error) => errors.push(column_error(error)),
                },
                _ => rest.push((name, value)),
            }
        }
        let filter = match parse_pairs(&rest) {
            Ok(filter) => Some(filter),
            Err(error) => {
                errors.push(error);
                None
            }
        };
        match filter {
            Some(filter) if errors.is_empty() => Ok(Self { page, filter, sort, after }),
            _ => Err(Error::Invalid(errors).into()),
        }
    }
}

/// Columns of a list with a fixed order.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum NoSort {}

#[expect(clippy::needless_pass_by_value, reason = "as the closure has it")]
fn column_error(error: serde::de::value::Error) -> FieldError {
    let message = error.to_string().replace("unknown variant", "unknown column");
    FieldError::new("query -> sort", message.replace("there are no variants", "this list has one order"))
}

/// Filters of a list that has none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// A query string of an operation that is not a list.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = pairs(parts);
        let errors: Vec<FieldError> = pairs.iter().filter_map(|(name, value)| unfit(name, value)).collect();
        if !errors.is_empty() {
            return Err(Error::Invalid(errors).into());
        }
        parse_pairs(&pairs).map(Self).map_err(|error| Error::Invalid(vec![error]).into())
    }
}

/// Most bytes of one parameter, all its repetitions together.
const MAX_PARAMETER: usize = 4096;

/// Why no parameter can have this value, whatever its type is.
fn unfit(name: &str, value: &str) -> Option<FieldError> {
    if value.contains('\0') {
        return Some(field_error("query", name, NUL, None));
    }
    // What decoding puts in place of bytes that are no text.
    if value.contains(char::REPLACEMENT_CHARACTER) || name.contains(char::REPLACEMENT_CHARACTER) {
        return Some(field_error("query", name, "the value is not UTF-8", None));
    }
    (value.len() > MAX_PARAMETER).then(|| FieldError {
        field: format!("query -> {name}"),
        message: format!("the value is longer than {MAX_PARAMETER} bytes"),
        kind: "out_of_range".into(),
    })
}

fn bounded(name: &str, value: &str, most: u64) -> Result<u64, FieldError> {
    match value.parse::<u64>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        Ok(number) => Err(FieldError {
            field: format!("query -> {name}"),
            message: format!("{name} {number} is out of range: expected 1 to {most}"),
            kind: "out_of_range".into(),
        }),
        Err(_) => Err(FieldError {
            field: format!("query -> {name}"),
            message: format!("{name} `{value}` is not a whole number: expected 1 to {most}"),
            kind: "type_error".into(),
        }),
    }
}

/// The pairs of the query string; a repeated name becomes one comma-separated value.
fn pairs(parts: &Parts) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => pairs.push((name.into_owned(), value.into_owned())),
        }
    }
    pairs
}

fn parse_pairs<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, FieldError> {
    // An empty value is a parameter left blank in a form or a link: no filter at all.
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    let deserializer = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(encoded.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        field_error("query", &path, &error.into_inner().to_string(), None)
    })
}

/// A path parameter. What does not parse cannot exist, so the answer is 404 and names the noun.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(ApiError::NoRoute),
        }
    }
}

/// A comma-separated list in a query string: `severity=high,critical`. Repeating the parameter is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Most values of one list parameter.
const MAX_LIST: usize = 100;

impl<'de, T> Deserialize<'de> for List<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.len() > MAX_LIST {
            return Err(D::Error::custom(format!("{} values: at most {MAX_LIST} are allowed", parts.len())));
        }
        parts.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self).map_err(D::Error::custom)
    }
}

/// Tells a field that is absent from one that is null: `Some(None)` is null, `None` is absent.
///
/// # Errors
/// Those of the value.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use bartizan_domain::Severity;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only parsed")]
        port: u16,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only parsed")]
        email: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only parsed")]
        list: Vec<Inner>,
    }

    fn body(text: &str) -> (String, String) {
        let error = parse_json::<Outer>(text.as_bytes()).unwrap_err();
        (error.field, error.kind.into_owned())
    }

    #[test]
    fn body_errors_name_the_field_and_the_kind() {
        assert_eq!(body("{}"), ("body -> email".into(), "missing".into()));
        assert_eq!(body(r#"{"email":1}"#), ("body -> email".into(), "type_error".into()));
        assert_eq!(body(r#"{"email":"a","x":1}"#), ("body -> x".into(), "unknown_field".into()));
        assert_eq!(
            body(r#"{"email":"a","list":[{"port":1},{}]}"#),
            ("body -> list -> 1 -> port".into(), "missing".into())
        );
        assert_eq!(
            body(r#"{"email":"a","list":[{"port":70000}]}"#),
            ("body -> list -> 0 -> port".into(), "value_error".into())
        );
        assert_eq!(body("{"), ("body".into(), "json_invalid".into()));
        assert_eq!(body("{} x").0, "body -> email");
        assert_eq!(body(r#"{"email":"a"} x"#), ("body".into(), "json_invalid".into()));
        assert_eq!(body(&"[".repeat(100_000)).1, "type_error");
        assert_eq!(body(r#"{"email":"a\u0000b"}"#), ("body -> email".into(), "value_error".into()));
        assert!(parse_json::<Outer>(br#"{"email":"a\\u0000b"}"#).is_ok(), "an escaped backslash and four digits");
        assert_eq!(parse_json::<Outer>(b"{\"email\":\"\xff\"}").unwrap_err().kind, "json_invalid");
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        #[serde(default)]
        severity: List<Severity>,
        stale: Option<bool>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Column {
        Name,
    }

    async fn listing(query: &str) -> Result<Listing<Filter, Column>, Vec<(String, String)>> {
        let request = axum::http::Request::builder().uri(format!("/x?{query}")).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        Listing::from_request_parts(&mut parts, &()).await.map_err(|error| match error {
            ApiError::Domain(error) => match error.as_ref() {
                Error::Invalid(fields) => fields.iter().map(|f| (f.field.clone(), f.kind.to_string())).collect(),
                other => unreachable!("{other}"),
            },
            other => unreachable!("{other:?}"),
        })
    }

    #[tokio::test]
    async fn paging_has_defaults_and_bounds() {
        let list = listing("").await.unwrap();
        assert_eq!((list.page.page, list.page.page_size), (1, 50));
        let list = listing("page=3&page_size=500&sort_dir=desc&stale=&sort=name").await.unwrap();
        assert_eq!(list.sort, Some(Column::Name));
        assert_eq!((list.page.page, list.page.page_size, list.page.sort_dir), (3, 500, SortDir::Desc));
        assert_eq!(list.filter.stale, None);
        for (query, field, kind) in [
            ("page=0", "query -> page", "out_of_range"),
            ("page_size=501", "query -> page_size", "out_of_range"),
            ("page_size=-1", "query -> page_size", "type_error"),
            ("sort_dir=up", "query -> sort_dir", "value_error"),
            ("sort=password", "query -> sort", "value_error"),
            ("sevrity=high", "query -> sevrity", "unknown_field"),
            ("severity=awful", "query -> severity", "value_error"),
            ("stale=perhaps", "query -> stale", "value_error"),
        ] {
            assert_eq!(listing(query).await.unwrap_err(), [(field.to_owned(), kind.to_owned())], "{query}");
        }
        assert_eq!(listing("page=0&page_size=0&x=1").await.unwrap_err().len(), 3);
    }

    #[tokio::test]
    async fn lists_are_commas_or_repetition() {
        let expected = List(vec![Severity::High, Severity::Critical]);
        assert_eq!(listing("severity=high,critical").await.unwrap().filter.severity, expected);
        assert_eq!(listing("severity=high&severity=critical").await.unwrap().filter.severity, expected);
    }
}
