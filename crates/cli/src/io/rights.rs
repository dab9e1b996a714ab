//! Who may read a file that is replaced: those who could before, as far as this user may say so.

use std::fs::{File, Metadata};

/// Gives `file` the owner, the group and the mode of `existing`. What the system refuses is left, and nobody may do more
/// with the new file for it than with the old one.
#[cfg(unix)]
pub fn keep(file: &File, existing: &Metadata) {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    // The owner can be given away by root alone, the group also by its members.
    if fchown(file, Some(existing.uid()), Some(existing.gid())).is_err() {
        let _ = fchown(file, None, Some(existing.gid()));
    }
    let has_group = file.metadata().is_ok_and(|found| found.gid() == existing.gid());
    let mode = mode_for(existing.mode() & 0o777, has_group);
    // Some file systems have no modes; what they have stays.
    let _ = file.set_permissions(std::fs::Permissions::from_mode(mode));
}

#[cfg(not(unix))]
pub fn keep(_: &File, _: &Metadata) {}

/// The mode of a file that may have another group now, which then may do no more than everybody could.
#[cfg(unix)]
const fn mode_for(mode: u32, has_group: bool) -> u32 {
    if has_group { mode } else { mode & (0o707 | (mode & 0o7) << 3) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn another_group_may_do_no_more_than_everybody_could() {
        for (mode, has_group, becomes) in [
            (0o640, true, 0o640),
            (0o640, false, 0o600),
            (0o664, false, 0o644),
            (0o604, false, 0o604),
            (0o646, false, 0o646),
        ] {
            assert_eq!(mode_for(mode, has_group), becomes, "{mode:o}");
        }
    }
}
