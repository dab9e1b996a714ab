//! XMPP (RFC 6120): a stream is opened, its features are read, and it is left. Nobody logs in.

use bartizan_domain::evidence::service::Upgrade;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence, StartTls};

use super::wire::{Dialer, Enough, Layer, printable};
use super::{evidence, signatures};

/// A host that no server serves: its refusal is worded by the product.
const NOBODY: &str = "bartizan.invalid";

/// Opens a stream for the asset's name, and one for a name that is not served.
pub async fn xmpp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let refused = open_stream(dialer, NOBODY).await?;
    let Some(mut found) = xmpp_answer(&refused) else { return Ok(None) };
    let features = match dialer.name {
        Some(name) => open_stream(dialer, name).await.unwrap_or_default(),
        None => Vec::new(),
    };
    if dialer.layer == Layer::Plain {
        found.upgrade = match stream_upgrade(&features) {
            Some(true) => Upgrade::Offered,
            Some(false) => Upgrade::NotOffered,
            None => Upgrade::Unknown { reason: "the features of the stream are shown for a host name only".to_owned() },
        };
        found.starttls = (found.upgrade == Upgrade::Offered).then_some(StartTls::Xmpp);
    }
    let text = String::from_utf8_lossy(&features).into_owned();
    signatures::apply(&mut found, &text);
    Ok(Some(found))
}

async fn open_stream(dialer: &Dialer<'_>, to: &str) -> Result<Vec<u8>, ProbeFailure> {
    let request = format!(
        "<?xml version='1.0'?><stream:stream to='{to}' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    );
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| {
        let text = String::from_utf8_lossy(answer);
        let no_stream = answer.len() >= 5 && !text.trim_start().starts_with('<');
        Enough::when(no_stream || text.contains("</stream:features>") || text.contains("</stream:stream>"))
    };
    channel.ask(request.as_bytes(), complete).await
}

/// What the answer to a stream header says: a stream header in return, with features or an error inside.
pub fn xmpp_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let text = String::from_utf8_lossy(answer.get(..answer.len().min(8192))?).into_owned();
    let opened = text.find("<stream:stream").is_some_and(|at| at < 64);
    // A server says who it is with `id` or `from`; an echo of our own header has neither.
    if !opened || !text.contains("jabber:") || !(text.contains(" id=") || text.contains(" from=")) {
        return None;
    }
    let mut found = evidence("xmpp");
    signatures::apply(&mut found, &text);
    if let Some(reason) = between(&text, "<text", "</text>") {
        let reason = reason.split_once('>').map_or(reason, |(_, text)| text);
        found.banner = Some(printable(reason.as_bytes(), 120)).filter(|text| !text.is_empty());
    }
    Some(found)
}

/// Whether stream features offer `starttls`; `None` if there are no features.
pub fn stream_upgrade(answer: &[u8]) -> Option<bool> {
    let text = String::from_utf8_lossy(answer.get(..answer.len().min(8192))?);
    let features = between(&text, "<stream:features", "</stream:features>")?;
    Some(features.contains("urn:ietf:params:xml:ns:xmpp-tls"))
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let from = text.find(start)? + start.len();
    let rest = text.get(from..)?;
    rest.get(..rest.find(end)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn streams_are_read() {
        let refused = b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='x' \
            xmlns='jabber:client'><stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
            <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>This server does not serve bartizan.invalid</text>\
            </stream:error></stream:stream>";
        let found = xmpp_answer(refused).unwrap();
        assert_eq!(found.product.as_deref(), Some("Prosody"));
        assert_eq!(found.banner.as_deref(), Some("This server does not serve bartizan.invalid"));
        let features = b"<stream:stream id='1'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
            </stream:features>";
        assert_eq!(stream_upgrade(features), Some(true));
        assert_eq!(stream_upgrade(refused), None);
        let echo = b"<?xml version='1.0'?><stream:stream to='x' xmlns='jabber:client' version='1.0'>";
        assert!(xmpp_answer(echo).is_none());
        assert!(xmpp_answer(b"<html></html>").is_none());
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
            let _ = xmpp_answer(&bytes);
            let mut answer = b"<stream:stream id='' xmlns='jabber:client'><stream:features><text".to_vec();
            answer.extend(text.as_bytes());
            let _ = xmpp_answer(&answer);
            let _ = stream_upgrade(&answer);
        }
    }
}
