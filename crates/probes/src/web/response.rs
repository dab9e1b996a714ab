//! From a raw response to what is kept of it.

use bartizan_domain::evidence::web::{BodyFacts, WebResponse};
use bartizan_outbound::http::Response;
use http::header::{self, HeaderName};
use sha2::{Digest, Sha256};
use url::Url;

use super::{cookies, document, redact};

/// What is kept of a page.
pub fn describe(url: &Url, response: &Response) -> WebResponse {
    let content_type = media_type(response);
    let body = body_facts(response, &response.body);
    let readable = body.encoding.is_none();
    let is_html = readable && !response.body.is_empty() && document::is_html(content_type.as_deref(), &response.body);
    let document = is_html.then(|| document::read(&response.body, url));
    let error_page = response.status.is_client_error() || response.status.is_server_error();
    let listing = document.as_ref().is_some_and(|document| document.listing.is_some());
    WebResponse {
        url: redact::url(url),
        status: response.status.as_u16(),
        headers: redact::headers(&response.headers, url),
        is_html,
        cookies: cookies::parse_all(&response.headers),
        signature: (readable && (error_page || listing)).then(|| document::signature(&response.body)).flatten(),
        content_type,
        body,
        document,
    }
}

/// Size and hash of `body`, which is the response's or a normalised form of it.
pub fn body_facts(response: &Response, body: &[u8]) -> BodyFacts {
    BodyFacts {
        size: response.body.len() as u64,
        truncated: response.truncated,
        sha256: hex::encode(Sha256::digest(body)),
        encoding: field(response, &header::CONTENT_ENCODING).filter(|coding| coding != "identity"),
    }
}

/// Media type without parameters, lower case.
pub fn media_type(response: &Response) -> Option<String> {
    let value = field(response, &header::CONTENT_TYPE)?;
    let essence = value.split(';').next().unwrap_or_default().trim().to_owned();
    (!essence.is_empty()).then(|| redact::shortened(&essence, 120))
}

/// The `charset` parameter of the media type, lower case.
pub fn charset(response: &Response) -> Option<String> {
    let value = field(response, &header::CONTENT_TYPE)?;
    value
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim() == "charset")
        .map(|(_, value)| redact::shortened(value.trim().trim_matches('"'), 40))
}

fn field(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase())
}
