//! Looks up issuers that a server did not send, at the address its certificate names (caIssuers, RFC 5280 4.2.2.1).
//!
//! This is what lenient clients do behind a user's back; whether a chain is complete without it is judged by `checks`.
//! Only plain HTTP is used, as certificates name it to avoid a circle, and nothing is asked when the chain ends in a
//! certificate whose issuer is a built-in root.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::LazyLock;

use bartizan_domain::evidence::tls::FetchedIssuer;
use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure};
use bartizan_outbound::io_failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::{Host, Url};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::ProbeContext;

/// Issuers looked up for one chain, one above the other.
const MAX_DEPTH: usize = 3;
/// Issuers looked up for one endpoint.
const MAX_FETCHES: usize = 6;
/// Most bytes of an answer, head included.
const MAX_ANSWER: usize = 64 * 1024;

/// Subjects of the built-in roots, DER.
static ROOT_SUBJECTS: LazyLock<HashSet<Vec<u8>>> = LazyLock::new(|| {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| X509Certificate::from_der(root).ok())
        .map(|(_, root)| root.subject().as_raw().to_vec())
        .collect()
});

/// Follows a chain of base64 certificates to its end, looks the missing issuers up and adds them to `fetched`.
pub async fn fetch_missing(cx: &ProbeContext, chain: &[String], fetched: &mut Vec<FetchedIssuer>) {
    let mut pool: Vec<Vec<u8>> = chain.iter().filter_map(|text| STANDARD.decode(text).ok()).collect();
    for _ in 0..MAX_DEPTH {
        let Some(url) = missing_issuer(&pool) else { return };
        if fetched.len() >= MAX_FETCHES {
            return;
        }
        let known = fetched.iter().find(|issuer| issuer.url == url).map(|issuer| issuer.certificate.clone());
        let certificate = match known {
            Some(certificate) => certificate,
            None => {
                let certificate: Observation<String> = fetch(cx, &url).await.map(|der| STANDARD.encode(der)).into();
                fetched.push(FetchedIssuer { url, certificate: certificate.clone() });
                certificate
            }
        };
        match certificate.observed().and_then(|text| STANDARD.decode(text).ok()) {
            Some(der) if !pool.contains(&der) => pool.push(der),
            _ => return,
        }
    }
}

/// Where the issuer of the last certificate reached from the leaf is to be had; `None` if there is nothing to look up.
fn missing_issuer(pool: &[Vec<u8>]) -> Option<String> {
    let parsed: Vec<X509Certificate<'_>> =
        pool.iter().filter_map(|der| X509Certificate::from_der(der).ok()).map(|(_, certificate)| certificate).collect();
    let mut top = parsed.first()?;
    for _ in 0..parsed.len() {
        if top.subject().as_raw() == top.issuer().as_raw() || ROOT_SUBJECTS.contains(top.issuer().as_raw()) {
            return None;
        }
        match parsed.iter().find(|candidate| candidate.subject().as_raw() == top.issuer().as_raw()) {
            Some(next) => top = next,
            None => return ca_issuers(top),
        }
    }
    None
}

fn ca_issuers(certificate: &X509Certificate<'_>) -> Option<String> {
    let access = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    })?;
    access.accessdescs.iter().find_map(|description| match &description.access_location {
        GeneralName::URI(uri) if description.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2" => {
            (uri.len() <= 1024 && uri.to_ascii_lowercase().starts_with("http://")).then(|| (*uri).to_owned())
        }
        _ => None,
    })
}

async fn fetch(cx: &ProbeContext, url: &str) -> Result<Vec<u8>, ProbeFailure> {
    let doing = format!("fetching the issuer from {url}");
    let protocol = |detail: &str| ProbeFailure::new(FailureKind::Protocol, format!("{doing}: {detail}"));
    let parsed = Url::parse(url).map_err(|error| protocol(&error.to_string()))?;
    let port = parsed.port_or_known_default().unwrap_or(80);
    let host = parsed.host().ok_or_else(|| protocol("no host"))?;
    let address = resolve(cx, &host).await?;
    let authority = match parsed.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    };
    let query = parsed.query().map(|query| format!("?{query}")).unwrap_or_default();
    let request = format!(
        "GET {}{query} HTTP/1.0\r\nHost: {authority}\r\nAccept: application/pkix-cert\r\nConnection: close\r\n\r\n",
        parsed.path()
    );
    let answer = cx
        .within(cx.timeout, &doing, async {
            let mut connection = cx.outbound.connect((address, port).into()).await?;
            let io = |error: std::io::Error| io_failure(&error, &doing);
            connection.stream.write_all(request.as_bytes()).await.map_err(io)?;
            let mut answer = Vec::new();
            (&mut connection.stream).take(MAX_ANSWER as u64 + 1).read_to_end(&mut answer).await.map_err(io)?;
            Ok(answer)
        })
        .await?;
    if answer.len() > MAX_ANSWER {
        return Err(ProbeFailure::new(FailureKind::Limit, format!("{doing}: more than {MAX_ANSWER} bytes")));
    }
    certificate_of(&answer).map_err(|detail| protocol(&detail))
}

async fn resolve(cx: &ProbeContext, host: &Host<&str>) -> Result<IpAddr, ProbeFailure> {
    let name = match host {
        Host::Ipv4(address) => return Ok(IpAddr::V4(*address)),
        Host::Ipv6(address) => return Ok(IpAddr::V6(*address)),
        Host::Domain(name) => name,
    };
    let none = |detail: String| ProbeFailure::new(FailureKind::Resolution, detail);
    match crate::resolve::addresses(cx, name).await {
        Observation::Observed(addresses) => {
            addresses.first().copied().ok_or_else(|| none(format!("{name} has no address")))
        }
        Observation::Failed(failure) => Err(failure),
        Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => Err(none(reason)),
    }
}

/// The certificate in an HTTP answer, DER or PEM.
fn certificate_of(answer: &[u8]) -> Result<Vec<u8>, String> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no HTTP answer")?;
    let status = std::str::from_utf8(&answer[..end]).unwrap_or_default().lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("the answer is `{}`", status.chars().take(60).collect::<String>()));
    }
    let body = &answer[end + 4..];
    let der = match x509_parser::pem::parse_x509_pem(body) {
        Ok((_, pem)) if pem.label == "CERTIFICATE" => pem.contents,
        _ => body.to_vec(),
    };
    match X509Certificate::from_der(&der) {
        Ok((rest, _)) => Ok(der[..der.len() - rest.len()].to_vec()),
        Err(_) => Err("the answer is not one certificate".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_certificate_is_taken_from_an_answer() {
        assert!(certificate_of(b"").is_err());
        assert!(certificate_of(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err());
        assert!(certificate_of(b"HTTP/1.1 200 OK\r\n\r\n<html>").is_err());
        let root = webpki_root_certs::TLS_SERVER_ROOT_CERTS[0].as_ref();
        let mut answer = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n".to_vec();
        answer.extend_from_slice(root);
        assert_eq!(certificate_of(&answer).unwrap(), root);
    }

    #[test]
    fn nothing_is_looked_up_below_a_built_in_root() {
        let root = webpki_root_certs::TLS_SERVER_ROOT_CERTS[0].to_vec();
        assert_eq!(missing_issuer(&[root]), None);
        assert_eq!(missing_issuer(&[b"garbage".to_vec()]), None);
    }
}
