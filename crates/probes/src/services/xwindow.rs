//! The X window system: the connection set-up (X11 protocol, chapter 8), which states vendor and release to those it lets
//! in. No window is made and nothing is read; the connection ends after the set-up.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::wire::{Cursor, Dialer, Enough, printable};
use super::{evidence, signatures};

/// Set-up without authorisation data, least significant byte first, protocol 11.0.
const SETUP: [u8; 12] = [b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Asks for a connection without authorisation data.
pub async fn x11(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    // The vendor stands within the first bytes; the list of screens behind it is not needed.
    let enough = |answer: &[u8]| {
        Enough::when(match answer.first() {
            Some(1) => x11_vendor(answer).is_some() || answer.len() > 512,
            Some(0) => answer.len() >= 8 && answer.len() >= 8 + usize::from(answer.get(1).copied().unwrap_or_default()),
            _ => !answer.is_empty(),
        })
    };
    Ok(x11_answer(&channel.ask(&SETUP, enough).await?))
}

/// What a server's answer to the set-up says.
pub fn x11_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (status, reason_length) = (cursor.u8()?, cursor.u8()?);
    let (major, minor, words) = (cursor.le16()?, cursor.le16()?, cursor.le16()?);
    if major != 11 || minor > 1 {
        return None;
    }
    let mut found = evidence("x11");
    match status {
        0 => {
            // Reason, padded to words, and nothing behind it.
            let reason = cursor.take(usize::from(reason_length))?;
            if usize::from(words) != usize::from(reason_length).div_ceil(4) || !reason.is_ascii() {
                return None;
            }
            let reason = printable(reason, 120);
            found.banner = Some(reason.clone()).filter(|text| !text.is_empty());
            found.access = Access::AuthRequired { proof: format!("Connection refused by the X server: {reason}") };
        }
        1 => {
            found.access = Access::Open { proof: "Connection set-up without authorisation accepted".to_owned() };
            if let Some((vendor, release)) = x11_vendor(answer) {
                found.banner = Some(format!("{vendor} {release}"));
                if vendor == "The X.Org Foundation" {
                    let version = xorg_version(release);
                    signatures::set(&mut found, "X.Org X Server", version.as_deref(), Some("x.org:x_server"));
                }
            }
        }
        2 => found.access = Access::AuthRequired { proof: "The X server asks for authentication".to_owned() },
        _ => return None,
    }
    Some(found)
}

/// Vendor and release number of a server that let us in.
pub fn x11_vendor(answer: &[u8]) -> Option<(String, u32)> {
    let mut cursor = Cursor(answer);
    cursor.take(8)?;
    let release = cursor.le32()?;
    // Resource id base and mask, size of the motion buffer.
    cursor.take(12)?;
    let length = cursor.le16()?;
    // Greatest request, screens, formats, image order, scan lines, key codes, padding.
    cursor.take(14)?;
    let vendor = printable(cursor.take(usize::from(length))?, 80);
    Some((vendor, release))
}

/// The version of an X.Org server from its release number: 12101007 is 21.1.7, 12013000 is 1.20.13
/// (`XORG_VERSION_NUMERIC`; since version 21 the leading 1 is left out of the version).
fn xorg_version(release: u32) -> Option<String> {
    let (major, minor) = (release / 10_000_000, release / 100_000 % 100);
    let (patch, snapshot) = (release / 1000 % 100, release % 1000);
    match (major, minor) {
        (1, 21..) => Some(format!("{minor}.{patch}.{snapshot}")),
        (1, _) => Some(format!("1.{minor}.{patch}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn success(vendor: &str, release: u32) -> Vec<u8> {
        let mut answer = vec![1, 0, 11, 0, 0, 0, 100, 0];
        answer.extend(release.to_le_bytes());
        answer.extend([0; 12]);
        answer.extend(u16::try_from(vendor.len()).unwrap().to_le_bytes());
        answer.extend([0; 14]);
        answer.extend(vendor.as_bytes());
        answer
    }

    #[test]
    fn set_up_answers_are_read() {
        let found = x11_answer(&success("The X.Org Foundation", 12_101_007)).unwrap();
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("X.Org X Server"), Some("21.1.7")));
        assert!(matches!(found.access, Access::Open { .. }));
        assert_eq!(xorg_version(12_013_000).as_deref(), Some("1.20.13"));
        let mut refused = vec![0, 22, 11, 0, 0, 0, 6, 0];
        refused.extend(b"No protocol specified\n\0\0");
        let found = x11_answer(&refused).unwrap();
        assert!(matches!(found.access, Access::AuthRequired { .. }), "{found:?}");
        assert!(x11_answer(&SETUP).is_none(), "an echo is no server");
        assert!(x11_answer(b"HTTP/1.1 400 Bad Request\r\n").is_none());
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 0_u8..3) {
            let _ = x11_answer(&bytes);
            let mut answer = vec![status, 4, 11, 0, 0, 0, 1, 0];
            answer.extend(&bytes);
            let _ = x11_answer(&answer);
            let _ = x11_vendor(&answer);
        }
    }
}
