//! The actions that the audit log can hold. The API documents them, and the web interface has a title for each.

/// Every action, in order.
pub const ACTIONS: [&str; 68] = [
    "api_key.create",
    "api_key.revoke",
    "asset.bulk_update",
    "asset.create",
    "asset.delete",
    "asset.import",
    "asset.update",
    "auth.denied",
    "auth.login",
    "auth.login_failed",
    "auth.logout",
    "auth.password_change",
    "auth.password_reset",
    "auth.password_reset_request",
    "auth.recovery_codes",
    "auth.refresh",
    "auth.refresh_token_reused",
    "auth.second_factor_begin",
    "auth.second_factor_disable",
    "auth.second_factor_enable",
    "auth.session_revoke",
    "auth.setup",
    "auth.switch",
    "backup.restore",
    "branding.remove",
    "branding.update",
    "branding.upload",
    "demo.load",
    "demo.remove",
    "export.run",
    "finding.acceptance_expired",
    "finding.bulk_update",
    "finding.update",
    "invitation.accept",
    "invitation.create",
    "invitation.resend",
    "invitation.revoke",
    "job.cancel",
    "job.retry",
    "member.remove",
    "member.update",
    "organization.create",
    "organization.update",
    "role.create",
    "role.delete",
    "role.update",
    "scan.cancel",
    "scan.create",
    "scan.delete",
    "schedule.create",
    "schedule.delete",
    "schedule.fire",
    "schedule.run",
    "schedule.update",
    "secret.reseal",
    "secret_key.rotate",
    "settings.test",
    "settings.update",
    "system.log_level",
    "system.maintenance",
    "user.create",
    "user.deactivate",
    "user.password_link",
    "user.password_set",
    "user.profile",
    "user.second_factor_remove",
    "user.sessions_end",
    "user.update",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The literals that follow `Change::new(` in the sources below a folder.
    fn written(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                written(&path, found);
                continue;
            }
            if path.ends_with(file!().rsplit('/').next().unwrap()) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in text.split("Change::new(").skip(1) {
                let literal = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                if let Some(action) = literal {
                    found.insert(action.to_owned());
                }
            }
        }
    }

    #[test]
    fn the_list_is_what_the_use_cases_write() {
        let mut found = BTreeSet::new();
        written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let listed: BTreeSet<String> = ACTIONS.iter().map(|action| (*action).to_owned()).collect();
        assert_eq!(found, listed);
        assert!(ACTIONS.is_sorted());
    }
}
