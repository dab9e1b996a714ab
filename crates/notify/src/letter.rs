//! The texts of what is sent, in plain text and in HTML.
//!
//! Each letter is a few paragraphs and at most one link, put into one template of each kind; the template engine escapes
//! every value in the HTML one. Whoever gets a letter may know nothing of the program, so each says who caused it and
//! what happens if it is ignored.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

const TEXT: &str = include_str!("letter.txt");
const HTML: &str = include_str!("letter.html");

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(
        |name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        },
    );
    for (name, text) in [("letter.txt", TEXT), ("letter.html", HTML)] {
        if let Err(error) = templates.add_template(name, text) {
            unreachable!("the templates are parsed by the tests: {error}");
        }
    }
    templates
});

/// A letter, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Subject line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// What a letter is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// Somebody is invited to an organisation.
    Invitation {
        /// Name of the organisation.
        organization: &'a str,
        /// Name of who invites.
        by: &'a str,
        /// The role's name.
        role: &'a str,
        /// Where it is accepted.
        link: &'a str,
        /// When the link ends.
        until: DateTime<Utc>,
    },
    /// Somebody asked for a new password.
    PasswordReset {
        /// Whose.
        username: &'a str,
        /// Where it is set.
        link: &'a str,
        /// When the link ends.
        until: DateTime<Utc>,
    },
    /// A password was changed.
    PasswordChanged {
        /// Whose.
        username: &'a str,
        /// When.
        at: DateTime<Utc>,
        /// From which address, if it is known.
        from: Option<&'a str>,
    },
    /// A test of the settings.
    Test,
}

#[derive(Debug, Default, Serialize)]
struct Parts {
    heading: String,
    before: Vec<String>,
    /// What the link does, and the link.
    action: Option<(&'static str, String)>,
    after: Vec<String>,
}

impl Letter {
    /// Writes a letter.
    #[must_use]
    pub fn new(subject: &Subject<'_>) -> Self {
        let parts = parts(subject);
        let fill = |name: &str| {
            let filled = TEMPLATES.get_template(name).and_then(|template| template.render(Serde(&parts)));
            match filled {
                Ok(text) => text,
                Err(error) => unreachable!("the templates name only what every letter has: {error}"),
            }
        };
        Self { text: fill("letter.txt"), html: fill("letter.html"), subject: parts.heading }
    }
}

fn parts(subject: &Subject<'_>) -> Parts {
    match subject {
        Subject::Invitation { organization, by, role, link, until } => Parts {
            heading: format!("Invitation to {organization} on Bartizan"),
            before: vec![format!("{by} invites you to work with {organization} on Bartizan, in the role {role}.")],
            action: Some(("Accept the invitation", (*link).to_owned())),
            after: vec![
                format!("The link works once, until {}.", instant(*until)),
                "If you did not expect this, ignore it: nothing happens without you.".to_owned(),
            ],
        },
        Subject::PasswordReset { username, link, until } => Parts {
            heading: "A new password for Bartizan".to_owned(),
            before: vec![format!("Somebody, perhaps you, asked for a new password for the user {username}.")],
            action: Some(("Set a new password", (*link).to_owned())),
            after: vec![
                format!("The link works once, until {}. Setting a new password ends all sessions.", instant(*until)),
                "If it was not you, ignore this: your password stays as it is.".to_owned(),
            ],
        },
        Subject::PasswordChanged { username, at, from } => Parts {
            heading: "Your Bartizan password was changed".to_owned(),
            before: vec![match from {
                Some(from) => {
                    format!(
                        "The password of the user {username} was changed on {}, from the address {from}.",
                        instant(*at)
                    )
                }
                None => format!("The password of the user {username} was changed on {}.", instant(*at)),
            }],
            action: None,
            after: vec!["If it was not you, tell your administrator at once and ask for a new password.".to_owned()],
        },
        Subject::Test => Parts {
            heading: "Test of the mail settings of Bartizan".to_owned(),
            before: vec!["This is a test. Mail from Bartizan reaches you.".to_owned()],
            ..Parts::default()
        },
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(organization: &str) -> Letter {
        Letter::new(&Subject::Invitation {
            organization,
            by: "Robin",
            role: "analyst",
            link: "https://bartizan.example.com/ui/invitation#6f1c&x",
            until: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        })
    }

    #[test]
    fn both_bodies_say_the_same() {
        let letter = invitation("Example Ltd");
        assert_eq!(letter.subject, "Invitation to Example Ltd on Bartizan");
        assert_eq!(
            letter.text,
            "Robin invites you to work with Example Ltd on Bartizan, in the role analyst.\n\n\
             Accept the invitation:\nhttps://bartizan.example.com/ui/invitation#6f1c&x\n\n\
             The link works once, until 15 January 2027, 08:00 UTC.\n\n\
             If you did not expect this, ignore it: nothing happens without you.\n"
        );
        for words in
            ["Robin invites you", "Accept the invitation", "until 15 January 2027", "nothing happens without you"]
        {
            assert!(letter.html.contains(words), "{words}");
        }
        assert!(
            letter.html.contains(r#"href="https:&#x2f;&#x2f;bartizan.example.com&#x2f;ui&#x2f;invitation#6f1c&amp;x""#)
        );
    }

    #[test]
    fn values_are_text_and_never_markup() {
        let letter = invitation(r#"<img src=x onerror="alert(1)"> & Sons"#);
        assert!(!letter.html.contains("<img"), "{}", letter.html);
        assert!(letter.html.contains("&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; Sons"));
        assert!(letter.text.contains(r#"<img src=x onerror="alert(1)"> & Sons"#));
    }

    #[test]
    fn every_letter_is_written() {
        let (at, link) = (DateTime::UNIX_EPOCH, "https://bartizan.example.com/");
        for subject in [
            Subject::PasswordReset { username: "ada", link, until: at },
            Subject::PasswordChanged { username: "ada", at, from: Some("192.0.2.1") },
            Subject::PasswordChanged { username: "ada", at, from: None },
            Subject::Test,
        ] {
            let letter = Letter::new(&subject);
            assert!(!letter.subject.is_empty() && letter.text.ends_with('\n') && letter.html.contains("</html>"));
            assert!(!letter.text.contains("\n\n\n"), "{:?}", letter.text);
        }
    }
}
