//! OpenVPN: the first packet of a session, to which a server without a shared key for the control channel answers with its
//! own. A server with `tls-auth` or `tls-crypt` stays silent to strangers and cannot be told from a closed door.

use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::wire::{Cursor, Dialer, Enough};
use super::{evidence, signatures};

/// Our session number.
const SESSION: [u8; 8] = *b"bartizan";
/// P_CONTROL_HARD_RESET_CLIENT_V2 and P_CONTROL_HARD_RESET_SERVER_V2, shifted beside key number 0.
const CLIENT_RESET: u8 = 7 << 3;
const SERVER_RESET: u8 = 8 << 3;

/// The packet: opcode, session, no acknowledgements, packet number 0.
pub fn hello() -> Vec<u8> {
    let mut packet = vec![CLIENT_RESET];
    packet.extend(SESSION);
    packet.extend([0, 0, 0, 0, 0]);
    packet
}

/// Over TCP each packet has its length before it.
pub async fn openvpn(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let packet = hello();
    let mut request = u16::try_from(packet.len()).unwrap_or_default().to_be_bytes().to_vec();
    request.extend(packet);
    let mut channel = dialer.open().await?;
    let enough = |answer: &[u8]| {
        Enough::when(Cursor(answer).be16().is_some_and(|length| answer.len() >= usize::from(length) + 2))
    };
    let answer = channel.ask(&request, enough).await?;
    let mut cursor = Cursor(&answer);
    let packet = cursor.be16().and_then(|length| cursor.take(usize::from(length)));
    Ok(packet.and_then(openvpn_answer))
}

/// What an answer to [`hello`] says: the server's reset, which acknowledges our packet and repeats our session number.
pub fn openvpn_answer(packet: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(packet);
    if cursor.u8()? & 0xf8 != SERVER_RESET {
        return None;
    }
    cursor.take(8)?;
    let acknowledged = usize::from(cursor.u8()?);
    if acknowledged == 0 {
        return None;
    }
    cursor.take(acknowledged * 4)?;
    if cursor.take(8)? != SESSION {
        return None;
    }
    let mut found = evidence("openvpn");
    signatures::set(&mut found, "OpenVPN", None, Some("openvpn:openvpn"));
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_servers_reset_is_recognised() {
        let mut answer = vec![SERVER_RESET];
        answer.extend([9; 8]);
        answer.extend([1, 0, 0, 0, 0]);
        answer.extend(SESSION);
        answer.extend([0, 0, 0, 0]);
        assert_eq!(openvpn_answer(&answer).unwrap().product.as_deref(), Some("OpenVPN"));
        assert!(openvpn_answer(&hello()).is_none(), "an echo is no server");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = openvpn_answer(&bytes);
            let mut answer = vec![SERVER_RESET];
            answer.extend(&bytes);
            let _ = openvpn_answer(&answer);
        }
    }
}
