//! Profiles of a POM: which of them a build without options uses, as far as the file itself decides it.
//!
//! Rules: Maven's guide "Introduction to build profiles". A build that is given nothing activates a profile by:
//!
//! | activation | decided as |
//! |---|---|
//! | none, or conditions that cannot hold | not active: it is asked for by name (`-P`) or by a user's settings |
//! | `activeByDefault` | active, unless another profile of the same file is |
//! | `property` `!name`, or `name` with a value that begins with `!` | active, as nothing sets the property |
//! | `property` `name` | not active; of a property that the machine sets (`java.…`, `os.…`, `env.…`): not known |
//! | `jdk`, `os`, `file`, `packaging` | not known: the machine that builds decides |
//!
//! All conditions of a profile must hold (Maven 3.2.2 and later). Where it is not known whether another profile is active,
//! those that are active by default count as active.
//!
//! Not here: what an active profile contributes (the module above).

use crate::xml::Element;

/// Beginnings of names of properties that the machine sets without being asked.
const SET_BY_MACHINE: [&str; 9] = ["java.", "os.", "env.", "user.", "file.", "line.", "path.", "sun.", "maven."];

/// Whether a build without options uses a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Activation {
    /// It does.
    Active,
    /// The machine that builds decides.
    Unknown,
    /// It does not.
    Inactive,
}

/// A profile with its activation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile<'p> {
    pub(super) element: &'p Element,
    pub(super) activation: Activation,
}

impl<'p> Profile<'p> {
    /// The profiles of a project, in the order of the file.
    pub(super) fn all(project: &'p Element) -> Vec<Self> {
        let elements: Vec<&Element> =
            project.child("profiles").into_iter().flat_map(|section| section.all("profile")).collect();
        let stated: Vec<Option<Activation>> = elements.iter().map(|profile| stated(profile)).collect();
        let other_is_active = stated.contains(&Some(Activation::Active));
        elements
            .into_iter()
            .zip(stated)
            .map(|(element, stated)| {
                let by_default = element
                    .child("activation")
                    .is_some_and(|activation| activation.value("activeByDefault") == Some("true"));
                let activation = match stated {
                    Some(Activation::Active) => Activation::Active,
                    _ if by_default && !other_is_active => Activation::Active,
                    Some(Activation::Unknown) => Activation::Unknown,
                    _ => Activation::Inactive,
                };
                Self { element, activation }
            })
            .collect()
    }

    /// Its name.
    pub(super) fn id(&self) -> &'p str {
        self.element.value("id").unwrap_or("default")
    }

    /// Why it does not count, for readers; none if it does.
    pub(super) fn objection(&self) -> Option<String> {
        match self.activation {
            Activation::Active => None,
            Activation::Unknown => Some(format!(
                "a dependency of the profile `{}`; whether that is active depends on {}",
                self.id(),
                self.depends_on()
            )),
            Activation::Inactive => {
                Some(format!("a dependency of the profile `{}`, which is active only where it is asked for", self.id()))
            }
        }
    }

    fn depends_on(&self) -> &'static str {
        let has = |name| self.element.child("activation").is_some_and(|activation| activation.child(name).is_some());
        match () {
            () if has("jdk") => "the JDK of the build",
            () if has("os") => "the operating system of the build",
            () if has("file") => "files of the machine that builds",
            () if has("packaging") => "the packaging",
            () => "a property of the machine that builds",
        }
    }
}

/// What the conditions of a profile come to; none if it has none.
fn stated(profile: &Element) -> Option<Activation> {
    let activation = profile.child("activation")?;
    let machine = ["jdk", "os", "file", "packaging"].iter().any(|name| activation.child(name).is_some());
    let by_machine = machine.then_some(Activation::Unknown);
    let by_property = activation.child("property").map(property);
    // All must hold: the least active decides.
    by_machine.into_iter().chain(by_property).max()
}

fn property(property: &Element) -> Activation {
    let (name, value) = (property.value("name").unwrap_or(""), property.value("value").unwrap_or(""));
    let (absent, name) = name.strip_prefix('!').map_or((false, name), |name| (true, name));
    if name.is_empty() {
        return Activation::Inactive;
    }
    if SET_BY_MACHINE.iter().any(|prefix| name.starts_with(prefix)) {
        return Activation::Unknown;
    }
    if absent || value.starts_with('!') { Activation::Active } else { Activation::Inactive }
}
