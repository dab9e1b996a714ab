//! Go module versions: `vMAJOR.MINOR.PATCH[-pre][+incompatible]`, and toolchain versions `go1.21rc2`.
//!
//! Rules: the Go modules reference (versions, pseudo-versions) and go.dev/doc/toolchain. A pseudo-version is a
//! prerelease and sorts as one. `+incompatible` is build metadata and not compared. OSV writes versions without `v`.

use super::{Read, semver};
use crate::key::Writer;

pub(super) fn key(version: &str) -> Read {
    let mut writer = Writer::default();
    if let Some(toolchain) = version.strip_prefix("go") {
        semver::write(&mut writer, &toolchain_as_semver(toolchain)?)?;
    } else {
        semver::write(&mut writer, version.strip_prefix('v').unwrap_or(version))?;
    }
    Ok(writer.finish())
}

/// `1.21rc2` is `1.21.0-rc.2`; `1.21` before the release of 1.21.0 is the language version and sorts as `1.21.0-0`
/// never occurs in advisories, which name releases.
fn toolchain_as_semver(text: &str) -> Result<String, &'static str> {
    let at = text.find(|c: char| c.is_ascii_lowercase()).unwrap_or(text.len());
    let (number, pre) = text.split_at(at);
    if pre.is_empty() {
        return Ok(number.to_owned());
    }
    let name = pre.trim_end_matches(|c: char| c.is_ascii_digit());
    let count = &pre[name.len()..];
    if !matches!(name, "rc" | "beta" | "alpha") || count.is_empty() {
        return Err("the toolchain suffix is not alphaN, betaN or rcN");
    }
    let number = if number.matches('.').count() == 1 { format!("{number}.0") } else { number.to_owned() };
    Ok(format!("{number}-{name}.{count}"))
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn pseudo_versions_and_toolchains() {
        assert_ascending(
            Dialect::Go,
            &[
                "v0.0.0-20190101000000-abcdefabcdef",
                "v0.0.0-20200101000000-000000000000",
                "v0.0.1-0.20200101000000-abcdefabcdef",
                "v0.0.1",
                "v1.0.0-rc.1",
                "v1.0.0",
                "v1.2.4-0.20210101000000-abcdefabcdef",
                "1.2.4",
                "v2.0.0+incompatible",
            ],
        );
        assert_ascending(Dialect::Go, &["go1.20.1", "go1.21beta1", "go1.21rc2", "go1.21.0", "go1.21.10"]);
        assert_equal(Dialect::Go, &["v2.0.0+incompatible", "2.0.0"]);
    }
}
