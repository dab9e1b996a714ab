//! What of TFTP has to be known to take an answer from another port than the one that was asked (RFC 1350 section 4).

/// Whether a payload is a read request: its opcode, a name, and one of the modes (RFC 1350 section 5).
pub fn is_request(payload: &[u8]) -> bool {
    let Some(rest) = payload.strip_prefix(&[0, 1]) else { return false };
    let mut words = rest.split(|byte| *byte == 0).skip(1);
    words.next().is_some_and(|mode| [&b"octet"[..], b"netascii"].iter().any(|known| mode.eq_ignore_ascii_case(known)))
}

/// Whether a datagram is data, an error or an acknowledgement of options (RFC 1350, RFC 2347).
pub const fn is_answer(datagram: &[u8]) -> bool {
    matches!(datagram, [0, 3 | 5, _, _, ..] | [0, 6, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tftp_is_recognised_by_its_request_and_its_answers() {
        assert!(is_request(b"\0\x01a-file\0octet\0") && is_request(b"\0\x01x\0NETASCII\0blksize\x00512\0"));
        for other in [&b""[..], b"\0", b"\0\x01", b"\0\x01octet", b"\0\x01octet\0", b"\0\x02a\0octet\0", b"\x23\0\0\0"]
        {
            assert!(!is_request(other), "{other:?}");
        }
        assert!(is_answer(&[0, 5, 0, 1]) && is_answer(&[0, 3, 0, 1, 9]) && is_answer(&[0, 6]));
        assert!(!is_answer(&[0, 5]) && !is_answer(&[0, 1, 0, 0]) && !is_answer(&[]));
    }
}
