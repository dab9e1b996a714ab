//! NuGet versions: up to four numbers, prerelease labels compared without regard to case.
//!
//! Rules: "NuGet package versioning" of the NuGet documentation. Metadata after `+` is not compared.

use super::{Read, semver};
use crate::key::Writer;

pub(super) fn key(version: &str) -> Read {
    let number = version.split(['-', '+']).next().unwrap_or(version);
    if number.split('.').count() > 4 {
        return Err("it has more than four numbers");
    }
    let mut writer = Writer::default();
    semver::write(&mut writer, &version.to_ascii_lowercase())?;
    Ok(writer.finish())
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn four_numbers_and_case() {
        assert_ascending(Dialect::Nuget, &["1.0.0-alpha", "1.0.0-Beta", "1.0.0-rc.1", "1.0.0", "1.0.0.1", "1.0.1"]);
        assert_equal(Dialect::Nuget, &["1.0", "1.0.0.0", "1.0.0+build"]);
        assert_equal(Dialect::Nuget, &["1.0.0-RC", "1.0.0-rc"]);
        assert!(Dialect::Nuget.key("1.2.3.4.5").is_err());
    }
}
