//! HTTP/2 without TLS and without an upgrade from HTTP/1.1, which is how gRPC is spoken inside networks.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::contains;
use crate::services::evidence;
use crate::services::wire::{Cursor, Dialer, Enough};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let mut out = length.get(1..).unwrap_or_default().to_vec();
    out.extend([kind, flags, 0, 0, 0, stream]);
    out.extend_from_slice(body);
    out
}

/// Frames: kind, flags, stream and body.
fn frames(answer: &[u8]) -> impl Iterator<Item = (u8, u8, u32, &[u8])> {
    let mut cursor = Cursor(answer);
    std::iter::from_fn(move || {
        let high = usize::from(cursor.u8()?);
        let length = high << 16 | usize::from(cursor.be16()?);
        let (kind, flags, stream) = (cursor.u8()?, cursor.u8()?, cursor.be32()? & 0x7fff_ffff);
        Some((kind, flags, stream, cursor.take(length)?))
    })
    .take(100)
}

/// The preface (RFC 9113 section 3.4) and, where that is answered, the health check that every gRPC server answers, if
/// only to say that it does not have it.
pub async fn http2(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    preface.extend(frame(SETTINGS, 0, 0, &[]));
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&preface, |answer| Enough::when(is_http2(answer))).await?;
    if !is_http2(&answer) {
        return Ok(None);
    }
    // POST, http, and the rest as literals without Huffman coding (RFC 7541).
    let mut headers = vec![0x83, 0x86];
    for (name, text) in
        [(&[4][..], "/grpc.health.v1.Health/Check"), (&[1], "bartizan.invalid"), (&[0x0f, 0x10], "application/grpc")]
    {
        headers.extend_from_slice(name);
        headers.push(u8::try_from(text.len()).unwrap_or_default());
        headers.extend(text.as_bytes());
    }
    headers.extend(b"\0\x02te\x08trailers");
    let mut request = frame(SETTINGS, ACK, 0, &[]);
    request.extend(frame(HEADERS, END_HEADERS, 1, &headers));
    request.extend(frame(DATA, END_STREAM, 1, &[0; 5]));
    let complete = |answer: &[u8]| Enough::when(frames(answer).any(|(kind, ..)| matches!(kind, HEADERS | GOAWAY)));
    let answer = channel.ask(&request, complete).await.unwrap_or_default();
    let mut found = evidence(if is_grpc(&answer) { "grpc" } else { "http2" });
    found.access = Access::Unknown { reason: "no method was called but a health check".to_owned() };
    Ok(Some(found))
}

/// Whether an answer begins with settings on stream 0 (RFC 9113 section 6.5), which is how every server begins.
pub fn is_http2(answer: &[u8]) -> bool {
    matches!(frames(answer).next(), Some((SETTINGS, 0, 0, body)) if body.len().is_multiple_of(6))
}

/// Whether a response has the content type of gRPC, as it is or in Huffman coding.
pub fn is_grpc(answer: &[u8]) -> bool {
    const CODED: [u8; 11] = [0x1d, 0x75, 0xd0, 0x62, 0x0d, 0x26, 0x3d, 0x4c, 0x4d, 0x65, 0x64];
    frames(answer).any(|(kind, _, stream, body)| {
        kind == HEADERS && stream == 1 && (contains(body, &CODED) || contains(body, b"application/grpc"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn settings_begin_http2() {
        assert!(is_http2(&frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])));
        assert!(!is_http2(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "an echo is no server");
        assert!(!is_http2(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        assert!(is_grpc(&frame(HEADERS, END_HEADERS, 1, b"\x88\x5f\x8b\x1d\x75\xd0\x62\x0d\x26\x3d\x4c\x4d\x65\x64")));
        assert!(!is_grpc(&frame(HEADERS, END_HEADERS, 1, b"\x8d")));
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = is_http2(&bytes);
            let _ = is_grpc(&bytes);
            let _ = is_grpc(&frame(HEADERS, 4, 1, &bytes));
        }
    }
}
