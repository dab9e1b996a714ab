//! What developers leave open: the Android debug bridge, and Git's own daemon.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, behind};
use crate::services::wire::{Cursor, Dialer, Enough, banner, printable};
use crate::services::{evidence, signatures};

// --- Android

const CNXN: u32 = u32::from_le_bytes(*b"CNXN");
const AUTH: u32 = u32::from_le_bytes(*b"AUTH");
const STLS: u32 = u32::from_le_bytes(*b"STLS");

/// The first message of a host (`protocol.txt` of the Android debug bridge). No stream is opened.
pub async fn adb(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const HOST: &[u8] = b"host::\0";
    let sum: u32 = HOST.iter().map(|byte| u32::from(*byte)).sum();
    let length = u32::try_from(HOST.len()).unwrap_or_default();
    let mut message = Vec::new();
    for number in [CNXN, 0x0100_0000, 4096, length, sum, !CNXN] {
        message.extend(number.to_le_bytes());
    }
    message.extend(HOST);
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| {
        cursor.take(12)?;
        usize::try_from(cursor.le32()?).ok()?.checked_add(24)
    });
    Ok(adb_answer(&channel.ask(&message, complete).await?))
}

/// A device that lets us in, or one that wants a signature or TLS first.
pub fn adb_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (command, kind, _) = (cursor.le32()?, cursor.le32()?, cursor.le32()?);
    let length = usize::try_from(cursor.le32()?).ok()?;
    let (_, magic) = (cursor.le32()?, cursor.le32()?);
    if magic != !command {
        return None;
    }
    let payload = cursor.take(length)?;
    let mut found = evidence("adb");
    match command {
        CNXN if !payload.starts_with(b"host:") => {
            let name = printable(payload, 160);
            let model = name.split_once("ro.product.model=").and_then(|(_, rest)| rest.split(';').next());
            signatures::set(&mut found, "Android Debug Bridge", None, None);
            found.banner = banner(model.unwrap_or(&name).as_bytes());
            found.access = Access::Open { proof: "CNXN without a key answered: CNXN".to_owned() };
        }
        AUTH if kind == 1 => {
            signatures::set(&mut found, "Android Debug Bridge", None, None);
            found.access = Access::AuthRequired { proof: "CNXN without a key answered: AUTH".to_owned() };
        }
        STLS => {
            signatures::set(&mut found, "Android Debug Bridge", None, None);
            found.access = Access::AuthRequired { proof: "CNXN without a key answered: STLS".to_owned() };
        }
        _ => return None,
    }
    Some(found)
}

// --- Git

/// The references of a repository at `/`, which daemons refuse in words (`git-daemon`, gitprotocol-pack).
pub async fn git(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const REQUEST: &[u8] = b"git-upload-pack /\0host=bartizan.invalid\0";
    let mut line = format!("{:04x}", REQUEST.len() + 4).into_bytes();
    line.extend(REQUEST);
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| Enough::when(git_line(answer).is_some());
    Ok(git_answer(&channel.ask(&line, complete).await?))
}

/// The first line of an answer: a length in four hexadecimal digits, and text.
fn git_line(answer: &[u8]) -> Option<&[u8]> {
    let digits = std::str::from_utf8(answer.get(..4)?).ok()?;
    let length = usize::from_str_radix(digits, 16).ok().filter(|length| *length >= 4)?;
    answer.get(4..length)
}

/// An error, or the first reference with what the server is able to do.
pub fn git_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let line = git_line(answer)?;
    let mut found = evidence("git");
    if let Some(error) = line.strip_prefix(b"ERR ") {
        found.banner = banner(error);
        found.access = Access::Unknown { reason: "which repositories it serves was not tried".to_owned() };
        return Some(found);
    }
    let is_reference =
        line.len() > 41 && line.iter().take(40).all(u8::is_ascii_hexdigit) && line.get(40) == Some(&b' ');
    if !is_reference {
        return None;
    }
    let agent = behind(line, b"agent=git/").and_then(|text| text.split(|byte| matches!(byte, b' ' | b'\n')).next());
    let version = agent.map(|text| printable(text, 40));
    signatures::set(&mut found, "Git daemon", version.as_deref(), Some("git-scm:git"));
    found.access = Access::Unknown { reason: "the daemon is meant to serve everybody".to_owned() };
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(command: u32, kind: u32, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [command, kind, 4096, u32::try_from(payload.len()).unwrap(), 0, !command] {
            out.extend(number.to_le_bytes());
        }
        out.extend(payload);
        out
    }

    #[test]
    fn devices_let_in_or_not() {
        let open =
            adb_answer(&message(CNXN, 0x0100_0000, b"device::ro.product.name=x;ro.product.model=Pixel;\0")).unwrap();
        assert_eq!(open.banner.as_deref(), Some("Pixel"));
        assert!(matches!(open.access, Access::Open { .. }));
        assert!(matches!(adb_answer(&message(AUTH, 1, &[0; 20])).unwrap().access, Access::AuthRequired { .. }));
        assert!(adb_answer(&message(CNXN, 0x0100_0000, b"host::\0")).is_none(), "an echo is no device");
    }

    #[test]
    fn daemons_of_git_refuse_or_list() {
        let found = git_answer(b"0033ERR access denied or repository not exported: /").unwrap();
        assert_eq!(found.banner.as_deref(), Some("access denied or repository not exported: /"));
        let text = format!("{} HEAD\0multi_ack agent=git/2.39.5\n", "0".repeat(40));
        let found = git_answer(format!("{:04x}{text}", text.len() + 4).as_bytes()).unwrap();
        assert_eq!(found.version.as_deref(), Some("2.39.5"));
        assert!(git_answer(b"002cgit-upload-pack /\0host=bartizan.invalid\0").is_none(), "an echo is no server");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..4) {
            let leads: [&[u8]; 4] = [b"", b"CNXN\0\0\0\x01\0\x10\0\0\x20\0\0\0", b"00ff", b"0040ERR "];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = adb_answer(&answer);
            let _ = git_answer(&answer);
        }
    }
}
