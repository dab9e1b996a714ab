//! What people who know nmap write to `bartizan ports` out of habit, in our words. Only what can be honoured is translated;
//! everything else is for clap to refuse. (`-sV` and its like are arguments of their own.)

use std::ffi::OsString;

/// The arguments with nmap's spellings translated: `-Pn`, `-n`, `-sSV`, `-iL FILE`, `-oX FILE`, `--allports`.
pub fn translate(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let arguments: Vec<OsString> = arguments.collect();
    let Some(begin) = command_at(&arguments).filter(|at| arguments.get(*at).is_some_and(|name| name == "ports")) else {
        return arguments;
    };
    let (before, after) = arguments.split_at(begin + 1);
    let mut translated = before.to_vec();
    let mut after = after.iter();
    while let Some(argument) = after.next() {
        match argument.to_str() {
            Some("-Pn") => translated.push("--no-discovery".into()),
            Some("--allports") => translated.push("--ask-everything".into()),
            // Names of addresses are never asked for.
            Some("-n") => {}
            // Several of its scans in one word, as in -sSV.
            Some(text) if letters_of(text).is_some_and(|letters| letters.len() > 1) => {
                let letters = letters_of(text).unwrap_or_default();
                translated.extend(letters.chars().map(|letter| format!("-s{letter}").into()));
            }
            Some(text) if text.len() > 3 && text.starts_with("-iL") => {
                translated.push(format!("@{}", &text[3..]).into());
            }
            Some("-iL") => translated.push(with_value("@", after.next(), argument)),
            Some("-oX") => {
                translated.push("-o".into());
                translated.push(with_value("xml=", after.next(), argument));
            }
            Some("--") => {
                translated.push(argument.clone());
                translated.extend(after.by_ref().cloned());
            }
            _ => translated.push(argument.clone()),
        }
    }
    translated
}

/// The letters after `-s`, if each of them is a scan that can be asked for.
fn letters_of(text: &str) -> Option<&str> {
    text.strip_prefix("-s").filter(|letters| letters.chars().all(|letter| "VUSTn".contains(letter)))
}

/// A value with something before it; an argument that lacks its value stays as it is, and is refused.
fn with_value(before: &str, value: Option<&OsString>, argument: &OsString) -> OsString {
    let Some(value) = value else { return argument.clone() };
    let mut text = OsString::from(before);
    text.push(value);
    text
}

/// Where the name of the command stands.
fn command_at(arguments: &[OsString]) -> Option<usize> {
    let mut at = 1;
    while let Some(argument) = arguments.get(at) {
        match argument.to_str() {
            Some("--config") => at += 2,
            Some(text) if text.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_are_translated_for_the_port_scan_alone() {
        for (written, meant) in [
            ("bartizan ports -Pn -n 192.0.2.1", "bartizan ports --no-discovery 192.0.2.1"),
            (
                "bartizan -v --config c.toml ports -iL hosts.txt -oX a.xml",
                "bartizan -v --config c.toml ports @hosts.txt -o xml=a.xml",
            ),
            ("bartizan ports -sV --allports a", "bartizan ports -sV --ask-everything a"),
            ("bartizan ports -iL - -oX -", "bartizan ports @- -o xml=-"),
            ("bartizan ports -sSV -sTU -iLhosts.txt", "bartizan ports -sS -sV -sT -sU @hosts.txt"),
            ("bartizan ports -sSX -sC -s", "bartizan ports -sSX -sC -s"),
            ("bartizan ports -iL", "bartizan ports -iL"),
            ("bartizan ports -- -n", "bartizan ports -- -n"),
            ("bartizan scan -n", "bartizan scan -n"),
            ("bartizan", "bartizan"),
        ] {
            let translated = translate(written.split(' ').map(OsString::from));
            assert_eq!(translated, meant.split(' ').map(OsString::from).collect::<Vec<_>>(), "{written}");
        }
    }
}
