// Generated from openapi.json by `npm run generate:api`. Do not edit.

export interface paths {
    "/api/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists API keys, newest first.
         * @description One's own, or with `members.manage` and `all=true` every member's. Revoked keys are not listed.
         */
        get: operations["list_api_keys"];
        put?: never;
        /**
         * Makes an API key of one's own.
         * @description It may do what its owner may do at the moment of each request, narrowed to `permissions`. API keys cannot make keys.
         */
        post: operations["create_api_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/api-keys/{api_key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads an API key.
         * @description One's own, or anybody's with `members.manage`.
         */
        get: operations["get_api_key"];
        put?: never;
        post?: never;
        /**
         * Revokes an API key.
         * @description One's own, or anybody's with `members.manage`. It stops working at once. Not for API keys.
         */
        delete: operations["delete_api_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/assets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists assets.
         * @description Needs `assets.view`.
         */
        get: operations["list_assets"];
        put?: never;
        /**
         * Adds an asset.
         * @description Needs `assets.manage`. A target that exists already is a 409.
         */
        post: operations["create_asset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/assets/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes risk zone and labels of several assets.
         * @description Needs `assets.manage`. At least one of `risk_zone`, `add_tags`, `remove_tags` must be given.
         */
        patch: operations["bulk_update_assets"];
        trace?: never;
    };
    "/api/assets/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Imports assets from a CSV file.
         * @description Needs `assets.manage`. Rows that break a rule are reported by line; the others are imported.
         */
        post: operations["import_assets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/assets/tags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the labels in use.
         * @description Needs `assets.view`. The most used first.
         */
        get: operations["list_asset_tags"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/assets/{asset_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads an asset.
         * @description Needs `assets.view`.
         */
        get: operations["get_asset"];
        put?: never;
        post?: never;
        /**
         * Removes an asset.
         * @description Needs `assets.manage`. Its open findings are resolved as `asset_removed`; scans keep their results.
         */
        delete: operations["delete_asset"];
        options?: never;
        head?: never;
        /**
         * Changes an asset.
         * @description Needs `assets.manage`. The target itself cannot change: that would be another asset.
         */
        patch: operations["update_asset"];
        trace?: never;
    };
    "/api/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the audit log, newest first.
         * @description Needs `audit.view`.
         */
        get: operations["list_audit_entries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Exports the audit log as a file.
         * @description Needs `audit.view` and `exports.run`. At most 100,000 entries; more are a 413. The export is itself an entry.
         */
        get: operations["download_audit_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Verifies the chain of the audit log.
         * @description Needs `audit.view`. Reads every entry of the organisation. With `position` and `hash` of an entry or head noted down
         *     earlier, also that this link is still there: a chain whose end was cut off together with its head is found out so.
         */
        get: operations["verify_audit_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/invitation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accepts an invitation with a new account, and signs it in.
         * @description Public, and counted like a sign-in. Somebody with an account signs in and joins instead.
         */
        post: operations["accept_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/invitation/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Says what the link of an invitation is to.
         * @description Public, and counted like a sign-in.
         */
        post: operations["preview_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Signs in with user name and password.
         * @description Ten attempts a minute and address; an account that failed several times in a row waits as well. The answer does not
         *     tell an unknown user from a wrong password.
         */
        post: operations["login_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends the current session.
         * @description Its access and refresh tokens stop working at once.
         */
        post: operations["logout_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Describes the signed-in user.
         * @description Permissions are those of the role in the current organisation, at this moment.
         */
        get: operations["get_current_user"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes how the web interface looks to the signed-in user.
         * @description Everybody may, for themselves.
         */
        patch: operations["update_current_user"];
        trace?: never;
    };
    "/api/auth/oidc/authorize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Begins a sign-in with the OpenID provider.
         * @description Public. Send the browser to `authorization_url`. State, nonce and the PKCE verifier are kept on the server.
         */
        get: operations["authorize_oidc"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/oidc/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finishes a sign-in with the OpenID provider.
         * @description Public. The browser must be the one that began: it sends the cookie set then, or the `nonce` it was given. The first
         *     sign-in makes the account.
         */
        post: operations["exchange_oidc_code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes one's own password.
         * @description One's other sessions end; API keys stay unless the body says otherwise. Not for API keys, nor for users of a directory.
         */
        post: operations["update_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password/forgot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Has a link for a new password sent by mail.
         * @description Public, and counted like a sign-in. The answer is the same whether or not there is such an account, whether or not its
         *     password is kept here, and whether or not mail is sent at all; an account is sent three links an hour at most.
         */
        post: operations["request_password_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sets a new password with the link of a mail.
         * @description Public, and counted like a sign-in. The link works once and for an hour; every session of the user ends, and so do the
         *     API keys unless the body says otherwise. A second factor stays as it is.
         */
        post: operations["reset_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says which ways to sign in exist.
         * @description Public. The sign-in page asks this first; `setup_required` sends it to the setup page.
         */
        get: operations["get_auth_providers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchanges a refresh token for new tokens.
         * @description The refresh token is replaced; using an old one again ends the session. One whose answer was lost may be presented
         *     again for 30 seconds, until its successor is used; the successor that was lost is withdrawn. At most 120 exchanges
         *     a minute and address.
         */
        post: operations["refresh_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says whether one has a second factor.
         * @description Not for API keys.
         */
        get: operations["get_second_factor"];
        put?: never;
        /**
         * Begins a second factor.
         * @description It counts from the first right code on: `POST /api/auth/second-factor/confirm`. Not for API keys.
         */
        post: operations["create_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/second-factor/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Turns the begun second factor on.
         * @description Answers with recovery codes for the day the authenticator is lost. Not for API keys.
         */
        post: operations["confirm_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/second-factor/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Removes one's second factor.
         * @description Its recovery codes are worth nothing any more. Not for API keys.
         */
        post: operations["delete_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/second-factor/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replaces one's recovery codes.
         * @description The old ones are worth nothing any more. Not for API keys.
         */
        post: operations["create_recovery_codes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists one's own open sessions, last used first.
         * @description Not for API keys.
         */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        /**
         * Ends one's other sessions.
         * @description The one of this request stays. Not for API keys.
         */
        delete: operations["delete_other_sessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Ends one of one's own sessions.
         * @description Its tokens stop working at once. Not for API keys.
         */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Creates the first user, who is an administrator, and signs them in.
         * @description Works while no user exists. When the server listens on anything but loopback, the one-time token it printed at
         *     its start is needed, in `setup_token` or the header `X-Setup-Token`.
         */
        post: operations["setup_server"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Switches to another organisation of the caller's.
         * @description The session stays, its next tokens are for that organisation. Not for API keys.
         */
        post: operations["switch_organization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/branding": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads how the product looks to an organisation.
         * @description Public: the sign-in page shows it.
         */
        get: operations["get_branding"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes how the product looks to the caller's organisation.
         * @description Needs `branding.manage`. With `If-Match`, only if nobody changed it meanwhile.
         */
        patch: operations["update_branding"];
        trace?: never;
    };
    "/api/branding/assets/{asset_type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a picture.
         * @description Public, and kept by browsers for an hour.
         */
        get: operations["download_branding_asset"];
        put?: never;
        /**
         * Uploads a picture.
         * @description Needs `branding.manage`. It is decoded and written anew, so that nothing but its pixels is kept, and takes the place
         *     of the one before.
         */
        post: operations["update_branding_asset"];
        /**
         * Removes a picture.
         * @description Needs `branding.manage`.
         */
        delete: operations["delete_branding_asset"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/checks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists checks.
         * @description Needs `findings.view`.
         */
        get: operations["list_checks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/checks/{check_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a check.
         * @description Needs `findings.view`. Former ids work as well.
         */
        get: operations["get_check"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/compliance/matrix": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the compliance matrix.
         * @description Needs `compliance.view`.
         */
        get: operations["get_compliance_matrix"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/config/auth": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the settings of sign-in.
         * @description Needs `config.manage`, in the first organisation of the server. Secrets are never shown.
         */
        get: operations["get_auth_config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes the settings of sign-in.
         * @description Needs `config.manage`, in the first organisation of the server. With `If-Match`, only if nobody changed them
         *     meanwhile. Password sign-in is switched off by somebody who signs in by another method; `bartizan admin
         *     enable-password-sign-in` switches it on again.
         */
        patch: operations["update_auth_config"];
        trace?: never;
    };
    "/api/config/auth/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries the OpenID provider or the directory out.
         * @description Needs `config.test`, in the first organisation of the server. Nothing is stored; with settings in the body, those are
         *     tried. For the provider: discovery, keys, and whether it knows the client. For the directory: connecting, binding,
         *     searching, and with a name and a password a whole sign-in.
         */
        post: operations["test_auth_config"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/config/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the settings of the mail server.
         * @description Needs `config.view`, in the organisation that setup made.
         */
        get: operations["get_mail_settings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes the settings of the mail server.
         * @description Needs `config.manage`, in the organisation that setup made. With `If-Match`, only if nobody changed them meanwhile.
         */
        patch: operations["update_mail_settings"];
        trace?: never;
    };
    "/api/config/mail/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a mail, to try the settings.
         * @description Needs `config.test`, in the organisation that setup made. A server that refuses is a 200 with `ok: false`. The settings
         *     need not be switched on.
         */
        post: operations["test_mail_settings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/config/scanning": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the scan settings.
         * @description Needs `config.view`.
         */
        get: operations["get_scanning_settings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes the scan settings.
         * @description Needs `config.manage`. With `If-Match`, only if nobody changed them meanwhile. Private addresses can be allowed in
         *     another organisation only where the first organisation of the server allows them.
         */
        patch: operations["update_scanning_settings"];
        trace?: never;
    };
    "/api/demo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Loads demo data.
         * @description Needs `assets.manage` and `scans.run`. Recorded evidence, judged by the real checks, marked as demo everywhere. Loading it again
         *     changes nothing.
         */
        post: operations["load_demo_data"];
        /**
         * Removes demo data.
         * @description Needs `assets.manage` and `scans.delete`. What is real stays.
         */
        delete: operations["delete_demo_data"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists findings.
         * @description Needs `findings.view`. Nothing is hidden: without a filter, resolved findings are in the list. Whoever reads a long
         *     list to its end gives the id of the last finding as `after` instead of counting pages up: that is as quick at the end
         *     as at the begin, and leaves nothing out when findings come or go meanwhile.
         */
        get: operations["list_findings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/findings/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes the status of several findings.
         * @description Needs `findings.triage`. Each id is answered for by itself; unknown ones do not stop the others.
         */
        post: operations["bulk_update_findings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/findings/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Counts findings.
         * @description Needs `findings.view`. Takes the filters of the list, so that a number and the table behind it agree. Each
         *     division leaves its own filter out: it says what choosing another value would show.
         */
        get: operations["get_finding_stats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/findings/{finding_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a finding.
         * @description Needs `findings.view`. With the evidence of its last sighting and the texts of its check.
         */
        get: operations["get_finding"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Changes the status of a finding.
         * @description Needs `findings.triage`. Any status may follow any other; `accepted_risk` needs a note.
         */
        patch: operations["update_finding"];
        trace?: never;
    };
    "/api/findings/{finding_id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what happened to a finding.
         * @description Needs `findings.view`. Newest first.
         */
        get: operations["list_finding_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists invitations, newest first.
         * @description Needs `members.manage`.
         */
        get: operations["list_invitations"];
        put?: never;
        /**
         * Invites somebody by e-mail address.
         * @description Needs `members.manage`, and every permission of the role. Where a mail server is set, the link is sent
         *     by mail and `mail` tells what becomes of it; else the answer holds the link, this once: hand it on.
         */
        post: operations["create_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/invitations/join": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Joins an organisation with an invitation to one's own address.
         * @description Any signed-in user may. Not for API keys.
         */
        post: operations["join_organization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/invitations/{invitation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads an invitation.
         * @description Needs `members.manage`.
         */
        get: operations["get_invitation"];
        put?: never;
        post?: never;
        /**
         * Takes an invitation back.
         * @description Needs `members.manage`. Its link is worth nothing any more.
         */
        delete: operations["delete_invitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/invitations/{invitation_id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes a new link for an invitation.
         * @description Needs `members.manage`. The old link is worth nothing any more. The new one is sent by mail where a mail server is
         *     set and `send_mail` is not `false`; else the answer holds it, this once.
         */
        post: operations["resend_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists background jobs.
         * @description Needs `system.view`. Newest first: what waits, what runs, and for 30 days what became of the rest.
         */
        get: operations["list_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a background job.
         * @description Needs `system.view`.
         */
        get: operations["get_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancels a background job.
         * @description Needs `system.manage`. One that waits ends at once; one that runs is asked to stop. 409 when it has ended.
         */
        post: operations["cancel_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries a background job again.
         * @description Needs `system.manage`. For jobs that failed or were cancelled, except scans, which are launched anew.
         */
        post: operations["retry_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the members of the organisation by name.
         * @description Needs `members.manage`.
         */
        get: operations["list_members"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/members/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a member.
         * @description Needs `members.manage`.
         */
        get: operations["get_member"];
        put?: never;
        post?: never;
        /**
         * Ends a membership.
         * @description Needs `members.manage`. The account stays, with its places in other organisations.
         */
        delete: operations["delete_member"];
        options?: never;
        head?: never;
        /**
         * Changes a member's role, or keeps a member out for a while.
         * @description Needs `members.manage`, and every permission of the member's role before and after. It acts on the member's next
         *     request. The last active administrator stays one.
         */
        patch: operations["update_member"];
        trace?: never;
    };
    "/api/organization": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the current organisation.
         * @description Any member may.
         */
        get: operations["get_organization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Renames the current organisation.
         * @description Needs `config.manage`.
         */
        patch: operations["update_organization"];
        trace?: never;
    };
    "/api/organizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the organisations the caller is a member of.
         * @description `POST /api/auth/switch` changes to another one. By name.
         */
        get: operations["list_organizations"];
        put?: never;
        /**
         * Adds an organisation.
         * @description Needs `system.manage`, in the first organisation of the server. The caller becomes its first administrator.
         */
        post: operations["create_organization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/profiles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the scan profiles.
         * @description Needs `scans.view`. The quickest first.
         */
        get: operations["list_profiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the roles a member can have.
         * @description Needs `members.manage`. Built-in roles first, then those of the organisation by name.
         */
        get: operations["list_roles"];
        put?: never;
        /**
         * Makes a role.
         * @description Needs `members.manage`, and every permission that the role is to hold.
         */
        post: operations["create_role"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/roles/{role}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a role.
         * @description Needs `members.manage`.
         */
        get: operations["get_role"];
        put?: never;
        post?: never;
        /**
         * Removes a role.
         * @description Needs `members.manage`. A role that somebody has cannot be removed.
         */
        delete: operations["delete_role"];
        options?: never;
        head?: never;
        /**
         * Changes a role.
         * @description Needs `members.manage`, and every permission that the role holds or is to hold. It acts on the next request of
         *     everybody who has the role. Built-in roles cannot be changed.
         */
        patch: operations["update_role"];
        trace?: never;
    };
    "/api/scans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists scans.
         * @description Needs `scans.view`.
         */
        get: operations["list_scans"];
        put?: never;
        /**
         * Launches a scan.
         * @description Needs `scans.run`. The scan is queued; `Location` names it, `/progress` and `/events` tell how far it is.
         */
        post: operations["create_scan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/scans/{scan_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a scan.
         * @description Needs `scans.view`.
         */
        get: operations["get_scan"];
        put?: never;
        post?: never;
        /**
         * Deletes a scan and its results.
         * @description Needs `scans.delete`. Findings stay. A scan that runs must be cancelled first: 409.
         */
        delete: operations["delete_scan"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/scans/{scan_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancels a scan.
         * @description Needs `scans.cancel`. What was found is kept and marked incomplete. A scan that has ended is a 409.
         */
        post: operations["cancel_scan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/scans/{scan_id}/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Downloads the results of a scan.
         * @description Needs `scans.view` and `exports.run`. A scan that runs gives what it has so far, marked incomplete.
         */
        get: operations["download_scan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/scans/{scan_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Streams the progress of a scan.
         * @description Needs `scans.view`. Server-sent events: `progress` with a `ScanProgress` as data whenever it changes, beginning
         *     with the present one, and `finished` with the last one, after which the stream ends. It also ends, within seconds, when
         *     the caller may no longer see the scan or the session is over. At most 32 streams a user at once.
         */
        get: operations["stream_scan_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/scans/{scan_id}/progress": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells how far a scan is.
         * @description Needs `scans.view`. For clients that poll; `/events` sends the same when it changes.
         */
        get: operations["get_scan_progress"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/scans/{scan_id}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the hosts of a scan.
         * @description Needs `scans.view`. Hosts appear as they are done, while the scan still runs.
         */
        get: operations["list_scan_results"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists schedules.
         * @description Needs `schedules.view`.
         */
        get: operations["list_schedules"];
        put?: never;
        /**
         * Makes a schedule.
         * @description Needs `schedules.manage`.
         */
        post: operations["create_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schedules/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explains a cron expression.
         * @description Needs `schedules.view`. Says it in words and shows when it comes next.
         */
        get: operations["preview_schedule"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schedules/{schedule_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a schedule.
         * @description Needs `schedules.view`.
         */
        get: operations["get_schedule"];
        put?: never;
        post?: never;
        /**
         * Removes a schedule.
         * @description Needs `schedules.manage`. Scans it launched stay.
         */
        delete: operations["delete_schedule"];
        options?: never;
        head?: never;
        /**
         * Changes a schedule.
         * @description Needs `schedules.manage`. `{"enabled": false}` pauses it. A change of its times sets the next run anew.
         */
        patch: operations["update_schedule"];
        trace?: never;
    };
    "/api/schedules/{schedule_id}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a schedule now.
         * @description Needs `schedules.view` and `scans.run`. Works while it is paused and whatever else runs; the next run stays.
         */
        post: operations["run_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/schedules/{schedule_id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the runs of a schedule.
         * @description Needs `schedules.view`. Newest first, with those that were skipped or missed and why.
         */
        get: operations["list_schedule_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Totals for the overview.
         * @description Needs `dashboard.view`.
         */
        get: operations["get_summary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/summary/trend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Open findings by day and severity.
         * @description Needs `dashboard.view`.
         */
        get: operations["get_summary_trend"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/log-level": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads the log level.
         * @description Needs `system.manage`, in the first organisation of the server. Of the process that answers.
         */
        get: operations["get_log_level"];
        /**
         * Changes the log level.
         * @description Needs `system.manage`, in the first organisation of the server. Of every server and worker that runs, until it ends: they follow
         *     within seconds, without a restart. One that starts later goes by its own setting.
         */
        put: operations["update_log_level"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/maintenance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Switches maintenance mode.
         * @description Needs `system.manage`, in the first organisation of the server. While it is on, writes are answered 503 with the reason, no new work is begun and schedules
         *     wait; running work goes on to its end and everything can be read.
         */
        patch: operations["update_maintenance"];
        trace?: never;
    };
    "/api/system/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * State of the server.
         * @description Needs `system.view`.
         */
        get: operations["get_system_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the processes that run background work.
         * @description Needs `system.view`, in the first organisation of the server. Servers and workers; the living first, then by name. A
         *     process that ends in order leaves the list at once; one that is lost is shown as not alive when its last sign of life
         *     has run out, and leaves the list a day later.
         */
        get: operations["list_workers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the users of the organisation by name.
         * @description Needs `users.manage`.
         */
        get: operations["list_users"];
        put?: never;
        /**
         * Adds a user.
         * @description Needs `users.manage`, and every permission of the new user's role.
         */
        post: operations["create_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a user.
         * @description Needs `users.manage`.
         */
        get: operations["get_user"];
        put?: never;
        post?: never;
        /**
         * Deactivates a user.
         * @description Needs `users.manage`. The account stays and can be activated again; its sessions in the organisation end.
         */
        delete: operations["delete_user"];
        options?: never;
        head?: never;
        /**
         * Changes a user's e-mail address, role or state.
         * @description Needs `users.manage`, and every permission of the user's role before and after. The last active administrator
         *     stays one; the address of somebody who belongs to other organisations as well stays.
         */
        patch: operations["update_user"];
        trace?: never;
    };
    "/api/users/{user_id}/password-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes a link for a new password.
         * @description Needs `users.manage`, and every permission of the user's role; not for API keys. Where mail is sent the link goes to
         *     the user's address, three an hour at most; elsewhere it is in the answer, for the administrator to hand over, but not
         *     for people who belong to other organisations as well (409). Good once and for an hour, and earlier links are worth
         *     nothing any more. Not for users of a directory (409).
         */
        post: operations["create_password_link"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{user_id}/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Removes the second factor of a user who lost it.
         * @description Needs `users.manage`, and every permission of the user's role. Not for somebody who belongs to other organisations
         *     as well.
         */
        delete: operations["delete_user_second_factor"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{user_id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Ends every session of a user.
         * @description Needs `users.manage`, and every permission of the user's role. Those in this organisation, at once; sessions and API
         *     keys of other organisations stay. Whoever knows the password can sign in again.
         */
        delete: operations["delete_user_sessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health of the service.
         * @description Public. 503 when the database is down.
         */
        get: operations["get_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the process answers.
         * @description Public. For a supervisor that restarts it.
         */
        get: operations["get_liveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether requests can be served.
         * @description Public. For a load balancer: 503 while the database is down.
         */
        get: operations["get_readiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description What requests are made with for a while.
         * @example {
         *       "access_token": "eyJ…",
         *       "expires_in": 1800,
         *       "token_type": "bearer"
         *     }
         */
        AccessToken: {
            /** @description For `Authorization: Bearer`. */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds until the access token ends.
             */
            expires_in: number;
            /** @description Always `bearer`. */
            token_type: string;
        };
        /**
         * @description A key, without its text.
         * @example {
         *       "created_at": "2026-11-01T08:00:00Z",
         *       "expired": false,
         *       "expires_at": "2027-11-01T08:00:00Z",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "last_used_at": "2026-11-20T08:00:00Z",
         *       "last_used_ip": "192.0.2.7",
         *       "name": "pipeline",
         *       "owner": {
         *         "id": "550e8400-e29b-41d4-a716-446655440000",
         *         "username": "ada"
         *       },
         *       "permissions": [
         *         "scans.run"
         *       ],
         *       "prefix": "btz_9f86d081"
         *     }
         */
        ApiKey: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Whether it ended. */
            expired: boolean;
            /**
             * Format: date-time
             * @description When it ends; null for never.
             */
            expires_at: string | null;
            /** @description The key. */
            id: components["schemas"]["ApiKeyId"];
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            last_used_at: string | null;
            /** @description From where. */
            last_used_ip: string | null;
            /** @description What it is for. */
            name: string;
            /** @description Whose permissions it has. */
            owner: components["schemas"]["Person"];
            /** @description What it is narrowed to; null for everything its owner may do. */
            permissions: string[] | null;
            /** @description Its first characters, for telling keys apart. */
            prefix: string;
        };
        /**
         * @description A new key.
         * @example {
         *       "expires_at": null,
         *       "name": "pipeline",
         *       "permissions": [
         *         "scans.view"
         *       ]
         *     }
         */
        ApiKeyCreate: {
            /**
             * Format: date-time
             * @description When it ends. Left out: never.
             */
            expires_at?: string | null;
            /** @description What it is for. */
            name: string;
            /** @description What to narrow it to. Left out: everything its owner may do. */
            permissions?: string[] | null;
        };
        /** @description A new key with its text, which is shown this once. */
        ApiKeyCreated: components["schemas"]["ApiKey"] & {
            /**
             * @description The key, for the header `X-API-Key`. It cannot be shown again.
             * @example btz_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            key: string;
        };
        /**
         * Format: uuid
         * @description A key for programs that call the API.
         */
        ApiKeyId: string;
        /**
         * @description What becomes of somebody's API keys.
         * @enum {string}
         */
        ApiKeysThen: "keep" | "revoke";
        /**
         * @description Something that can be scanned.
         * @example {
         *       "created_at": "2026-11-01T08:00:00Z",
         *       "criticality": 3,
         *       "demo": false,
         *       "hostname": null,
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "kind": "domain",
         *       "last_scan_id": 17,
         *       "last_seen_at": "2026-11-20T09:30:00Z",
         *       "name": "Shop",
         *       "open_findings": {
         *         "critical": 0,
         *         "high": 1,
         *         "info": 1,
         *         "low": 4,
         *         "medium": 2
         *       },
         *       "os_distro": null,
         *       "os_version": null,
         *       "risk_zone": "production",
         *       "score": 79,
         *       "stale": false,
         *       "tags": [
         *         "pci"
         *       ],
         *       "target_type": "domain",
         *       "target_value": "shop.example.com",
         *       "updated_at": "2026-11-20T09:30:00Z"
         *     }
         */
        Asset: {
            /**
             * Format: date-time
             * @description When it was added.
             */
            created_at: string;
            /**
             * Format: int32
             * @description Weight in the organisation's score, 1 to 5.
             */
            criticality: number;
            /** @description Part of the demo data, not of anything real. */
            demo: boolean;
            /** @description Host name known from inventory. */
            hostname: string | null;
            /** @description The asset. */
            id: components["schemas"]["AssetId"];
            /** @description Kind of asset. */
            kind: components["schemas"]["AssetKind"];
            last_scan_id: components["schemas"]["ScanId"] | null;
            /**
             * Format: date-time
             * @description When something last answered there.
             */
            last_seen_at: string | null;
            /** @description Name for people; the target value unless one was given. */
            name: string;
            /** @description Findings that are not resolved, by severity. */
            open_findings: components["schemas"]["SeverityCounts"];
            /** @description Operating system known from inventory. */
            os_distro: string | null;
            /** @description Its version. */
            os_version: string | null;
            /** @description Where it stands in the landscape. */
            risk_zone: components["schemas"]["RiskZone"];
            /**
             * Format: int32
             * @description 0 to 100 from the last scan; null when nothing was assessed.
             */
            score: number | null;
            /** @description Not seen for 30 days. */
            stale: boolean;
            /** @description Free labels, sorted. */
            tags: string[];
            target_type: components["schemas"]["AssetKind"] | null;
            /** @description The domain, address or network, in normal form. */
            target_value: string;
            /**
             * Format: date-time
             * @description When it was last changed.
             */
            updated_at: string;
        };
        /**
         * @description How a change to several assets went.
         * @example {
         *       "not_found": [],
         *       "updated": 2
         *     }
         */
        AssetBulkResult: {
            /** @description Ids that do not exist here. */
            not_found: components["schemas"]["AssetId"][];
            /**
             * Format: int64
             * @description Assets changed.
             */
            updated: number;
        };
        /**
         * @description A change to several assets.
         * @example {
         *       "add_tags": [
         *         "pci-scope"
         *       ],
         *       "asset_ids": [
         *         "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *       ],
         *       "remove_tags": [
         *         "legacy"
         *       ],
         *       "risk_zone": "production"
         *     }
         */
        AssetBulkUpdate: {
            /** @description Labels to add. */
            add_tags?: string[];
            /** @description The assets, at most 500. */
            asset_ids: components["schemas"]["AssetId"][];
            /** @description Labels to remove. */
            remove_tags?: string[];
            risk_zone?: components["schemas"]["RiskZone"] | null;
        };
        /**
         * @description A new asset.
         * @example {
         *       "name": "Shop",
         *       "risk_zone": "production",
         *       "tags": [
         *         "pci"
         *       ],
         *       "target_type": "domain",
         *       "target_value": "shop.example.com"
         *     }
         */
        AssetCreate: {
            /**
             * Format: int32
             * @description Weight in the organisation's score, 1 to 5. Left out: 3.
             */
            criticality?: number | null;
            /** @description Name for people. Left out: the target value. */
            name?: string | null;
            risk_zone?: components["schemas"]["RiskZone"] | null;
            /** @description Free labels, at most 50. */
            tags?: string[];
            target_type?: components["schemas"]["AssetKind"] | null;
            /** @description A domain, address or network. */
            target_value: string;
        };
        /**
         * Format: uuid
         * @description Something that can be scanned.
         */
        AssetId: string;
        /**
         * @description Kind of asset. The first three are scan targets (`target_type` on the wire); `host` rows come from inventory.
         * @enum {string}
         */
        AssetKind: "domain" | "ip" | "cidr" | "host";
        /**
         * @description What of an asset to change; what is left out stays.
         * @example {
         *       "risk_zone": "production",
         *       "tags": [
         *         "pci",
         *         "shop"
         *       ]
         *     }
         */
        AssetUpdate: {
            /**
             * Format: int32
             * @description Weight in the organisation's score, 1 to 5.
             * @default null
             */
            criticality?: number | null;
            /**
             * @description Name for people.
             * @default null
             */
            name?: string | null;
            /** @default null */
            risk_zone?: components["schemas"]["RiskZone"] | null;
            /**
             * @description All labels it has from now on.
             * @default null
             */
            tags?: string[] | null;
        };
        /**
         * @description The state of one chain.
         * @example {
         *       "broken_at": null,
         *       "head_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "head_position": 12,
         *       "intact": true,
         *       "reason": null,
         *       "sealed": 12,
         *       "sealed_at": "2026-11-22T08:30:00Z",
         *       "unsealed": 0
         *     }
         */
        AuditChain: {
            /**
             * Format: int64
             * @description The position at which the chain breaks.
             */
            broken_at: number | null;
            /** @description Its hash: noted down elsewhere, it proves that nothing was cut off. */
            head_hash: string | null;
            /**
             * Format: int64
             * @description Position of the last link.
             */
            head_position: number | null;
            /** @description Whether every link holds. */
            intact: boolean;
            /** @description How it does. */
            reason: string | null;
            /**
             * Format: int64
             * @description Entries that are linked.
             */
            sealed: number;
            /**
             * Format: date-time
             * @description When it was made.
             */
            sealed_at: string | null;
            /**
             * Format: int64
             * @description Entries that are not linked yet.
             */
            unsealed: number;
        };
        /**
         * @description One thing that was done.
         * @example {
         *       "action": "user.create",
         *       "actor": "admin",
         *       "actor_id": "550e8400-e29b-41d4-a716-446655440000",
         *       "actor_kind": "user",
         *       "created_at": "2026-11-20T08:15:00Z",
         *       "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "ip": "192.0.2.7",
         *       "new_value": {
         *         "role": "analyst",
         *         "username": "analyst1"
         *       },
         *       "old_value": null,
         *       "position": 17,
         *       "request_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c57",
         *       "target_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c56",
         *       "target_type": "user"
         *     }
         */
        AuditEntry: {
            /**
             * @description What was done.
             * @enum {string}
             */
            action: "api_key.create" | "api_key.revoke" | "asset.bulk_update" | "asset.create" | "asset.delete" | "asset.import" | "asset.update" | "auth.denied" | "auth.login" | "auth.login_failed" | "auth.logout" | "auth.password_change" | "auth.password_reset" | "auth.password_reset_request" | "auth.recovery_codes" | "auth.refresh" | "auth.refresh_token_reused" | "auth.second_factor_begin" | "auth.second_factor_disable" | "auth.second_factor_enable" | "auth.session_revoke" | "auth.setup" | "auth.switch" | "backup.restore" | "branding.remove" | "branding.update" | "branding.upload" | "demo.load" | "demo.remove" | "export.run" | "finding.acceptance_expired" | "finding.bulk_update" | "finding.update" | "invitation.accept" | "invitation.create" | "invitation.resend" | "invitation.revoke" | "job.cancel" | "job.retry" | "member.remove" | "member.update" | "organization.create" | "organization.update" | "role.create" | "role.delete" | "role.update" | "scan.cancel" | "scan.create" | "scan.delete" | "schedule.create" | "schedule.delete" | "schedule.fire" | "schedule.run" | "schedule.update" | "secret.reseal" | "secret_key.rotate" | "settings.test" | "settings.update" | "system.log_level" | "system.maintenance" | "user.create" | "user.deactivate" | "user.password_link" | "user.password_set" | "user.profile" | "user.second_factor_remove" | "user.sessions_end" | "user.update";
            /** @description Who, by the name of that time. */
            actor: string;
            actor_id: components["schemas"]["UserId"] | null;
            /** @description `user`, `api_key`, `system` or `anonymous`. */
            actor_kind: string;
            /**
             * Format: date-time
             * @description When.
             */
            created_at: string;
            /** @description The link: position and hash noted down elsewhere prove later that nothing up to here was changed or cut off. */
            hash: string | null;
            /**
             * Format: uuid
             * @description The entry.
             */
            id: string;
            /** @description Where the request came from. */
            ip: string | null;
            /** @description The thing after, without secrets. */
            new_value: Record<string, never> | null;
            /** @description The thing before, without secrets. */
            old_value: Record<string, never> | null;
            /**
             * Format: int64
             * @description Place in the chain; null until it is sealed, some seconds after it was made.
             */
            position: number | null;
            /** @description Which request. */
            request_id: string;
            /** @description To which one. */
            target_id: string;
            /** @description To which kind of thing. */
            target_type: string;
        };
        /**
         * @description The state of the chain.
         * @example {
         *       "broken_at": null,
         *       "head_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "head_position": 250,
         *       "intact": true,
         *       "reason": null,
         *       "sealed": 250,
         *       "sealed_at": "2026-11-22T08:30:00Z",
         *       "unsealed": 1,
         *       "without_organization": null
         *     }
         */
        AuditVerification: components["schemas"]["AuditChain"] & {
            without_organization: components["schemas"]["AuditChain"] | null;
        };
        /** @description How people sign in. */
        AuthConfig: {
            /** @description With passwords of this program. */
            internal: components["schemas"]["InternalConfig"];
            /** @description With a directory. */
            ldap: components["schemas"]["LdapConfig"];
            /** @description With an OpenID provider. */
            oidc: components["schemas"]["OidcConfig"];
        };
        /**
         * @description What to try.
         * @example {
         *       "ldap": {
         *         "url": "ldap://127.0.0.1:9",
         *         "user_base": "dc=example,dc=com"
         *       },
         *       "method": "ldap"
         *     }
         */
        AuthConfigTest: {
            ldap?: components["schemas"]["LdapConfigUpdate"] | null;
            /** @description Which method. */
            method: components["schemas"]["TestedMethod"];
            oidc?: components["schemas"]["OidcConfigUpdate"] | null;
            /**
             * Format: password
             * @description The password for that.
             */
            password?: string | null;
            /** @description For the directory: somebody to sign in as. */
            username?: string | null;
        };
        /**
         * @description How the test went.
         * @example {
         *       "ok": false,
         *       "steps": [
         *         {
         *           "detail": "connection refused",
         *           "name": "connect",
         *           "ok": false
         *         }
         *       ]
         *     }
         */
        AuthConfigTestResult: {
            /** @description Whether every step went well. */
            ok: boolean;
            /** @description The steps, in order; the first that fails ends the test. */
            steps: components["schemas"]["AuthConfigTestStep"][];
        };
        /** @description One step of a test. */
        AuthConfigTestStep: {
            /** @description What was seen. */
            detail: string;
            /** @description What was tried: `discovery`, `keys`, `client`; `connect`, `bind`, `search`, `user`, `password`, `groups`. */
            name: string;
            /** @description Whether it went well. */
            ok: boolean;
        };
        /**
         * @description What to change; what is left out stays.
         * @example {
         *       "oidc": {
         *         "label": "Example login"
         *       }
         *     }
         */
        AuthConfigUpdate: {
            internal?: components["schemas"]["InternalConfigUpdate"] | null;
            ldap?: components["schemas"]["LdapConfigUpdate"] | null;
            oidc?: components["schemas"]["OidcConfigUpdate"] | null;
        };
        /**
         * @description Which ways to sign in exist, and whether the server still waits for its first user.
         * @example {
         *       "allow_private_default": true,
         *       "internal_enabled": true,
         *       "ldap_enabled": false,
         *       "ldap_label": null,
         *       "oidc_enabled": true,
         *       "oidc_label": "Example login",
         *       "oidc_provider_name": "Example login",
         *       "password_reset": true,
         *       "setup_required": false,
         *       "setup_token_required": false
         *     }
         */
        AuthProviders: {
            /** @description What setup proposes for scanning private addresses: on when the server is bound to loopback. */
            allow_private_default: boolean;
            /** @description User name and password. */
            internal_enabled: boolean;
            /** @description LDAP. */
            ldap_enabled: boolean;
            /** @description What the directory is called, while it is on. */
            ldap_label: string | null;
            /** @description OpenID Connect. */
            oidc_enabled: boolean;
            /** @description What the button for the OpenID provider says, while it is on. */
            oidc_label: string | null;
            /** @description Name of the OpenID provider, while it is on. */
            oidc_provider_name: string | null;
            /** @description Whether a forgotten password is replaced with a link sent by mail: whether mail is set. */
            password_reset: boolean;
            /** @description No user exists yet: `POST /api/auth/setup` creates the first. */
            setup_required: boolean;
            /** @description Setup needs the one-time token printed at the start of the server. */
            setup_token_required: boolean;
        };
        /**
         * @description How the product looks to an organisation. What is null is as it comes.
         * @example {
         *       "accent_color": "#0b62c4",
         *       "accent_color_dark": "#6fb1ff",
         *       "company_name": "Example Ltd",
         *       "favicon": null,
         *       "footer_text": null,
         *       "logo_dark": null,
         *       "logo_light": "/api/branding/assets/logo_light?organization_id=01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55&v=5f2b9f3a91c0d6e4",
         *       "product_name": "Perimeter"
         *     }
         */
        Branding: {
            /** @description Colour of buttons and links in the light theme and on reports, `#rrggbb`. */
            accent_color: string | null;
            /** @description Colour of buttons and links in the dark theme, `#rrggbb`. */
            accent_color_dark: string | null;
            /** @description Name of whoever runs it, on reports. */
            company_name: string | null;
            /** @description Path of the icon. */
            favicon: string | null;
            /** @description Line at the foot of reports. */
            footer_text: string | null;
            /** @description Path of the logo on dark ground. */
            logo_dark: string | null;
            /** @description Path of the logo on light ground. It changes with the picture. */
            logo_light: string | null;
            /** @description Name shown in place of the product's. */
            product_name: string | null;
        };
        /**
         * @description What to change; what is left out stays, null takes back.
         * @example {
         *       "accent_color": "#0b62c4",
         *       "footer_text": null,
         *       "product_name": "Perimeter"
         *     }
         */
        BrandingUpdate: {
            /**
             * @description Colour of buttons and links in the light theme and on reports, with a contrast of at least 4.5 on `#FAFAF9`.
             * @default null
             */
            accent_color?: string | null;
            /**
             * @description Colour of buttons and links in the dark theme, with a contrast of at least 4.5 on `#1A1D20`.
             * @default null
             */
            accent_color_dark?: string | null;
            /**
             * @description Name of whoever runs it, on reports.
             * @default null
             */
            company_name?: string | null;
            /**
             * @description Line at the foot of reports.
             * @default null
             */
            footer_text?: string | null;
            /**
             * @description Name shown in place of the product's.
             * @default null
             */
            product_name?: string | null;
        };
        /**
         * @description What a bulk change did to one item.
         * @enum {string}
         */
        BulkOutcome: "updated" | "unchanged" | "not_found";
        /**
         * @description What happens with instants that passed while no server ran.
         * @enum {string}
         */
        CatchUp: "skip" | "once";
        /** @description A category and its count. */
        CategoryCount: {
            /** @description Category of check. */
            category: string;
            /**
             * Format: int64
             * @description Findings.
             */
            count: number;
        };
        /** @description A check and its count. */
        CheckCount: {
            /** @description The check. */
            check_id: string;
            /**
             * Format: int64
             * @description Findings.
             */
            count: number;
        };
        /** @description A check, in full. */
        CheckDetail: components["schemas"]["CheckSummary"] & {
            /** @description CWE numbers. */
            cwe: number[];
            /** @description What is checked, exactly. */
            description: string;
            /** @description Copyable excerpts. */
            examples: components["schemas"]["FixExample"][];
            /** @description Sources of the rule. */
            references: string[];
            /** @description What to do, step by step. */
            remediation: string[];
            /** @description Why it matters. */
            risk: string;
        };
        /**
         * @description Stable id of a check, `group.rule`: lower case, dots between segments, snake_case inside. It names what is
         *     wrong and never changes.
         */
        CheckId: string;
        /**
         * @description A check, in short.
         * @example {
         *       "category": "web",
         *       "controls": [
         *         "nis2:21.2.e"
         *       ],
         *       "id": "hsts.missing",
         *       "maturity": "stable",
         *       "mode": "safe",
         *       "severity": "medium",
         *       "since": "0.1.0",
         *       "title": "HTTPS site sends no Strict-Transport-Security header"
         *     }
         */
        CheckSummary: {
            /** @description Subject: `tls`, `certificate`, `web`, `dns`, `mail`, `registration`, `service`, `ssh`. */
            category: string;
            /** @description Controls it informs. */
            controls: string[];
            /** @description Stable id. */
            id: components["schemas"]["CheckId"];
            /** @description `preview`, `stable`, `deprecated`. */
            maturity: string;
            /** @description What it does to its target: `passive`, `safe`, `intrusive`. */
            mode: string;
            /** @description Severity unless the check raises or lowers it. */
            severity: components["schemas"]["Severity"];
            /** @description Version that introduced it. */
            since: string;
            /** @description What is wrong when it fails. */
            title: string;
        };
        /** @description The matrix of the completed scan that ended last. */
        ComplianceMatrix: {
            /** @description One row a measure, `a` to `j`; empty before a scan has completed. */
            rows: components["schemas"]["MatrixRow"][];
            scan_id: components["schemas"]["ScanId"] | null;
        };
        /**
         * @description How sure a `fail` is.
         * @enum {string}
         */
        Confidence: "hint" | "probable" | "confirmed";
        /**
         * @description Where settings come from.
         * @enum {string}
         */
        ConfigSource: "file" | "settings";
        /**
         * @description State of a connection.
         * @enum {string}
         */
        Connection: "connected" | "disconnected";
        /**
         * @description The user behind a token.
         * @example {
         *       "auth_provider": "internal",
         *       "email": "admin@example.com",
         *       "id": "550e8400-e29b-41d4-a716-446655440000",
         *       "organization": {
         *         "first": true,
         *         "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *         "name": "Example Ltd"
         *       },
         *       "permissions": [
         *         "assets.view",
         *         "scans.run"
         *       ],
         *       "role": "admin",
         *       "theme_preference": "system",
         *       "username": "admin"
         *     }
         */
        CurrentUser: {
            /** @description How the user signs in: `internal`, `ldap` or `oidc`. */
            auth_provider: string;
            /** @description E-mail address. */
            email: string;
            /** @description The user. */
            id: components["schemas"]["UserId"];
            /** @description The current organisation. */
            organization: components["schemas"]["OrganizationRef"];
            /** @description What the role may do. */
            permissions: string[];
            /** @description Role in the current organisation. */
            role: components["schemas"]["RoleName"];
            /** @description `system`, `light` or `dark`. */
            theme_preference: string;
            /** @description Name to sign in with. */
            username: string;
        };
        /**
         * @description What to change of oneself.
         * @example {
         *       "theme_preference": "dark"
         *     }
         */
        CurrentUserUpdate: {
            /** @description `system`, `light` or `dark`. */
            theme_preference: string;
        };
        /**
         * @description What holds when a cron expression restricts both the day of the month and the day of the week.
         * @enum {string}
         */
        DayRule: "or" | "and";
        /**
         * @description Result of loading demo data.
         * @example {
         *       "scan_id": 1
         *     }
         */
        DemoLoaded: {
            /** @description The scan with the recorded results. */
            scan_id: components["schemas"]["ScanId"];
        };
        /** @description The four feature toggles of a surface scan, independent of each other. */
        FeatureToggles: {
            /**
             * @description DNS, DNSSEC and mail policy.
             * @default true
             */
            dns_checks?: boolean;
            /**
             * @description Scan ports and identify services.
             * @default true
             */
            port_scan?: boolean;
            /**
             * @description TLS, certificates and HTTP. With the port scan off, ports 80, 443, 8080 and 8443 are tried.
             * @default true
             */
            web_checks?: boolean;
            /**
             * @description Registration data by RDAP and WHOIS.
             * @default true
             */
            whois_checks?: boolean;
        };
        /** @description One field that breaks a rule. */
        FieldProblem: {
            /** @description Where: `body -> email`, `query -> page_size`, `path -> asset_id`. */
            field: string;
            /** @description The value and the rule. */
            message: string;
            /** @description `value_error`, `type_error`, `missing`, `unknown_field`, `out_of_range`. */
            type: string;
        };
        /**
         * @description A finding: one check that fails on one asset at one place, across scans.
         * @example {
         *       "accepted_until": null,
         *       "asset": "shop.example.com",
         *       "asset_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c66",
         *       "asset_name": "Shop",
         *       "category": "web",
         *       "check_id": "hsts.missing",
         *       "confidence": "confirmed",
         *       "controls": [
         *         "nis2:21.2.e"
         *       ],
         *       "demo": false,
         *       "fingerprint": "v1:0123456789abcdef0123456789abcdef",
         *       "first_scan_id": 3,
         *       "first_seen_at": "2026-11-01T08:00:00Z",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "last_scan_id": 17,
         *       "last_seen_at": "2026-11-20T09:31:00Z",
         *       "location": "tcp/443",
         *       "occurrences": 5,
         *       "reopened": 0,
         *       "resolution_reason": null,
         *       "resolved_at": null,
         *       "severity": "medium",
         *       "status": "open",
         *       "status_note": null,
         *       "title": "HTTPS site sends no Strict-Transport-Security header"
         *     }
         */
        Finding: {
            /**
             * Format: date-time
             * @description When an accepted risk ends and the finding reopens.
             */
            accepted_until: string | null;
            /** @description The domain or address. */
            asset: string;
            asset_id: components["schemas"]["AssetId"] | null;
            /** @description Its name. */
            asset_name: string | null;
            /**
             * @description Category of the check.
             * @example web
             */
            category: string;
            /** @description Which check. */
            check_id: components["schemas"]["CheckId"];
            /** @description How sure. */
            confidence: components["schemas"]["Confidence"];
            /** @description Controls it speaks about: `nis2:21.2.h`, `eu-2024-2690:9.2`. */
            controls: string[];
            /** @description From demo data, not about anything real. */
            demo: boolean;
            /** @description Identity across scans, the same in every export. */
            fingerprint: components["schemas"]["Fingerprint"];
            /** @description Scan that saw it first. */
            first_scan_id: components["schemas"]["ScanId"];
            /**
             * Format: date-time
             * @description When it was first seen.
             */
            first_seen_at: string;
            /** @description The finding. */
            id: components["schemas"]["FindingId"];
            /** @description Scan that saw it last. */
            last_scan_id: components["schemas"]["ScanId"];
            /**
             * Format: date-time
             * @description When it was last seen.
             */
            last_seen_at: string;
            /** @description Where on it: `tcp/443`, `tcp/443/path`, `dns`, `host`, `registration`. */
            location: components["schemas"]["Location"];
            /**
             * Format: int64
             * @description Scans that saw it.
             */
            occurrences: number;
            /**
             * Format: int64
             * @description Times it came back after it was resolved.
             */
            reopened: number;
            resolution_reason: components["schemas"]["ResolutionReason"] | null;
            /**
             * Format: date-time
             * @description When it was resolved.
             */
            resolved_at: string | null;
            /** @description How bad. */
            severity: components["schemas"]["Severity"];
            /** @description Workflow status. */
            status: components["schemas"]["FindingStatus"];
            /** @description Note of the last change of status. */
            status_note: string | null;
            /** @description What is wrong. */
            title: string;
        };
        /** @description How it went for one finding. */
        FindingBulkItem: {
            /** @description The finding. */
            id: components["schemas"]["FindingId"];
            /** @description What happened. */
            outcome: components["schemas"]["BulkOutcome"];
        };
        /**
         * @description How a change of several findings went.
         * @example {
         *       "results": [
         *         {
         *           "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *           "outcome": "updated"
         *         }
         *       ],
         *       "updated": 1
         *     }
         */
        FindingBulkResult: {
            /** @description One entry a finding, in the order given. */
            results: components["schemas"]["FindingBulkItem"][];
            /**
             * Format: int64
             * @description Findings whose status changed.
             */
            updated: number;
        };
        /**
         * @description A change of status for several findings.
         * @example {
         *       "finding_ids": [
         *         "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *       ],
         *       "status": "acknowledged",
         *       "status_note": "Ticket OPS-17"
         *     }
         */
        FindingBulkUpdate: {
            /**
             * Format: date
             * @description With `accepted_risk` only: last day of the acceptance.
             */
            accepted_until?: string | null;
            /** @description The findings, 1 to 500. */
            finding_ids: components["schemas"]["FindingId"][];
            resolution_reason?: components["schemas"]["ResolutionReason"] | null;
            /** @description New status. */
            status: components["schemas"]["FindingStatus"];
            /** @description Why; required for `accepted_risk`. */
            status_note?: string | null;
        };
        /** @description A finding with everything needed to understand and fix it. */
        FindingDetail: components["schemas"]["Finding"] & {
            /** @description CWE numbers. */
            cwe: number[];
            /** @description What is checked, exactly. */
            description: string;
            /** @description The facts it rests on, redacted. */
            evidence: Record<string, never>;
            /** @description Copyable excerpts. */
            examples: components["schemas"]["FixExample"][];
            /** @description Sources of the rule. */
            references: string[];
            /** @description What to do, step by step. */
            remediation: string[];
            /** @description Why it matters. */
            risk: string;
            /** @description Scans that saw it, newest first, at most 50. */
            sightings: components["schemas"]["Sighting"][];
        };
        /**
         * @description One entry of a finding's history.
         * @example {
         *       "actor": {
         *         "id": "550e8400-e29b-41d4-a716-446655440000",
         *         "username": "admin"
         *       },
         *       "at": "2026-11-20T10:00:00Z",
         *       "from_status": "open",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c77",
         *       "kind": "status_changed",
         *       "note": "Ticket OPS-17",
         *       "resolution_reason": null,
         *       "scan_id": null,
         *       "to_status": "acknowledged"
         *     }
         */
        FindingEvent: {
            /** @description Who did it. */
            actor: components["schemas"]["Person"];
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            from_status: components["schemas"]["FindingStatus"] | null;
            /** @description The entry. */
            id: components["schemas"]["FindingEventId"];
            /** @description `created`, `reopened`, `auto_resolved`, `status_changed`, `acceptance_expired`, `asset_removed`. */
            kind: string;
            /** @description Note of who did it. */
            note: string | null;
            resolution_reason: components["schemas"]["ResolutionReason"] | null;
            scan_id: components["schemas"]["ScanId"] | null;
            /** @description Status after. */
            to_status: components["schemas"]["FindingStatus"];
        };
        /**
         * Format: uuid
         * @description One entry of a finding's history.
         */
        FindingEventId: string;
        /**
         * Format: uuid
         * @description One finding record: a check that fails on an asset at a location, across scans.
         */
        FindingId: string;
        /**
         * @description Totals over findings.
         * @example {
         *       "by_category": [
         *         {
         *           "category": "web",
         *           "count": 11
         *         }
         *       ],
         *       "by_check": [
         *         {
         *           "check_id": "hsts.missing",
         *           "count": 3
         *         }
         *       ],
         *       "by_severity": {
         *         "critical": 1,
         *         "high": 2,
         *         "info": 0,
         *         "low": 3,
         *         "medium": 5
         *       },
         *       "by_status": {
         *         "accepted_risk": 0,
         *         "acknowledged": 1,
         *         "in_progress": 0,
         *         "open": 9,
         *         "resolved": 1
         *       },
         *       "total": 11
         *     }
         */
        FindingStats: {
            /** @description By category, most first. */
            by_category: components["schemas"]["CategoryCount"][];
            /** @description By check, most first, at most 200. */
            by_check: components["schemas"]["CheckCount"][];
            /** @description By severity. */
            by_severity: components["schemas"]["SeverityCounts"];
            /** @description By workflow status. */
            by_status: components["schemas"]["StatusCounts"];
            /**
             * Format: int64
             * @description Findings that match.
             */
            total: number;
        };
        /**
         * @description Workflow status of a finding.
         * @enum {string}
         */
        FindingStatus: "open" | "acknowledged" | "in_progress" | "resolved" | "accepted_risk";
        /**
         * @description A change of status.
         * @example {
         *       "accepted_until": "2027-03-31",
         *       "status": "accepted_risk",
         *       "status_note": "Isolated network, replaced in March"
         *     }
         */
        FindingUpdate: {
            /**
             * Format: date
             * @description With `accepted_risk` only: last day of the acceptance, after which the finding reopens.
             */
            accepted_until?: string | null;
            resolution_reason?: components["schemas"]["ResolutionReason"] | null;
            /** @description New status. */
            status: components["schemas"]["FindingStatus"];
            /** @description Why; required for `accepted_risk`. */
            status_note?: string | null;
        };
        /**
         * @description `v1:` and 32 hex digits over check, canonical asset and location key. No text, date, count, address of a
         *     domain or severity goes in, so that a finding keeps its identity when any of them changes.
         */
        Fingerprint: string;
        /**
         * @description A copyable command or configuration excerpt.
         * @example {
         *       "label": "nginx",
         *       "text": "add_header Strict-Transport-Security \"max-age=63072000\" always;"
         *     }
         */
        FixExample: {
            /** @description Where it goes. */
            label: string;
            /** @description The text. */
            text: string;
        };
        /**
         * @description Health of the service.
         * @example {
         *       "database": "connected",
         *       "redis": "not_configured",
         *       "scheduler_jobs": 0,
         *       "status": "ok",
         *       "uptime_seconds": 86432.15,
         *       "version": "0.1.0"
         *     }
         */
        Health: {
            /** @description `connected` or `disconnected`. */
            database: components["schemas"]["Connection"];
            /** @description `connected`, `degraded` (configured and unreachable) or `not_configured`. */
            redis: components["schemas"]["SharedState"];
            /**
             * Format: int64
             * @description What the scheduler has to do: schedules that are enabled, and timers of the program itself.
             */
            scheduler_jobs: number;
            /** @description `ok`, `degraded` (Redis down) or `unhealthy` (database down). */
            status: components["schemas"]["HealthStatus"];
            /**
             * Format: double
             * @description Seconds since the start.
             */
            uptime_seconds: number;
            /** @description Version of the program. */
            version: string;
        };
        /**
         * @description Overall state.
         * @enum {string}
         */
        HealthStatus: "ok" | "degraded" | "unhealthy";
        /**
         * @description What kept a row from being imported.
         * @enum {string}
         */
        ImportProblem: "duplicate" | "invalid";
        /**
         * @description How an import went.
         * @example {
         *       "created": 1,
         *       "duplicates": 1,
         *       "errors": [
         *         {
         *           "field": "target_value",
         *           "kind": "invalid",
         *           "message": "`300.1.1.1` is not an address",
         *           "row": 4
         *         }
         *       ],
         *       "invalid": 1,
         *       "rows": 3
         *     }
         */
        ImportResult: {
            /**
             * Format: int64
             * @description Assets created.
             */
            created: number;
            /**
             * Format: int64
             * @description Rows whose target exists already, here or earlier in the file.
             */
            duplicates: number;
            /** @description Each row that was left out. */
            errors: components["schemas"]["ImportRowError"][];
            /**
             * Format: int64
             * @description Rows that break a rule.
             */
            invalid: number;
            /**
             * Format: int64
             * @description Data rows in the file.
             */
            rows: number;
        };
        /** @description A row of an import that was left out. */
        ImportRowError: {
            /** @description Column, when one is to blame. */
            field: string | null;
            /** @description Why. */
            kind: components["schemas"]["ImportProblem"];
            /** @description The value and the rule. */
            message: string;
            /**
             * Format: int64
             * @description Line of the file; the header is line 1.
             */
            row: number;
        };
        /** @description Sign-in with passwords of this program. */
        InternalConfig: {
            /** @description Whether it is on. */
            enabled: boolean;
        };
        /** @description What to change; what is left out stays. */
        InternalConfigUpdate: {
            /** @description Whether it is on. It can be switched off by somebody who signs in by another method. */
            enabled?: boolean | null;
        };
        /**
         * @description An invitation.
         * @example {
         *       "accepted_at": null,
         *       "created_at": "2026-11-20T08:00:00Z",
         *       "email": "ada@example.com",
         *       "expires_at": "2026-11-27T08:00:00Z",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "invited_by": {
         *         "id": "550e8400-e29b-41d4-a716-446655440000",
         *         "username": "admin"
         *       },
         *       "mail": "sent",
         *       "mail_error": null,
         *       "role": "analyst",
         *       "status": "pending"
         *     }
         */
        Invitation: {
            /**
             * Format: date-time
             * @description When it was accepted.
             */
            accepted_at: string | null;
            /**
             * Format: date-time
             * @description When.
             */
            created_at: string;
            /** @description Who is invited. */
            email: string;
            /**
             * Format: date-time
             * @description When its link ends.
             */
            expires_at: string;
            /** @description The invitation. */
            id: components["schemas"]["InvitationId"];
            /** @description By whom. */
            invited_by: components["schemas"]["Person"];
            mail: components["schemas"]["InvitationMail"] | null;
            /** @description Why its mail was not delivered, so far or at all. */
            mail_error: string | null;
            /** @description As what. */
            role: components["schemas"]["RoleName"];
            /** @description Where it stands. */
            status: components["schemas"]["InvitationStatus"];
        };
        /**
         * @description A new account.
         * @example {
         *       "password": "correct horse battery",
         *       "token": "6f1c",
         *       "username": "ada"
         *     }
         */
        InvitationAccept: {
            /**
             * Format: password
             * @description Password: at least 8 characters, not a common one.
             */
            password: string;
            /** @description The part of the link after `#`. */
            token: string;
            /** @description Name to sign in with, without spaces and `@`. */
            username: string;
        };
        /**
         * @description Whom to invite.
         * @example {
         *       "email": "ada@example.com",
         *       "role": "analyst"
         *     }
         */
        InvitationCreate: {
            /**
             * Format: email
             * @description E-mail address.
             */
            email: string;
            /**
             * @description Role in the organisation. Left out: `read_only`.
             * @default read_only
             */
            role?: string;
            /**
             * @description Whether the link is sent by mail, where a mail server is set. Left out: it is.
             * @default true
             */
            send_mail?: boolean;
        };
        /**
         * Format: uuid
         * @description An invitation to an organisation.
         */
        InvitationId: string;
        /** @description An invitation with its link, if it is not on its way by mail: then it is shown this once. */
        InvitationIssued: components["schemas"]["Invitation"] & {
            /**
             * @description Page of the web interface that accepts it; put the server's address in front. `null` if it is sent by mail.
             * @example /ui/invitation#6f1c…
             */
            link: string | null;
            /**
             * @description What proves it, for `POST /api/auth/invitation`; `null` if it is sent by mail.
             * @example 6f1c…
             */
            token: string | null;
        };
        /**
         * @description What became of the mail of an invitation.
         * @enum {string}
         */
        InvitationMail: "queued" | "sent" | "failed";
        /**
         * @description What a link is to.
         * @example {
         *       "email": "ada@example.com",
         *       "has_account": false,
         *       "organization": "Example Ltd",
         *       "role": "analyst"
         *     }
         */
        InvitationPreview: {
            /** @description Who is invited. */
            email: string;
            /** @description Whether there is an account with the address: then its owner signs in and calls `POST /api/invitations/join`. */
            has_account: boolean;
            /** @description Name of the organisation. */
            organization: string;
            /** @description As what. */
            role: components["schemas"]["RoleName"];
        };
        /**
         * @description Where an invitation stands.
         * @enum {string}
         */
        InvitationStatus: "pending" | "accepted" | "revoked" | "expired";
        /**
         * @description The token of a link.
         * @example {
         *       "token": "6f1c"
         *     }
         */
        InvitationToken: {
            /** @description The part of the link after `#`. */
            token: string;
        };
        /**
         * @description A background job.
         * @example {
         *       "attempts": 1,
         *       "cancel_requested": false,
         *       "created_at": "2026-11-20T09:29:00Z",
         *       "error": null,
         *       "finished_at": null,
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "kind": "scan",
         *       "lease_until": "2026-11-20T09:31:00Z",
         *       "max_attempts": 100,
         *       "priority": 0,
         *       "progress": null,
         *       "run_at": "2026-11-20T09:29:00Z",
         *       "started_at": "2026-11-20T09:29:01Z",
         *       "status": "running",
         *       "subject": "17",
         *       "worker": "scanner-1:4711:5f1d2c9a"
         *     }
         */
        Job: {
            /**
             * Format: int32
             * @description How often it was begun.
             */
            attempts: number;
            /** @description Whether it is asked to stop. */
            cancel_requested: boolean;
            /**
             * Format: date-time
             * @description When it was added.
             */
            created_at: string;
            /** @description Why the last attempt failed. */
            error: string | null;
            /**
             * Format: date-time
             * @description When it ended.
             */
            finished_at: string | null;
            /** @description The job. */
            id: components["schemas"]["JobId"];
            /** @description What is done: `scan`, `housekeeping`. */
            kind: string;
            /**
             * Format: date-time
             * @description Until when that process has it without a sign of life.
             */
            lease_until: string | null;
            /**
             * Format: int32
             * @description How often it may be begun.
             */
            max_attempts: number;
            /**
             * Format: int32
             * @description Greater is sooner; 0 is ordinary.
             */
            priority: number;
            /** @description What it last reported. */
            progress: Record<string, never> | null;
            /**
             * Format: date-time
             * @description Not before.
             */
            run_at: string;
            /**
             * Format: date-time
             * @description When it was first begun.
             */
            started_at: string | null;
            /** @description State. */
            status: components["schemas"]["JobStatus"];
            /** @description What it is done to, for instance the number of a scan. While such a job waits or runs, another one is not added. */
            subject: string | null;
            /** @description The process that has it. */
            worker: string | null;
        };
        /** @description Background jobs by state: those of the caller's organisation, in the first one those of the whole installation. */
        JobCounts: {
            /** @description The same by kind, in order of the kinds; those of which none waits, runs or was given up are left out. */
            by_kind: components["schemas"]["JobQueue"][];
            /**
             * Format: int64
             * @description Given up after their retries.
             */
            failed: number;
            /**
             * Format: int64
             * @description Running.
             */
            running: number;
            /**
             * Format: int64
             * @description Waiting.
             */
            waiting: number;
        };
        /**
         * Format: uuid
         * @description A background job.
         */
        JobId: string;
        /** @description Background jobs of one kind. */
        JobQueue: {
            /**
             * Format: int64
             * @description Given up after their retries.
             */
            failed: number;
            /** @description What they do, as in `GET /api/jobs`. */
            kind: string;
            /**
             * Format: date-time
             * @description When the first of those that wait is to be begun, which is past if it only waits for its turn; null if none waits.
             */
            next_due_at: string | null;
            /**
             * Format: int64
             * @description Running.
             */
            running: number;
            /**
             * Format: int64
             * @description Waiting.
             */
            waiting: number;
            /**
             * Format: date-time
             * @description When the one that waits for longest was added; null if none waits.
             */
            waiting_since: string | null;
        };
        /**
         * @description State of a job.
         * @enum {string}
         */
        JobStatus: "queued" | "running" | "done" | "failed" | "cancelled";
        /**
         * @description Where one joined.
         * @example {
         *       "organization_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *     }
         */
        Joined: {
            /** @description The organisation; `POST /api/auth/switch` goes there. */
            organization_id: components["schemas"]["OrganizationId"];
        };
        /** @description The last scan that completed. */
        LastScan: {
            /**
             * Format: date-time
             * @description When it ended.
             */
            finished_at: string;
            /** @description Number. */
            id: components["schemas"]["ScanId"];
            /**
             * Format: double
             * @description Its score; null when nothing was assessed.
             */
            score: number | null;
        };
        /** @description Sign-in with a directory. */
        LdapConfig: {
            /** @description Whom to search as; empty for anonymous. */
            bind_dn: string;
            /** @description Whether there is a password for that; it is never shown. */
            bind_password_set: boolean;
            /** @description Certificate authorities beside those of the system, in PEM. */
            ca_certificates: string;
            default_role: components["schemas"]["RoleName"] | null;
            /** @description Whether it is on. */
            enabled: boolean;
            /** @description Where groups are; empty to read `memberOf` only. */
            group_base: string;
            /** @description Which groups `{dn}` or `{username}` is in. */
            group_filter: string;
            /** @description What the sign-in page calls it. */
            label: string;
            /** @description Roles of groups; the first that fits counts. With none, a role is given once. */
            role_mapping: components["schemas"]["RoleMapping"][];
            /** @description Where these settings come from. */
            source: components["schemas"]["ConfigSource"];
            /** @description Whether an `ldap:` connection becomes TLS before anything else is sent. */
            start_tls: boolean;
            /** @description `ldap://host[:port]` or `ldaps://host[:port]`. */
            url: string;
            /** @description Where people are. */
            user_base: string;
            /** @description Which entry is meant by `{username}`. */
            user_filter: string;
        };
        /** @description What to change; what is left out stays. */
        LdapConfigUpdate: {
            /** @description Whom to search as; empty for anonymous. */
            bind_dn?: string | null;
            /**
             * Format: password
             * @description The password for that; empty removes it. It is never shown.
             */
            bind_password?: string | null;
            /** @description Certificate authorities beside those of the system, in PEM. */
            ca_certificates?: string | null;
            default_role?: components["schemas"]["RoleName"] | null;
            /** @description Whether it is on. */
            enabled?: boolean | null;
            /** @description Where groups are; empty to read `memberOf` only. */
            group_base?: string | null;
            /** @description Which groups `{dn}` or `{username}` is in. */
            group_filter?: string | null;
            /** @description What the sign-in page calls it. */
            label?: string | null;
            /** @description Roles of groups, in order. */
            role_mapping?: components["schemas"]["RoleMapping"][] | null;
            /** @description Whether an `ldap:` connection becomes TLS before anything else is sent. */
            start_tls?: boolean | null;
            /** @description `ldap://host[:port]` or `ldaps://host[:port]`. With another one the password must be given again. */
            url?: string | null;
            /** @description Where people are. */
            user_base?: string | null;
            /** @description Which entry is meant by `{username}`. */
            user_filter?: string | null;
        };
        /**
         * @description A stable key for a place on an asset. It is part of a finding's identity, so it never contains a count, a
         *     date, an address or free text.
         *
         *     Forms: `host` (the asset as a whole), `tcp/443`, `tcp/443/path` (an absolute URL path on that port),
         *     `dns` (the asset's own name), `dns/<name>` (another name the judgement is about), `registration`.
         */
        Location: string;
        /**
         * @description How much is logged.
         * @enum {string}
         */
        LogLevel: "debug" | "info" | "warn" | "error";
        /**
         * @description The log level.
         * @example {
         *       "level": "info"
         *     }
         */
        LogLevelBody: {
            /** @description How much is logged. */
            level: components["schemas"]["LogLevel"];
        };
        /**
         * @description User name and password.
         * @example {
         *       "password": "correct horse battery",
         *       "username": "admin"
         *     }
         */
        LoginRequest: {
            /**
             * @description A code of the second factor, or a recovery code, for who has one. Without it the answer is a 401 of the type
             *     `urn:bartizan:problem:second_factor_required`.
             */
            code?: string | null;
            method?: components["schemas"]["PasswordOf"] | null;
            /**
             * Format: password
             * @description Password.
             */
            password: string;
            /** @description User name or e-mail address. */
            username: string;
        };
        /** @description Tokens and who they are for. */
        LoginResponse: components["schemas"]["TokenPair"] & {
            /** @description The user who signed in. */
            user: components["schemas"]["CurrentUser"];
        };
        /**
         * @description How the connection to the mail server is protected.
         * @enum {string}
         */
        MailSecurity: "starttls" | "tls" | "none";
        /**
         * @description The mail server of the installation.
         * @example {
         *       "base_url": "https://bartizan.example.com",
         *       "ca_certificate": "",
         *       "enabled": true,
         *       "from_address": "bartizan@example.com",
         *       "from_name": "Bartizan",
         *       "host": "mail.example.com",
         *       "password_set": true,
         *       "port": 587,
         *       "security": "starttls",
         *       "source": "settings",
         *       "username": "bartizan"
         *     }
         */
        MailSettings: {
            /** @description Address of the server as people reach it: links begin with it. */
            base_url: string;
            /** @description Certificates in PEM to be believed beside the public ones; empty for none. */
            ca_certificate: string;
            /** @description Whether mail is sent at all. */
            enabled: boolean;
            /** @description Address of the sender of every mail. */
            from_address: string;
            /** @description Name of the sender. */
            from_name: string;
            /** @description Name or address of the server. */
            host: string;
            /** @description Whether a password is set. It is never shown. */
            password_set: boolean;
            /**
             * Format: int32
             * @description Its port.
             */
            port: number;
            /** @description How the connection is protected. */
            security: components["schemas"]["MailSecurity"];
            source: components["schemas"]["SettingsSource"] | null;
            /** @description Name to sign in with; empty for none. */
            username: string;
        };
        /**
         * @description What to change; what is left out stays.
         * @example {
         *       "host": "mail.example.com",
         *       "port": 587,
         *       "security": "starttls"
         *     }
         */
        MailSettingsUpdate: {
            /** @description Address of the server as people reach it, `https://bartizan.example.com`. */
            base_url?: string | null;
            /** @description Certificates in PEM to be believed beside the public ones; empty removes them. */
            ca_certificate?: string | null;
            /** @description Whether mail is sent at all. It needs `host`, `from_address` and `base_url`. */
            enabled?: boolean | null;
            /** @description Address of the sender of every mail. */
            from_address?: string | null;
            /** @description Name of the sender. */
            from_name?: string | null;
            /** @description Name or address of the server. */
            host?: string | null;
            /**
             * Format: password
             * @description Password; empty removes it.
             */
            password?: string | null;
            /**
             * Format: int32
             * @description Its port.
             */
            port?: number | null;
            security?: components["schemas"]["MailSecurity"] | null;
            /** @description Name to sign in with; empty for none. */
            username?: string | null;
        };
        /**
         * @description How far a delivery came.
         * @enum {string}
         */
        MailStage: "resolve" | "connect" | "tls" | "auth" | "send";
        /**
         * @description Where to send a test.
         * @example {
         *       "to": "ada@example.com"
         *     }
         */
        MailTestRequest: {
            /**
             * Format: email
             * @description An address. Left out: the caller's own.
             */
            to?: string | null;
        };
        /**
         * @description Outcome of a test.
         * @example {
         *       "detail": "the server answers 535 Authentication failed",
         *       "ok": false,
         *       "stage": "auth"
         *     }
         */
        MailTestResult: {
            /** @description What happened. */
            detail: string;
            /** @description Whether the server took the mail. */
            ok: boolean;
            stage: components["schemas"]["MailStage"] | null;
        };
        /**
         * @description Maintenance mode.
         * @example {
         *       "by": "admin",
         *       "enabled": true,
         *       "reason": "Moving to a larger machine until 14:00 UTC",
         *       "since": "2026-11-20T12:00:00Z"
         *     }
         */
        Maintenance: {
            /** @description Who switched it on; told in the first organisation of the server. */
            by: string | null;
            /** @description Whether it is on: writes are answered 503, no new work is begun, what runs goes on, reads go on. */
            enabled: boolean;
            /** @description What people are told. */
            reason: string | null;
            /**
             * Format: date-time
             * @description Since when.
             */
            since: string | null;
        };
        /**
         * @description Maintenance mode as it is to be.
         * @example {
         *       "enabled": false
         *     }
         */
        MaintenanceUpdate: {
            /** @description Whether it is to be on. */
            enabled: boolean;
            /** @description What people are told. */
            reason?: string | null;
        };
        /** @description Checks of a row by how they ended. */
        MatrixChecks: {
            /**
             * Format: int64
             * @description Without the needed answer somewhere.
             */
            error: number;
            /**
             * Format: int64
             * @description Broken somewhere.
             */
            failed: number;
            /**
             * Format: int64
             * @description Not applicable anywhere.
             */
            not_applicable: number;
            /**
             * Format: int64
             * @description Not probed somewhere.
             */
            not_tested: number;
            /**
             * Format: int64
             * @description Fine everywhere.
             */
            passed: number;
            /**
             * Format: int64
             * @description Planned.
             */
            planned: number;
        };
        /**
         * @description How a scan bears on one measure. It never says compliant: at best, no technical finding is open in scope.
         * @example {
         *       "accepted_risks": 0,
         *       "annex_points": [
         *         "2024/2690:9.2"
         *       ],
         *       "attestation": null,
         *       "automation": "technical",
         *       "checks": {
         *         "error": 0,
         *         "failed": 1,
         *         "not_applicable": 2,
         *         "not_tested": 1,
         *         "passed": 20,
         *         "planned": 24
         *       },
         *       "control": "21.2.h",
         *       "coverage": 0.96,
         *       "finding_ids": [
         *         "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *       ],
         *       "letter": "h",
         *       "open_findings": 1,
         *       "status": "open_findings",
         *       "title": "Cryptography and encryption",
         *       "worst_open_severity": "high"
         *     }
         */
        MatrixRow: {
            /**
             * Format: int64
             * @description Findings of the scan whose risk is accepted.
             */
            accepted_risks: number;
            /** @description Points of the annex of Implementing Regulation (EU) 2024/2690. */
            annex_points: string[];
            /** @description What a person has stated. */
            attestation: string | null;
            /** @description How far checks can speak about it: `technical`, `partial`, `organisational`. */
            automation: string;
            /** @description Checks by how they ended, each at its worst place. */
            checks: components["schemas"]["MatrixChecks"];
            /** @description Control id: `21.2.h`. */
            control: string;
            /**
             * Format: double
             * @description Share of planned checks that came to a conclusion, 0 to 1; null if none was planned.
             */
            coverage: number | null;
            /** @description Unresolved findings, worst first, at most 100. */
            finding_ids: components["schemas"]["FindingId"][];
            /** @description `a` to `j`. */
            letter: string;
            /**
             * Format: int64
             * @description Unresolved findings of the scan.
             */
            open_findings: number;
            /** @description `not_assessed`, `manual_required`, `no_open_findings`, `open_findings`, `attested`. */
            status: string;
            /** @description Title. */
            title: string;
            worst_open_severity: components["schemas"]["Severity"] | null;
        };
        /**
         * @description Somebody's place in the organisation.
         * @example {
         *       "auth_provider": "internal",
         *       "email": "ada@example.com",
         *       "is_active": true,
         *       "joined_at": "2026-11-01T08:00:00Z",
         *       "last_login_at": "2026-11-20T08:15:00Z",
         *       "role": "analyst",
         *       "user_id": "550e8400-e29b-41d4-a716-446655440000",
         *       "username": "ada"
         *     }
         */
        Member: {
            /** @description How the user signs in: `internal`, `ldap` or `oidc`. */
            auth_provider: string;
            /** @description E-mail address. */
            email: string;
            /** @description Whether the member may work in the organisation. */
            is_active: boolean;
            /**
             * Format: date-time
             * @description Member since.
             */
            joined_at: string;
            /**
             * Format: date-time
             * @description Last sign-in, wherever.
             */
            last_login_at: string | null;
            /** @description Role in the organisation. */
            role: components["schemas"]["RoleName"];
            /** @description The user. */
            user_id: components["schemas"]["UserId"];
            /** @description Name to sign in with. */
            username: string;
        };
        /**
         * @description What to change; what is left out stays.
         * @example {
         *       "role": "auditor"
         *     }
         */
        MemberUpdate: {
            /**
             * @description Whether the member may work in the organisation.
             * @default null
             */
            is_active?: boolean | null;
            /**
             * @description Role in the organisation.
             * @default null
             */
            role?: string | null;
        };
        /**
         * @description What the browser came back with.
         * @example {
         *       "code": "SplxlOBeZQQYbYS6WxSbIA",
         *       "state": "9f2c…"
         *     }
         */
        OidcCallback: {
            /** @description The provider's code. */
            code: string;
            /** @description The state this page remembers. Left out: what the server kept is enough. */
            expected_state?: string | null;
            /** @description The nonce this page remembers. Left out: the cookie of the browser that began is needed. */
            nonce?: string | null;
            /** @description The provider's state. */
            state: string;
        };
        /** @description Sign-in with an OpenID provider. */
        OidcConfig: {
            /** @description Certificate authorities beside those of the system, in PEM. */
            ca_certificates: string;
            /** @description What the provider calls this program. */
            client_id: string;
            /** @description Whether there is a client secret; it is never shown. */
            client_secret_set: boolean;
            default_role: components["schemas"]["RoleName"] | null;
            /** @description Whether it is on. */
            enabled: boolean;
            /** @description Claim with the groups, by name or as a path with dots. */
            groups_claim: string;
            /** @description The issuer, exactly as the provider names itself. */
            issuer: string;
            /** @description What the sign-in page calls it. */
            label: string;
            /** @description Where the provider sends browsers back to; to be registered there. */
            redirect_uri: string;
            /** @description Roles of groups; the first that fits counts. With none, a role is given once. */
            role_mapping: components["schemas"]["RoleMapping"][];
            /** @description Scopes asked for beside `openid`. */
            scopes: string[];
            /** @description Where these settings come from. */
            source: components["schemas"]["ConfigSource"];
            /** @description Claim with a name to sign in with. */
            username_claim: string;
        };
        /** @description What to change; what is left out stays. */
        OidcConfigUpdate: {
            /** @description Certificate authorities beside those of the system, in PEM. */
            ca_certificates?: string | null;
            /** @description What the provider calls this program. */
            client_id?: string | null;
            /**
             * Format: password
             * @description The client secret; empty removes it. It is never shown.
             */
            client_secret?: string | null;
            default_role?: components["schemas"]["RoleName"] | null;
            /** @description Whether it is on. */
            enabled?: boolean | null;
            /** @description Claim with the groups, by name or as a path with dots. */
            groups_claim?: string | null;
            /** @description The issuer, exactly as the provider names itself. With another one the client secret must be given again. */
            issuer?: string | null;
            /** @description What the sign-in page calls it. */
            label?: string | null;
            /** @description Where the provider sends browsers back to. Never set: `/ui/login/oidc` where the settings page is. */
            redirect_uri?: string | null;
            /** @description Roles of groups, in order. */
            role_mapping?: components["schemas"]["RoleMapping"][] | null;
            /** @description Scopes asked for beside `openid`. */
            scopes?: string[] | null;
            /** @description Claim with a name to sign in with. */
            username_claim?: string | null;
        };
        /** @description Tokens, who they are for, and where to go. */
        OidcLogin: components["schemas"]["LoginResponse"] & {
            /** @description The `return_to` the sign-in began with. */
            return_to: string | null;
        };
        /**
         * @description Where to send the browser.
         * @example {
         *       "authorization_url": "https://id.example.com/authorize?response_type=code&…",
         *       "nonce": "51ab…",
         *       "state": "9f2c…"
         *     }
         */
        OidcStart: {
            /** @description Address of the provider. It sends the browser back to `/ui/login/oidc` with `code` and `state`. */
            authorization_url: string;
            /** @description Proves that the same browser finishes, where the cookie set by this answer is not kept. */
            nonce: string;
            /** @description Comes back with the browser. Good once, for ten minutes. */
            state: string;
        };
        /**
         * @description An organisation.
         * @example {
         *       "created_at": "2026-11-01T08:00:00Z",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "name": "Example Ltd"
         *     }
         */
        Organization: {
            /**
             * Format: date-time
             * @description When it was set up.
             */
            created_at: string;
            /** @description The organisation. */
            id: components["schemas"]["OrganizationId"];
            /** @description Its name. */
            name: string;
        };
        /**
         * Format: uuid
         * @description An organisation: the tenant every row belongs to.
         */
        OrganizationId: string;
        /**
         * @description A name for an organisation.
         * @example {
         *       "name": "Example Ltd"
         *     }
         */
        OrganizationName: {
            /** @description 1 to 100 characters. */
            name: string;
        };
        /** @description The organisation somebody works in. */
        OrganizationRef: {
            /** @description Whether it is the first organisation of the server, which sets what belongs to the whole installation. */
            first: boolean;
            /** @description The organisation. */
            id: components["schemas"]["OrganizationId"];
            /** @description Its name. */
            name: string;
        };
        /** @description Counts of verdicts by outcome. */
        OutcomeCounts: {
            /**
             * Format: int64
             * @description Probed without the needed answer.
             */
            error: number;
            /**
             * Format: int64
             * @description Evaluated and not fine.
             */
            failed: number;
            /**
             * Format: int64
             * @description Not applicable.
             */
            not_applicable: number;
            /**
             * Format: int64
             * @description Not probed.
             */
            not_tested: number;
            /**
             * Format: int64
             * @description Evaluated and fine.
             */
            passed: number;
            /**
             * Format: int64
             * @description Verdicts in all: planned checks times locations.
             */
            planned: number;
        };
        /**
         * @description What happens at an instant while the scan of the one before still waits or runs.
         * @enum {string}
         */
        Overlap: "skip" | "queue" | "allow" | "replace";
        /**
         * @description An organisation of the caller's.
         * @example {
         *       "current": true,
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "name": "Example Ltd",
         *       "role": "admin"
         *     }
         */
        OwnOrganization: {
            /** @description Whether it is the one of this request. */
            current: boolean;
            /** @description The organisation. */
            id: components["schemas"]["OrganizationId"];
            /** @description Its name. */
            name: string;
            /** @description The caller's role there. */
            role: components["schemas"]["RoleName"];
        };
        /** @description One page of a list. */
        PageOf_ApiKey: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description Whether it ended. */
                expired: boolean;
                /**
                 * Format: date-time
                 * @description When it ends; null for never.
                 */
                expires_at?: string | null;
                /** @description The key. */
                id: components["schemas"]["ApiKeyId"];
                /**
                 * Format: date-time
                 * @description When it was last used, to the minute.
                 */
                last_used_at?: string | null;
                /** @description From where. */
                last_used_ip?: string | null;
                /** @description What it is for. */
                name: string;
                /** @description Whose permissions it has. */
                owner: components["schemas"]["Person"];
                /** @description What it is narrowed to; null for everything its owner may do. */
                permissions?: string[] | null;
                /** @description Its first characters, for telling keys apart. */
                prefix: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Asset: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: date-time
                 * @description When it was added.
                 */
                created_at: string;
                /**
                 * Format: int32
                 * @description Weight in the organisation's score, 1 to 5.
                 */
                criticality: number;
                /** @description Part of the demo data, not of anything real. */
                demo: boolean;
                /** @description Host name known from inventory. */
                hostname?: string | null;
                /** @description The asset. */
                id: components["schemas"]["AssetId"];
                /** @description Kind of asset. */
                kind: components["schemas"]["AssetKind"];
                last_scan_id?: components["schemas"]["ScanId"] | null;
                /**
                 * Format: date-time
                 * @description When something last answered there.
                 */
                last_seen_at?: string | null;
                /** @description Name for people; the target value unless one was given. */
                name: string;
                /** @description Findings that are not resolved, by severity. */
                open_findings: components["schemas"]["SeverityCounts"];
                /** @description Operating system known from inventory. */
                os_distro?: string | null;
                /** @description Its version. */
                os_version?: string | null;
                /** @description Where it stands in the landscape. */
                risk_zone: components["schemas"]["RiskZone"];
                /**
                 * Format: int32
                 * @description 0 to 100 from the last scan; null when nothing was assessed.
                 */
                score?: number | null;
                /** @description Not seen for 30 days. */
                stale: boolean;
                /** @description Free labels, sorted. */
                tags: string[];
                target_type?: components["schemas"]["AssetKind"] | null;
                /** @description The domain, address or network, in normal form. */
                target_value: string;
                /**
                 * Format: date-time
                 * @description When it was last changed.
                 */
                updated_at: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_AuditEntry: {
            /** @description The items of this page. */
            data: {
                /**
                 * @description What was done.
                 * @enum {string}
                 */
                action: "api_key.create" | "api_key.revoke" | "asset.bulk_update" | "asset.create" | "asset.delete" | "asset.import" | "asset.update" | "auth.denied" | "auth.login" | "auth.login_failed" | "auth.logout" | "auth.password_change" | "auth.password_reset" | "auth.password_reset_request" | "auth.recovery_codes" | "auth.refresh" | "auth.refresh_token_reused" | "auth.second_factor_begin" | "auth.second_factor_disable" | "auth.second_factor_enable" | "auth.session_revoke" | "auth.setup" | "auth.switch" | "backup.restore" | "branding.remove" | "branding.update" | "branding.upload" | "demo.load" | "demo.remove" | "export.run" | "finding.acceptance_expired" | "finding.bulk_update" | "finding.update" | "invitation.accept" | "invitation.create" | "invitation.resend" | "invitation.revoke" | "job.cancel" | "job.retry" | "member.remove" | "member.update" | "organization.create" | "organization.update" | "role.create" | "role.delete" | "role.update" | "scan.cancel" | "scan.create" | "scan.delete" | "schedule.create" | "schedule.delete" | "schedule.fire" | "schedule.run" | "schedule.update" | "secret.reseal" | "secret_key.rotate" | "settings.test" | "settings.update" | "system.log_level" | "system.maintenance" | "user.create" | "user.deactivate" | "user.password_link" | "user.password_set" | "user.profile" | "user.second_factor_remove" | "user.sessions_end" | "user.update";
                /** @description Who, by the name of that time. */
                actor: string;
                actor_id?: components["schemas"]["UserId"] | null;
                /** @description `user`, `api_key`, `system` or `anonymous`. */
                actor_kind: string;
                /**
                 * Format: date-time
                 * @description When.
                 */
                created_at: string;
                /** @description The link: position and hash noted down elsewhere prove later that nothing up to here was changed or cut off. */
                hash?: string | null;
                /**
                 * Format: uuid
                 * @description The entry.
                 */
                id: string;
                /** @description Where the request came from. */
                ip?: string | null;
                /** @description The thing after, without secrets. */
                new_value?: Record<string, never> | null;
                /** @description The thing before, without secrets. */
                old_value?: Record<string, never> | null;
                /**
                 * Format: int64
                 * @description Place in the chain; null until it is sealed, some seconds after it was made.
                 */
                position?: number | null;
                /** @description Which request. */
                request_id: string;
                /** @description To which one. */
                target_id: string;
                /** @description To which kind of thing. */
                target_type: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_CheckSummary: {
            /** @description The items of this page. */
            data: {
                /** @description Subject: `tls`, `certificate`, `web`, `dns`, `mail`, `registration`, `service`, `ssh`. */
                category: string;
                /** @description Controls it informs. */
                controls: string[];
                /** @description Stable id. */
                id: components["schemas"]["CheckId"];
                /** @description `preview`, `stable`, `deprecated`. */
                maturity: string;
                /** @description What it does to its target: `passive`, `safe`, `intrusive`. */
                mode: string;
                /** @description Severity unless the check raises or lowers it. */
                severity: components["schemas"]["Severity"];
                /** @description Version that introduced it. */
                since: string;
                /** @description What is wrong when it fails. */
                title: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Finding: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: date-time
                 * @description When an accepted risk ends and the finding reopens.
                 */
                accepted_until?: string | null;
                /** @description The domain or address. */
                asset: string;
                asset_id?: components["schemas"]["AssetId"] | null;
                /** @description Its name. */
                asset_name?: string | null;
                /**
                 * @description Category of the check.
                 * @example web
                 */
                category: string;
                /** @description Which check. */
                check_id: components["schemas"]["CheckId"];
                /** @description How sure. */
                confidence: components["schemas"]["Confidence"];
                /** @description Controls it speaks about: `nis2:21.2.h`, `eu-2024-2690:9.2`. */
                controls: string[];
                /** @description From demo data, not about anything real. */
                demo: boolean;
                /** @description Identity across scans, the same in every export. */
                fingerprint: components["schemas"]["Fingerprint"];
                /** @description Scan that saw it first. */
                first_scan_id: components["schemas"]["ScanId"];
                /**
                 * Format: date-time
                 * @description When it was first seen.
                 */
                first_seen_at: string;
                /** @description The finding. */
                id: components["schemas"]["FindingId"];
                /** @description Scan that saw it last. */
                last_scan_id: components["schemas"]["ScanId"];
                /**
                 * Format: date-time
                 * @description When it was last seen.
                 */
                last_seen_at: string;
                /** @description Where on it: `tcp/443`, `tcp/443/path`, `dns`, `host`, `registration`. */
                location: components["schemas"]["Location"];
                /**
                 * Format: int64
                 * @description Scans that saw it.
                 */
                occurrences: number;
                /**
                 * Format: int64
                 * @description Times it came back after it was resolved.
                 */
                reopened: number;
                resolution_reason?: components["schemas"]["ResolutionReason"] | null;
                /**
                 * Format: date-time
                 * @description When it was resolved.
                 */
                resolved_at?: string | null;
                /** @description How bad. */
                severity: components["schemas"]["Severity"];
                /** @description Workflow status. */
                status: components["schemas"]["FindingStatus"];
                /** @description Note of the last change of status. */
                status_note?: string | null;
                /** @description What is wrong. */
                title: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_FindingEvent: {
            /** @description The items of this page. */
            data: {
                /** @description Who did it. */
                actor: components["schemas"]["Person"];
                /**
                 * Format: date-time
                 * @description When.
                 */
                at: string;
                from_status?: components["schemas"]["FindingStatus"] | null;
                /** @description The entry. */
                id: components["schemas"]["FindingEventId"];
                /** @description `created`, `reopened`, `auto_resolved`, `status_changed`, `acceptance_expired`, `asset_removed`. */
                kind: string;
                /** @description Note of who did it. */
                note?: string | null;
                resolution_reason?: components["schemas"]["ResolutionReason"] | null;
                scan_id?: components["schemas"]["ScanId"] | null;
                /** @description Status after. */
                to_status: components["schemas"]["FindingStatus"];
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Invitation: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: date-time
                 * @description When it was accepted.
                 */
                accepted_at?: string | null;
                /**
                 * Format: date-time
                 * @description When.
                 */
                created_at: string;
                /** @description Who is invited. */
                email: string;
                /**
                 * Format: date-time
                 * @description When its link ends.
                 */
                expires_at: string;
                /** @description The invitation. */
                id: components["schemas"]["InvitationId"];
                /** @description By whom. */
                invited_by: components["schemas"]["Person"];
                mail?: components["schemas"]["InvitationMail"] | null;
                /** @description Why its mail was not delivered, so far or at all. */
                mail_error?: string | null;
                /** @description As what. */
                role: components["schemas"]["RoleName"];
                /** @description Where it stands. */
                status: components["schemas"]["InvitationStatus"];
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Job: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: int32
                 * @description How often it was begun.
                 */
                attempts: number;
                /** @description Whether it is asked to stop. */
                cancel_requested: boolean;
                /**
                 * Format: date-time
                 * @description When it was added.
                 */
                created_at: string;
                /** @description Why the last attempt failed. */
                error?: string | null;
                /**
                 * Format: date-time
                 * @description When it ended.
                 */
                finished_at?: string | null;
                /** @description The job. */
                id: components["schemas"]["JobId"];
                /** @description What is done: `scan`, `housekeeping`. */
                kind: string;
                /**
                 * Format: date-time
                 * @description Until when that process has it without a sign of life.
                 */
                lease_until?: string | null;
                /**
                 * Format: int32
                 * @description How often it may be begun.
                 */
                max_attempts: number;
                /**
                 * Format: int32
                 * @description Greater is sooner; 0 is ordinary.
                 */
                priority: number;
                /** @description What it last reported. */
                progress?: Record<string, never> | null;
                /**
                 * Format: date-time
                 * @description Not before.
                 */
                run_at: string;
                /**
                 * Format: date-time
                 * @description When it was first begun.
                 */
                started_at?: string | null;
                /** @description State. */
                status: components["schemas"]["JobStatus"];
                /** @description What it is done to, for instance the number of a scan. While such a job waits or runs, another one is not added. */
                subject?: string | null;
                /** @description The process that has it. */
                worker?: string | null;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Member: {
            /** @description The items of this page. */
            data: {
                /** @description How the user signs in: `internal`, `ldap` or `oidc`. */
                auth_provider: string;
                /** @description E-mail address. */
                email: string;
                /** @description Whether the member may work in the organisation. */
                is_active: boolean;
                /**
                 * Format: date-time
                 * @description Member since.
                 */
                joined_at: string;
                /**
                 * Format: date-time
                 * @description Last sign-in, wherever.
                 */
                last_login_at?: string | null;
                /** @description Role in the organisation. */
                role: components["schemas"]["RoleName"];
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
                /** @description Name to sign in with. */
                username: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_OwnOrganization: {
            /** @description The items of this page. */
            data: {
                /** @description Whether it is the one of this request. */
                current: boolean;
                /** @description The organisation. */
                id: components["schemas"]["OrganizationId"];
                /** @description Its name. */
                name: string;
                /** @description The caller's role there. */
                role: components["schemas"]["RoleName"];
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Profile: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: int64
                 * @description Checks it runs.
                 */
                check_count: number;
                /** @description One sentence. */
                description: string;
                /** @description `scan_type` of `POST /api/scans`. */
                name: components["schemas"]["ScanProfile"];
                /** @description Whether paths below the front page are requested. */
                path_probes: boolean;
                /** @description TCP ports it tries. */
                ports: string;
                /** @description UDP ports it tries; empty for none. */
                udp_ports: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_RoleDetail: {
            /** @description The items of this page. */
            data: {
                /** @description Whether it comes with the product and cannot be changed. */
                builtin: boolean;
                /**
                 * Format: date-time
                 * @description When it was made; null for a built-in one.
                 */
                created_at?: string | null;
                /** @description What it is for. */
                description: string;
                /**
                 * Format: int64
                 * @description Members who have it.
                 */
                members: number;
                /** @description Its name, by which members and invitations refer to it. */
                name: components["schemas"]["RoleName"];
                /** @description What it may do. */
                permissions: string[];
                /**
                 * Format: date-time
                 * @description Last change; null for a built-in one.
                 */
                updated_at?: string | null;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Scan: {
            /** @description The items of this page. */
            data: {
                /** @description Assets it was launched for and that still exist. */
                asset_ids: components["schemas"]["AssetId"][];
                /** @description Version of the check catalogue that judged. */
                catalogue: string;
                /**
                 * Format: int64
                 * @description Checks it runs.
                 */
                check_count: number;
                /**
                 * Format: int32
                 * @description Probes in flight at once.
                 */
                concurrency: number;
                /**
                 * Format: double
                 * @description Share of planned verdicts that are conclusive, 0 to 1.
                 */
                coverage?: number | null;
                /**
                 * Format: date-time
                 * @description When it was launched.
                 */
                created_at: string;
                /** @description Recorded demo data, not a scan of anything real. */
                demo: boolean;
                /** @description Why it failed. */
                error?: string | null;
                /** @description What is switched on. */
                features: components["schemas"]["FeatureToggles"];
                /** @description Failed checks so far, by severity. */
                findings: components["schemas"]["SeverityCounts"];
                /**
                 * Format: date-time
                 * @description When it ended.
                 */
                finished_at?: string | null;
                /**
                 * Format: int64
                 * @description Hosts done.
                 */
                hosts_finished: number;
                /**
                 * Format: int64
                 * @description Hosts it covers; 0 until it is planned.
                 */
                hosts_total: number;
                /** @description Number, shown as `#17`. */
                id: components["schemas"]["ScanId"];
                /** @description Kind of scan. */
                kind: components["schemas"]["ScanKind"];
                /** @description Verdicts so far, by outcome. */
                outcomes: components["schemas"]["OutcomeCounts"];
                /** @description Whether the results have gaps. */
                partial: boolean;
                /** @description One sentence a gap. */
                partial_reasons: string[];
                /** @description TCP ports it tries. */
                ports: string;
                /** @description How deep it goes. */
                scan_type: components["schemas"]["ScanProfile"];
                /**
                 * Format: double
                 * @description 0 to 100; null while running and when nothing was assessed.
                 */
                score?: number | null;
                /**
                 * Format: date-time
                 * @description When a worker took it.
                 */
                started_at?: string | null;
                /** @description Who launched it. */
                started_by: components["schemas"]["Person"];
                /** @description State. */
                status: components["schemas"]["ScanStatus"];
                /** @description Targets as they were given; those of assets included. */
                targets: string[];
                /**
                 * Format: int32
                 * @description Seconds a single probe may take.
                 */
                timeout_seconds: number;
                /** @description UDP ports it tries; empty for none. */
                udp_ports: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_ScanHost: {
            /** @description The items of this page. */
            data: {
                /** @description First address; null when the name did not resolve. */
                address?: string | null;
                /** @description All addresses. */
                addresses: string[];
                /** @description The domain or address, as findings name it. */
                asset: string;
                asset_id?: components["schemas"]["AssetId"] | null;
                /** @description Failed checks by severity. */
                findings: components["schemas"]["SeverityCounts"];
                /**
                 * Format: date-time
                 * @description When it was done.
                 */
                finished_at: string;
                /** @description Whether the scan was stopped while it looked at this host, so that results are incomplete. */
                interrupted: boolean;
                /** @description Names it was scanned under. */
                names: string[];
                /** @description Verdicts by outcome. */
                outcomes: components["schemas"]["OutcomeCounts"];
                /** @description Ports with a state of their own. */
                ports: components["schemas"]["ScanPort"][];
                /** @description Whether anything answered. */
                reached: boolean;
                /**
                 * Format: int32
                 * @description 0 to 100; null when nothing was assessed.
                 */
                score?: number | null;
                /** @description The other ports, counted by state. */
                summarised: components["schemas"]["ScanPorts"][];
                /** @description Why nothing answered, where nothing did. */
                why_unreached?: string | null;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Schedule: {
            /** @description The items of this page. */
            data: {
                /** @description The expression in words. */
                cadence: string;
                /** @description What happens with instants that pass while no server runs. */
                catch_up: components["schemas"]["CatchUp"];
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description Who made it. */
                created_by: components["schemas"]["Person"];
                /** @description Cron expression. */
                cron: string;
                /** @description What holds when both days are restricted. */
                day_rule: components["schemas"]["DayRule"];
                /** @description Whether it fires. */
                enabled: boolean;
                /** @description The schedule. */
                id: components["schemas"]["ScheduleId"];
                /**
                 * Format: int32
                 * @description Seconds by which it does.
                 */
                jitter_offset_seconds: number;
                /**
                 * Format: int32
                 * @description Seconds by which it may start late.
                 */
                jitter_seconds: number;
                last_outcome?: components["schemas"]["RunOutcome"] | null;
                /**
                 * Format: date-time
                 * @description When it last ran, or should have.
                 */
                last_run_at?: string | null;
                last_scan_id?: components["schemas"]["ScanId"] | null;
                /** @description Name. */
                name: string;
                /**
                 * Format: date-time
                 * @description When it runs next, jitter included; null while paused.
                 */
                next_run_at?: string | null;
                /** @description What happens while the scan before still runs. */
                overlap: components["schemas"]["Overlap"];
                /** @description The scan it launches. */
                scan: components["schemas"]["ScheduledScan"];
                /** @description IANA name of the time zone. */
                time_zone: string;
                /**
                 * Format: date-time
                 * @description When it was last changed.
                 */
                updated_at: string;
                /** @description Whether a scan waits for the one before to end. */
                waiting: boolean;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_ScheduleRun: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: date-time
                 * @description When it was acted on.
                 */
                at: string;
                /** @description Why. */
                cause: components["schemas"]["RunCause"];
                /**
                 * Format: date-time
                 * @description The instant of the expression it was for.
                 */
                fire_at: string;
                /**
                 * Format: uuid
                 * @description The run.
                 */
                id: string;
                /** @description What became of it. */
                outcome: components["schemas"]["RunOutcome"];
                /** @description Why no scan was launched, or what was left out. */
                reason?: string | null;
                scan_id?: components["schemas"]["ScanId"] | null;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Session: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: date-time
                 * @description When it was opened.
                 */
                created_at: string;
                /** @description Whether it is the one of this request. */
                current: boolean;
                /**
                 * Format: date-time
                 * @description When it ends unless it is used.
                 */
                expires_at: string;
                /** @description The session. */
                id: components["schemas"]["SessionId"];
                /** @description Where it was opened from. */
                ip: string;
                /**
                 * Format: date-time
                 * @description When its tokens were last renewed.
                 */
                last_used_at: string;
                /** @description What the client called itself. */
                user_agent: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_TagCount: {
            /** @description The items of this page. */
            data: {
                /**
                 * Format: int64
                 * @description Assets that carry it.
                 */
                count: number;
                /** @description The label. */
                tag: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_UserDetail: {
            /** @description The items of this page. */
            data: {
                /** @description How the user signs in: `internal`, `ldap` or `oidc`. */
                auth_provider: string;
                /**
                 * Format: date-time
                 * @description When the account was made.
                 */
                created_at: string;
                /** @description E-mail address. */
                email: string;
                /** @description The user. */
                id: components["schemas"]["UserId"];
                /** @description Whether the user may work in the organisation. */
                is_active: boolean;
                /**
                 * Format: date-time
                 * @description Last sign-in.
                 */
                last_login_at?: string | null;
                /** @description Role in the organisation. */
                role: components["schemas"]["RoleName"];
                /** @description `system`, `light` or `dark`. */
                theme_preference: string;
                /** @description Name to sign in with. */
                username: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /** @description One page of a list. */
        PageOf_Worker: {
            /** @description The items of this page. */
            data: {
                /** @description Whether it holds now. The jobs of a process that was lost go to the others then. */
                alive: boolean;
                /**
                 * Format: date-time
                 * @description Until when that sign holds: as long as the lease of a job, 60 seconds unless set otherwise.
                 */
                alive_until: string;
                /** @description Name of its machine. */
                host: string;
                /** @description Its name, as in `worker` of a job. */
                id: string;
                /** @description What it is. */
                kind: components["schemas"]["WorkerKind"];
                /**
                 * Format: date-time
                 * @description Its last sign of life.
                 */
                last_heartbeat_at: string;
                /**
                 * Format: int32
                 * @description Its number there.
                 */
                process_id: number;
                /**
                 * Format: int64
                 * @description Jobs it runs.
                 */
                running_jobs: number;
                /**
                 * Format: int32
                 * @description Jobs it runs at a time at most, of all kinds together.
                 */
                slots: number;
                /**
                 * Format: date-time
                 * @description When it began.
                 */
                started_at: string;
                /** @description Version of the program. */
                version: string;
            }[];
            /**
             * Format: int64
             * @description Number of this page, from 1.
             */
            page: number;
            /**
             * Format: int64
             * @description Items a page has at most.
             */
            page_size: number;
            /**
             * Format: int64
             * @description Items on all pages.
             */
            total: number;
            /**
             * Format: int64
             * @description Pages there are; 0 when the list is empty.
             */
            total_pages: number;
        };
        /**
         * @description The present and the new password.
         * @example {
         *       "current_password": "correct horse battery",
         *       "new_password": "a longer sentence, please"
         *     }
         */
        PasswordChange: {
            api_keys?: components["schemas"]["ApiKeysThen"] | null;
            /**
             * Format: password
             * @description The password so far.
             */
            current_password: string;
            /**
             * Format: password
             * @description The password from now on: at least 8 characters, not a common one.
             */
            new_password: string;
        };
        /**
         * @description One's password, once more.
         * @example {
         *       "current_password": "correct horse battery"
         *     }
         */
        PasswordConfirmation: {
            /**
             * Format: password
             * @description The password.
             */
            current_password: string;
        };
        /**
         * @description Who forgot a password.
         * @example {
         *       "email": "ada@example.com"
         *     }
         */
        PasswordForgot: {
            /**
             * Format: email
             * @description E-mail address of the account.
             */
            email: string;
        };
        /**
         * @description What happens now, whether or not there is such an account.
         * @example {
         *       "message": "If there is an account with this address, a mail with a link is on its way."
         *     }
         */
        PasswordForgotten: {
            /** @description For whoever asked. */
            message: string;
        };
        /**
         * @description A link for a new password.
         * @example {
         *       "expires_at": "2026-11-22T10:00:00Z",
         *       "link": "/ui/reset-password#token=6f1c…"
         *     }
         */
        PasswordLink: {
            /**
             * Format: date-time
             * @description Until when it is good.
             */
            expires_at: string;
            /**
             * @description The page where its holder sets a new password, once; put the server's address in front. Shown this once. `null` if
             *     it is on its way by mail.
             */
            link: string | null;
        };
        /**
         * @description Whose passwords are asked for.
         * @enum {string}
         */
        PasswordOf: "internal" | "ldap";
        /**
         * @description A new password, and what proves the right to set it.
         * @example {
         *       "new_password": "a longer sentence, please",
         *       "token": "6f1c"
         *     }
         */
        PasswordReset: {
            api_keys?: components["schemas"]["ApiKeysThen"] | null;
            /**
             * Format: password
             * @description The password from now on: at least 8 characters, not a common one.
             */
            new_password: string;
            /** @description The part of the link after `#token=`. */
            token: string;
        };
        /** @description A person, as named beside what they did. */
        Person: {
            id: components["schemas"]["UserId"] | null;
            /**
             * @description The user name at that time.
             * @example admin
             */
            username: string;
        };
        /**
         * @description The body of every error.
         * @example {
         *       "detail": "Validation error",
         *       "errors": [
         *         {
         *           "field": "body -> email",
         *           "message": "`x` is not an e-mail address",
         *           "type": "value_error"
         *         }
         *       ],
         *       "request_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "status": 422,
         *       "title": "Validation error",
         *       "type": "urn:bartizan:problem:validation"
         *     }
         */
        Problem: {
            /** @description What went wrong, for people. For 5xx always `Internal server error`. */
            detail: string;
            /** @description Each field that breaks a rule; absent when no field is to blame. */
            errors?: components["schemas"]["FieldProblem"][];
            /** @description Id of this request, the same as in the `x-request-id` header and in the log. */
            request_id: string;
            /**
             * Format: int64
             * @description Only on 429: seconds to wait.
             */
            retry_after?: number;
            /**
             * Format: int32
             * @description The status code again.
             */
            status: number;
            /** @description The kind in words. */
            title: string;
            /** @description Kind of problem, a stable URN. */
            type: string;
        };
        /**
         * @description A scan profile.
         * @example {
         *       "check_count": 87,
         *       "description": "Public records, the front page, certificates and the 100 most exposed ports",
         *       "name": "quick",
         *       "path_probes": false,
         *       "ports": "top:100",
         *       "udp_ports": ""
         *     }
         */
        Profile: {
            /**
             * Format: int64
             * @description Checks it runs.
             */
            check_count: number;
            /** @description One sentence. */
            description: string;
            /** @description `scan_type` of `POST /api/scans`. */
            name: components["schemas"]["ScanProfile"];
            /** @description Whether paths below the front page are requested. */
            path_probes: boolean;
            /** @description TCP ports it tries. */
            ports: string;
            /** @description UDP ports it tries; empty for none. */
            udp_ports: string;
        };
        /**
         * @description Recovery codes. Shown once; each is good once.
         * @example {
         *       "recovery_codes": [
         *         "7k2m-9q4x-b8wn-3hdt"
         *       ]
         *     }
         */
        RecoveryCodes: {
            /** @description The codes. */
            recovery_codes: string[];
        };
        /**
         * @description A refresh token.
         * @example {
         *       "refresh_token": "b1n7…"
         *     }
         */
        RefreshRequest: {
            /** @description The newest refresh token of the session. Each is good for one use. */
            refresh_token: string;
        };
        /**
         * @description Why a finding is resolved.
         * @enum {string}
         */
        ResolutionReason: "fixed" | "false_positive" | "not_applicable" | "asset_removed";
        /**
         * @description Where in the organisation's landscape an asset stands.
         * @enum {string}
         */
        RiskZone: "dev" | "staging" | "production" | "dmz" | "internal" | "restricted";
        /** @description An asset with a low score. */
        RiskyAsset: {
            /** @description The asset. */
            id: components["schemas"]["AssetId"];
            /** @description Its name. */
            name: string;
            /** @description Its findings that are not resolved. */
            open_findings: components["schemas"]["SeverityCounts"];
            /**
             * Format: int32
             * @description Its score.
             */
            score: number;
        };
        /**
         * @description A new role.
         * @example {
         *       "description": "Starts scans",
         *       "name": "scan_operator",
         *       "permissions": [
         *         "assets.view",
         *         "scans.view",
         *         "scans.run"
         *       ]
         *     }
         */
        RoleCreate: {
            /** @description What it is for. */
            description?: string;
            /** @description Lower-case letters, digits and underscores. */
            name: string;
            /** @description What it may do: dotted permissions, such as `scans.run`. */
            permissions: string[];
        };
        /**
         * @description A role: a set of permissions.
         * @example {
         *       "builtin": false,
         *       "created_at": "2026-11-01T08:00:00Z",
         *       "description": "Starts scans",
         *       "members": 2,
         *       "name": "scan_operator",
         *       "permissions": [
         *         "assets.view",
         *         "scans.run",
         *         "scans.view"
         *       ],
         *       "updated_at": "2026-11-01T08:00:00Z"
         *     }
         */
        RoleDetail: {
            /** @description Whether it comes with the product and cannot be changed. */
            builtin: boolean;
            /**
             * Format: date-time
             * @description When it was made; null for a built-in one.
             */
            created_at: string | null;
            /** @description What it is for. */
            description: string;
            /**
             * Format: int64
             * @description Members who have it.
             */
            members: number;
            /** @description Its name, by which members and invitations refer to it. */
            name: components["schemas"]["RoleName"];
            /** @description What it may do. */
            permissions: string[];
            /**
             * Format: date-time
             * @description Last change; null for a built-in one.
             */
            updated_at: string | null;
        };
        /**
         * @description The role that a group of the provider has here.
         * @example {
         *       "group": "security-admins",
         *       "role": "admin"
         *     }
         */
        RoleMapping: {
            /** @description Name of the group; of a directory also its distinguished name. */
            group: string;
            /** @description The role. */
            role: components["schemas"]["RoleName"];
        };
        /**
         * @description Name of a role: a built-in one, or one that an organisation made of permissions. Lower-case letters, digits and
         *     underscores, beginning with a letter; `viewer` is read as `read_only`.
         * @example analyst
         */
        RoleName: string;
        /**
         * @description What to change; what is left out stays.
         * @example {
         *       "permissions": [
         *         "scans.view",
         *         "scans.run",
         *         "scans.cancel"
         *       ]
         *     }
         */
        RoleUpdate: {
            /**
             * @description What it is for.
             * @default null
             */
            description?: string | null;
            /**
             * @description Everything it may do from now on.
             * @default null
             */
            permissions?: string[] | null;
        };
        /**
         * @description Why a schedule ran.
         * @enum {string}
         */
        RunCause: "cron" | "catch_up" | "queued" | "manual";
        /**
         * @description What became of a run.
         * @enum {string}
         */
        RunOutcome: "started" | "skipped" | "missed" | "failed";
        /**
         * @description A scan.
         * @example {
         *       "asset_ids": [
         *         "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *       ],
         *       "catalogue": "5f1d2c9a",
         *       "check_count": 120,
         *       "concurrency": 20,
         *       "coverage": 0.9,
         *       "created_at": "2026-11-20T09:29:00Z",
         *       "demo": false,
         *       "error": null,
         *       "features": {
         *         "dns_checks": true,
         *         "port_scan": true,
         *         "web_checks": true,
         *         "whois_checks": true
         *       },
         *       "findings": {
         *         "critical": 0,
         *         "high": 1,
         *         "info": 1,
         *         "low": 4,
         *         "medium": 2
         *       },
         *       "finished_at": "2026-11-20T09:31:12Z",
         *       "hosts_finished": 1,
         *       "hosts_total": 1,
         *       "id": 17,
         *       "kind": "surface",
         *       "outcomes": {
         *         "error": 2,
         *         "failed": 8,
         *         "not_applicable": 20,
         *         "not_tested": 10,
         *         "passed": 80,
         *         "planned": 120
         *       },
         *       "partial": false,
         *       "partial_reasons": [],
         *       "ports": "1-1024",
         *       "scan_type": "full",
         *       "score": 79,
         *       "started_at": "2026-11-20T09:29:01Z",
         *       "started_by": {
         *         "id": "550e8400-e29b-41d4-a716-446655440000",
         *         "username": "admin"
         *       },
         *       "status": "completed",
         *       "targets": [
         *         "shop.example.com"
         *       ],
         *       "timeout_seconds": 10,
         *       "udp_ports": ""
         *     }
         */
        Scan: {
            /** @description Assets it was launched for and that still exist. */
            asset_ids: components["schemas"]["AssetId"][];
            /** @description Version of the check catalogue that judged. */
            catalogue: string;
            /**
             * Format: int64
             * @description Checks it runs.
             */
            check_count: number;
            /**
             * Format: int32
             * @description Probes in flight at once.
             */
            concurrency: number;
            /**
             * Format: double
             * @description Share of planned verdicts that are conclusive, 0 to 1.
             */
            coverage: number | null;
            /**
             * Format: date-time
             * @description When it was launched.
             */
            created_at: string;
            /** @description Recorded demo data, not a scan of anything real. */
            demo: boolean;
            /** @description Why it failed. */
            error: string | null;
            /** @description What is switched on. */
            features: components["schemas"]["FeatureToggles"];
            /** @description Failed checks so far, by severity. */
            findings: components["schemas"]["SeverityCounts"];
            /**
             * Format: date-time
             * @description When it ended.
             */
            finished_at: string | null;
            /**
             * Format: int64
             * @description Hosts done.
             */
            hosts_finished: number;
            /**
             * Format: int64
             * @description Hosts it covers; 0 until it is planned.
             */
            hosts_total: number;
            /** @description Number, shown as `#17`. */
            id: components["schemas"]["ScanId"];
            /** @description Kind of scan. */
            kind: components["schemas"]["ScanKind"];
            /** @description Verdicts so far, by outcome. */
            outcomes: components["schemas"]["OutcomeCounts"];
            /** @description Whether the results have gaps. */
            partial: boolean;
            /** @description One sentence a gap. */
            partial_reasons: string[];
            /** @description TCP ports it tries. */
            ports: string;
            /** @description How deep it goes. */
            scan_type: components["schemas"]["ScanProfile"];
            /**
             * Format: double
             * @description 0 to 100; null while running and when nothing was assessed.
             */
            score: number | null;
            /**
             * Format: date-time
             * @description When a worker took it.
             */
            started_at: string | null;
            /** @description Who launched it. */
            started_by: components["schemas"]["Person"];
            /** @description State. */
            status: components["schemas"]["ScanStatus"];
            /** @description Targets as they were given; those of assets included. */
            targets: string[];
            /**
             * Format: int32
             * @description Seconds a single probe may take.
             */
            timeout_seconds: number;
            /** @description UDP ports it tries; empty for none. */
            udp_ports: string;
        };
        /**
         * @description What to scan, and how.
         * @example {
         *       "asset_ids": [
         *         "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *       ],
         *       "concurrency": 20,
         *       "features": {
         *         "dns_checks": true,
         *         "port_scan": true,
         *         "web_checks": true,
         *         "whois_checks": false
         *       },
         *       "kind": "surface",
         *       "scan_type": "full",
         *       "targets": [
         *         "192.0.2.10"
         *       ],
         *       "timeout_seconds": 10
         *     }
         */
        ScanCreate: {
            /** @description Assets to scan, at most 500. */
            asset_ids?: components["schemas"]["AssetId"][];
            /** @description Only these checks: ids or groups such as `tls.*`. */
            checks?: string[];
            /**
             * Format: int32
             * @description Probes in flight at once. Left out: 20.
             */
            concurrency?: number | null;
            features?: components["schemas"]["FeatureToggles"] | null;
            kind?: components["schemas"]["ScanKind"] | null;
            /**
             * Format: int32
             * @description Hosts to scan at most; 0 or left out: all.
             */
            max_hosts?: number | null;
            /** @description TCP ports instead of the profile's: `22,80,443`, `1-1024`, `top:100`. */
            ports?: string | null;
            scan_type?: components["schemas"]["ScanProfile"] | null;
            /** @description Not these checks: ids or groups such as `tls.*`. */
            skip?: string[];
            /** @description Targets that are not assets: domain, `https://` URL, address, CIDR, range or `host:port`; at most 500. */
            targets?: string[];
            /**
             * Format: int32
             * @description Seconds a single probe may take. Left out: 10. `timeout` is read as an alias.
             */
            timeout_seconds?: number | null;
            /** @description UDP ports instead of the profile's, the same notation. */
            udp_ports?: string | null;
        };
        /** @description A scan with its compliance matrix. */
        ScanDetail: components["schemas"]["Scan"] & {
            /** @description How the scan bears on each measure of NIS2 Art. 21(2); empty until it has ended. */
            compliance_matrix: components["schemas"]["MatrixRow"][];
        };
        /**
         * @description One host of a scan.
         * @example {
         *       "address": "192.0.2.10",
         *       "addresses": [
         *         "192.0.2.10"
         *       ],
         *       "asset": "shop.example.com",
         *       "asset_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "findings": {
         *         "critical": 0,
         *         "high": 1,
         *         "info": 1,
         *         "low": 4,
         *         "medium": 2
         *       },
         *       "finished_at": "2026-11-20T09:31:12Z",
         *       "interrupted": false,
         *       "names": [
         *         "shop.example.com"
         *       ],
         *       "outcomes": {
         *         "error": 2,
         *         "failed": 8,
         *         "not_applicable": 20,
         *         "not_tested": 10,
         *         "passed": 80,
         *         "planned": 120
         *       },
         *       "ports": [
         *         {
         *           "address": "192.0.2.10",
         *           "port": 443,
         *           "product": "nginx",
         *           "protocol": "tcp",
         *           "reason": "syn-ack",
         *           "service": "http",
         *           "state": "open",
         *           "tls": true,
         *           "version": "1.26.2"
         *         }
         *       ],
         *       "reached": true,
         *       "score": 79,
         *       "summarised": [
         *         {
         *           "address": "192.0.2.10",
         *           "count": 999,
         *           "protocol": "tcp",
         *           "reason": "conn-refused",
         *           "state": "closed"
         *         }
         *       ]
         *     }
         */
        ScanHost: {
            /** @description First address; null when the name did not resolve. */
            address: string | null;
            /** @description All addresses. */
            addresses: string[];
            /** @description The domain or address, as findings name it. */
            asset: string;
            asset_id: components["schemas"]["AssetId"] | null;
            /** @description Failed checks by severity. */
            findings: components["schemas"]["SeverityCounts"];
            /**
             * Format: date-time
             * @description When it was done.
             */
            finished_at: string;
            /** @description Whether the scan was stopped while it looked at this host, so that results are incomplete. */
            interrupted: boolean;
            /** @description Names it was scanned under. */
            names: string[];
            /** @description Verdicts by outcome. */
            outcomes: components["schemas"]["OutcomeCounts"];
            /** @description Ports with a state of their own. */
            ports: components["schemas"]["ScanPort"][];
            /** @description Whether anything answered. */
            reached: boolean;
            /**
             * Format: int32
             * @description 0 to 100; null when nothing was assessed.
             */
            score: number | null;
            /** @description The other ports, counted by state. */
            summarised: components["schemas"]["ScanPorts"][];
            /** @description Why nothing answered, where nothing did. */
            why_unreached: string | null;
        };
        /**
         * Format: int64
         * @description A scan number, shown as `#N`, global over all organisations.
         */
        ScanId: number;
        /**
         * @description Kind of scan.
         * @enum {string}
         */
        ScanKind: "surface" | "ports" | "cloud";
        /**
         * @description A launched scan.
         * @example {
         *       "id": 17,
         *       "scan_id": 17,
         *       "status": "pending"
         *     }
         */
        ScanLaunched: {
            /** @description Number. */
            id: components["schemas"]["ScanId"];
            /** @description The same number, under the name cloud scans use. */
            scan_id: components["schemas"]["ScanId"];
            /** @description State. */
            status: components["schemas"]["ScanStatus"];
        };
        /** @description One port of a host. */
        ScanPort: {
            /** @description The address, for hosts with several. */
            address: string;
            /**
             * Format: int32
             * @description Port number.
             */
            port: number;
            /** @description Product name. */
            product: string | null;
            /** @description Transport. */
            protocol: components["schemas"]["Transport"];
            /** @description What the state was seen by. */
            reason: string;
            /** @description Protocol spoken. */
            service: string | null;
            /**
             * @description `open`, `closed`, `filtered`, …
             * @example open
             */
            state: string;
            /** @description Whether the service runs inside TLS. */
            tls: boolean;
            /** @description Product version. */
            version: string | null;
        };
        /** @description Ports of a host that share a state and are not listed one by one. */
        ScanPorts: {
            /** @description The address, for hosts with several. */
            address: string;
            /**
             * Format: int32
             * @description How many ports.
             */
            count: number;
            /** @description Transport. */
            protocol: components["schemas"]["Transport"];
            /** @description What the state was seen by. */
            reason: string;
            /**
             * @description `closed`, `filtered`, …
             * @example closed
             */
            state: string;
        };
        /**
         * @description How deep a surface scan goes (`scan_type` on the wire). What each selects is data: `content/profiles/`.
         * @enum {string}
         */
        ScanProfile: "quick" | "full" | "custom";
        /**
         * @description How far a scan is.
         * @example {
         *       "checks_finished": 1650,
         *       "checks_total": 2400,
         *       "current": "192.0.2.10",
         *       "elapsed_seconds": 90,
         *       "eta_seconds": 41,
         *       "findings": {
         *         "critical": 0,
         *         "high": 1,
         *         "info": 1,
         *         "low": 4,
         *         "medium": 2
         *       },
         *       "hosts_finished": 14,
         *       "hosts_total": 20,
         *       "partial": false,
         *       "phase": "checking services",
         *       "ports_finished": 14200,
         *       "ports_total": 20000,
         *       "scan_id": 17,
         *       "status": "running"
         *     }
         */
        ScanProgress: {
            /**
             * Format: int64
             * @description Checks done.
             */
            checks_finished: number;
            /**
             * Format: int64
             * @description Checks planned in all.
             */
            checks_total: number;
            /** @description What it is being done to. */
            current: string | null;
            /**
             * Format: int64
             * @description Seconds since the start.
             */
            elapsed_seconds: number;
            /**
             * Format: int64
             * @description Seconds left, when that can be said honestly.
             */
            eta_seconds: number | null;
            /** @description Failed checks so far. */
            findings: components["schemas"]["SeverityCounts"];
            /**
             * Format: int64
             * @description Hosts done.
             */
            hosts_finished: number;
            /**
             * Format: int64
             * @description Hosts in all; 0 until planned.
             */
            hosts_total: number;
            /** @description Whether the results have gaps already. */
            partial: boolean;
            /** @description What is being done, for people. */
            phase: string;
            /**
             * Format: int64
             * @description Ports tried.
             */
            ports_finished: number;
            /**
             * Format: int64
             * @description Ports to try in all.
             */
            ports_total: number;
            /** @description The scan. */
            scan_id: components["schemas"]["ScanId"];
            /** @description State. */
            status: components["schemas"]["ScanStatus"];
        };
        /**
         * @description State of a scan.
         * @enum {string}
         */
        ScanStatus: "pending" | "running" | "completed" | "failed" | "cancelled";
        /**
         * @description How scans may be used.
         * @example {
         *       "allow_private": true
         *     }
         */
        ScanningSettings: {
            /**
             * @description Whether private, loopback and link-local addresses may be scanned. Addresses of cloud metadata services are
             *     refused always.
             */
            allow_private: boolean;
        };
        /**
         * @description What to change; what is left out stays.
         * @example {
         *       "allow_private": false
         *     }
         */
        ScanningSettingsUpdate: {
            /**
             * @description Whether private, loopback and link-local addresses may be scanned.
             * @default null
             */
            allow_private?: boolean | null;
        };
        /**
         * @description A schedule.
         * @example {
         *       "cadence": "At 02:00, on Monday.",
         *       "catch_up": "once",
         *       "created_at": "2026-11-01T08:00:00Z",
         *       "created_by": {
         *         "id": "550e8400-e29b-41d4-a716-446655440000",
         *         "username": "admin"
         *       },
         *       "cron": "0 2 * * 1",
         *       "day_rule": "or",
         *       "enabled": true,
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c66",
         *       "jitter_offset_seconds": 117,
         *       "jitter_seconds": 300,
         *       "last_outcome": "started",
         *       "last_run_at": "2026-11-16T01:01:57Z",
         *       "last_scan_id": 17,
         *       "name": "Weekly perimeter",
         *       "next_run_at": "2026-11-23T01:01:57Z",
         *       "overlap": "skip",
         *       "scan": {
         *         "asset_ids": [
         *           "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *         ],
         *         "checks": [],
         *         "concurrency": null,
         *         "features": {
         *           "dns_checks": true,
         *           "port_scan": true,
         *           "web_checks": true,
         *           "whois_checks": true
         *         },
         *         "max_hosts": 0,
         *         "ports": null,
         *         "scan_type": "full",
         *         "skip": [],
         *         "targets": [],
         *         "timeout_seconds": null,
         *         "udp_ports": null
         *       },
         *       "time_zone": "Europe/Berlin",
         *       "updated_at": "2026-11-01T08:00:00Z",
         *       "waiting": false
         *     }
         */
        Schedule: {
            /** @description The expression in words. */
            cadence: string;
            /** @description What happens with instants that pass while no server runs. */
            catch_up: components["schemas"]["CatchUp"];
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description Who made it. */
            created_by: components["schemas"]["Person"];
            /** @description Cron expression. */
            cron: string;
            /** @description What holds when both days are restricted. */
            day_rule: components["schemas"]["DayRule"];
            /** @description Whether it fires. */
            enabled: boolean;
            /** @description The schedule. */
            id: components["schemas"]["ScheduleId"];
            /**
             * Format: int32
             * @description Seconds by which it does.
             */
            jitter_offset_seconds: number;
            /**
             * Format: int32
             * @description Seconds by which it may start late.
             */
            jitter_seconds: number;
            last_outcome: components["schemas"]["RunOutcome"] | null;
            /**
             * Format: date-time
             * @description When it last ran, or should have.
             */
            last_run_at: string | null;
            last_scan_id: components["schemas"]["ScanId"] | null;
            /** @description Name. */
            name: string;
            /**
             * Format: date-time
             * @description When it runs next, jitter included; null while paused.
             */
            next_run_at: string | null;
            /** @description What happens while the scan before still runs. */
            overlap: components["schemas"]["Overlap"];
            /** @description The scan it launches. */
            scan: components["schemas"]["ScheduledScan"];
            /** @description IANA name of the time zone. */
            time_zone: string;
            /**
             * Format: date-time
             * @description When it was last changed.
             */
            updated_at: string;
            /** @description Whether a scan waits for the one before to end. */
            waiting: boolean;
        };
        /**
         * @description A schedule to be made.
         * @example {
         *       "cron": "0 2 * * 1",
         *       "jitter_seconds": 300,
         *       "name": "Weekly perimeter",
         *       "scan": {
         *         "asset_ids": [
         *           "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *         ],
         *         "scan_type": "full"
         *       },
         *       "time_zone": "Europe/Berlin"
         *     }
         */
        ScheduleCreate: {
            catch_up?: components["schemas"]["CatchUp"] | null;
            /** @description Cron expression of five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). */
            cron: string;
            day_rule?: components["schemas"]["DayRule"] | null;
            /** @description Whether it fires. Left out: true. */
            enabled?: boolean | null;
            /**
             * Format: int32
             * @description Seconds by which it may start late, to spread load; drawn once. Left out: 0.
             */
            jitter_seconds?: number | null;
            /** @description Name, unique in the organisation. */
            name: string;
            overlap?: components["schemas"]["Overlap"] | null;
            /** @description The scan it launches. */
            scan: components["schemas"]["ScheduledScan"];
            /** @description IANA name of the time zone. Left out: `UTC`. */
            time_zone?: string | null;
        };
        /**
         * Format: uuid
         * @description A schedule of scans.
         */
        ScheduleId: string;
        /**
         * @description A scan launched by request.
         * @example {
         *       "scan_id": 18
         *     }
         */
        ScheduleLaunched: {
            /** @description The scan. */
            scan_id: components["schemas"]["ScanId"];
        };
        /**
         * @description What an expression means.
         * @example {
         *       "cadence": "At 02:00, on Monday.",
         *       "next": [
         *         "2026-11-23T02:00:00Z"
         *       ]
         *     }
         */
        SchedulePreview: {
            /** @description In words. */
            cadence: string;
            /** @description The next instants, without jitter; empty if it never comes. */
            next: string[];
        };
        /**
         * @description One run of a schedule.
         * @example {
         *       "at": "2026-11-16T01:01:57Z",
         *       "cause": "cron",
         *       "fire_at": "2026-11-16T01:00:00Z",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c77",
         *       "outcome": "started",
         *       "reason": null,
         *       "scan_id": 17
         *     }
         */
        ScheduleRun: {
            /**
             * Format: date-time
             * @description When it was acted on.
             */
            at: string;
            /** @description Why. */
            cause: components["schemas"]["RunCause"];
            /**
             * Format: date-time
             * @description The instant of the expression it was for.
             */
            fire_at: string;
            /**
             * Format: uuid
             * @description The run.
             */
            id: string;
            /** @description What became of it. */
            outcome: components["schemas"]["RunOutcome"];
            /** @description Why no scan was launched, or what was left out. */
            reason: string | null;
            scan_id: components["schemas"]["ScanId"] | null;
        };
        /**
         * @description What to change; what is left out stays.
         * @example {
         *       "enabled": false
         *     }
         */
        ScheduleUpdate: {
            /** @default null */
            catch_up?: components["schemas"]["CatchUp"] | null;
            /**
             * @description Cron expression.
             * @default null
             */
            cron?: string | null;
            /** @default null */
            day_rule?: components["schemas"]["DayRule"] | null;
            /**
             * @description Whether it fires; false pauses it.
             * @default null
             */
            enabled?: boolean | null;
            /**
             * Format: int32
             * @description Seconds by which it may start late.
             * @default null
             */
            jitter_seconds?: number | null;
            /**
             * @description Name.
             * @default null
             */
            name?: string | null;
            /** @default null */
            overlap?: components["schemas"]["Overlap"] | null;
            /** @default null */
            scan?: components["schemas"]["ScheduledScan"] | null;
            /**
             * @description IANA name of the time zone.
             * @default null
             */
            time_zone?: string | null;
        };
        /**
         * @description The scan a schedule launches.
         * @example {
         *       "asset_ids": [
         *         "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *       ],
         *       "checks": [],
         *       "concurrency": 20,
         *       "features": {
         *         "dns_checks": true,
         *         "port_scan": true,
         *         "web_checks": true,
         *         "whois_checks": true
         *       },
         *       "max_hosts": 0,
         *       "ports": null,
         *       "scan_type": "full",
         *       "skip": [],
         *       "targets": [],
         *       "timeout_seconds": 10,
         *       "udp_ports": null
         *     }
         */
        ScheduledScan: {
            /** @description Assets to scan, at most 500. Those that are removed later are left out. */
            asset_ids?: components["schemas"]["AssetId"][];
            /** @description Only these checks. */
            checks?: string[];
            /**
             * Format: int32
             * @description Probes in flight at once.
             */
            concurrency?: number | null;
            /** @description What is switched on. */
            features?: components["schemas"]["FeatureToggles"];
            /**
             * Format: int32
             * @description Hosts to scan at most; 0 for all.
             */
            max_hosts?: number;
            /** @description TCP ports instead of the profile's. */
            ports?: string | null;
            /** @description How deep. */
            scan_type?: components["schemas"]["ScanProfile"];
            /** @description Not these checks. */
            skip?: string[];
            /** @description Targets that are not assets, at most 500. */
            targets?: string[];
            /**
             * Format: int32
             * @description Seconds a single probe may take.
             */
            timeout_seconds?: number | null;
            /** @description UDP ports instead of the profile's. */
            udp_ports?: string | null;
        };
        /**
         * @description State of one's second factor.
         * @example {
         *       "enabled": true,
         *       "enabled_at": "2026-11-20T08:00:00Z",
         *       "recovery_codes_left": 10
         *     }
         */
        SecondFactor: {
            /** @description Whether codes are asked for. */
            enabled: boolean;
            /**
             * Format: date-time
             * @description Since when.
             */
            enabled_at: string | null;
            /**
             * Format: int64
             * @description Recovery codes that are left.
             */
            recovery_codes_left: number;
        };
        /**
         * @description A code of the authenticator.
         * @example {
         *       "code": "287082"
         *     }
         */
        SecondFactorCode: {
            /** @description Six digits, or a recovery code. */
            code: string;
        };
        /**
         * @description What the authenticator is told. Shown once.
         * @example {
         *       "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
         *       "url": "otpauth://totp/Bartizan:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Bartizan"
         *     }
         */
        SecondFactorEnrolment: {
            /** @description The secret in base32, for typing. */
            secret: string;
            /** @description The same as an address, for a QR code. */
            url: string;
        };
        /**
         * @description A sign-in that has not ended.
         * @example {
         *       "created_at": "2026-11-20T08:00:00Z",
         *       "current": true,
         *       "expires_at": "2026-11-29T08:30:00Z",
         *       "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *       "ip": "192.0.2.7",
         *       "last_used_at": "2026-11-22T08:30:00Z",
         *       "user_agent": "Mozilla/5.0"
         *     }
         */
        Session: {
            /**
             * Format: date-time
             * @description When it was opened.
             */
            created_at: string;
            /** @description Whether it is the one of this request. */
            current: boolean;
            /**
             * Format: date-time
             * @description When it ends unless it is used.
             */
            expires_at: string;
            /** @description The session. */
            id: components["schemas"]["SessionId"];
            /** @description Where it was opened from. */
            ip: string;
            /**
             * Format: date-time
             * @description When its tokens were last renewed.
             */
            last_used_at: string;
            /** @description What the client called itself. */
            user_agent: string;
        };
        /**
         * Format: uuid
         * @description A sign-in session (one refresh-token family).
         */
        SessionId: string;
        /**
         * @description Where settings come from.
         * @enum {string}
         */
        SettingsSource: "file" | "settings";
        /**
         * @description The first administrator and the first settings.
         * @example {
         *       "allow_private": true,
         *       "demo": false,
         *       "email": "admin@example.com",
         *       "organization_name": "Example Ltd",
         *       "password": "correct horse battery",
         *       "username": "admin"
         *     }
         */
        SetupRequest: {
            /** @description Whether private, loopback and link-local addresses may be scanned. Left out: on when bound to loopback. */
            allow_private?: boolean | null;
            /**
             * @description Whether to load demo data.
             * @default false
             */
            demo?: boolean;
            /**
             * Format: email
             * @description E-mail address.
             */
            email: string;
            /** @description Name of the organisation. Left out: `My organisation`. */
            organization_name?: string | null;
            /**
             * Format: password
             * @description Password: at least 8 characters, not a common one.
             */
            password: string;
            /** @description The one-time token, where the server asks for it; the header `X-Setup-Token` does as well. */
            setup_token?: string | null;
            /** @description Name to sign in with. */
            username: string;
        };
        /**
         * @description Severity, ordered: `Critical` is the greatest.
         * @enum {string}
         */
        Severity: "info" | "low" | "medium" | "high" | "critical";
        /**
         * @description Counts by severity.
         * @example {
         *       "critical": 1,
         *       "high": 2,
         *       "info": 0,
         *       "low": 3,
         *       "medium": 5
         *     }
         */
        SeverityCounts: {
            /**
             * Format: int64
             * @description Critical ones.
             */
            critical: number;
            /**
             * Format: int64
             * @description High ones.
             */
            high: number;
            /**
             * Format: int64
             * @description Informational ones.
             */
            info: number;
            /**
             * Format: int64
             * @description Low ones.
             */
            low: number;
            /**
             * Format: int64
             * @description Medium ones.
             */
            medium: number;
        };
        /**
         * @description State of what several servers share beside the database.
         * @enum {string}
         */
        SharedState: "connected" | "degraded" | "not_configured";
        /**
         * @description A scan that saw a finding.
         * @example {
         *       "scan_id": 17,
         *       "seen_at": "2026-11-20T09:31:00Z",
         *       "severity": "medium"
         *     }
         */
        Sighting: {
            /** @description The scan. */
            scan_id: components["schemas"]["ScanId"];
            /**
             * Format: date-time
             * @description When.
             */
            seen_at: string;
            /** @description Severity then. */
            severity: components["schemas"]["Severity"];
        };
        /** @description State of an intelligence source. */
        SourceHealth: {
            /** @description Whether it is switched on. */
            enabled: boolean;
            /** @description How that went. */
            last_crawl_status: string | null;
            /**
             * Format: date-time
             * @description Last time it was read.
             */
            last_crawled_at: string | null;
            /** @description Name. */
            name: string;
            /** @description Short name. */
            slug: string;
        };
        /** @description Counts by workflow status. */
        StatusCounts: {
            /**
             * Format: int64
             * @description Lived with.
             */
            accepted_risk: number;
            /**
             * Format: int64
             * @description Seen.
             */
            acknowledged: number;
            /**
             * Format: int64
             * @description Being fixed.
             */
            in_progress: number;
            /**
             * Format: int64
             * @description Nobody has looked yet.
             */
            open: number;
            /**
             * Format: int64
             * @description Gone or void.
             */
            resolved: number;
        };
        /**
         * @description Totals of the organisation. The counts are of unresolved findings; accepted risks are counted by themselves.
         * @example {
         *       "accepted_risk_count": 2,
         *       "coverage": 0.91,
         *       "critical_count": 1,
         *       "demo": false,
         *       "failed_scans_7d": 0,
         *       "high_count": 4,
         *       "info_count": 3,
         *       "kev_count": 0,
         *       "last_scan": {
         *         "finished_at": "2026-11-20T09:31:12Z",
         *         "id": 17,
         *         "score": 79
         *       },
         *       "low_count": 14,
         *       "medium_count": 12,
         *       "new_24h": 2,
         *       "new_7d": 9,
         *       "riskiest_assets": [
         *         {
         *           "id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
         *           "name": "Shop",
         *           "open_findings": {
         *             "critical": 1,
         *             "high": 2,
         *             "info": 0,
         *             "low": 0,
         *             "medium": 0
         *           },
         *           "score": 49
         *         }
         *       ],
         *       "running_scans": 1,
         *       "score": 82.5,
         *       "scored_assets": 120,
         *       "source_health": [],
         *       "stale_assets": 3,
         *       "total_assets": 150,
         *       "total_scans": 17,
         *       "total_vulns": 34
         *     }
         */
        Summary: {
            /**
             * Format: int64
             * @description Findings whose risk is accepted; not part of the other counts.
             */
            accepted_risk_count: number;
            /**
             * Format: double
             * @description Share of planned verdicts of the last completed scan that are conclusive, 0 to 1.
             */
            coverage: number | null;
            /**
             * Format: int64
             * @description Critical ones.
             */
            critical_count: number;
            /** @description Whether demo data is loaded. */
            demo: boolean;
            /**
             * Format: int64
             * @description Scans that failed in the last 7 days.
             */
            failed_scans_7d: number;
            /**
             * Format: int64
             * @description High ones.
             */
            high_count: number;
            /**
             * Format: int64
             * @description Informational ones.
             */
            info_count: number;
            /**
             * Format: int64
             * @description Known to be exploited.
             */
            kev_count: number;
            last_scan: components["schemas"]["LastScan"] | null;
            /**
             * Format: int64
             * @description Low ones.
             */
            low_count: number;
            /**
             * Format: int64
             * @description Medium ones.
             */
            medium_count: number;
            /**
             * Format: int64
             * @description First seen in the last 24 hours.
             */
            new_24h: number;
            /**
             * Format: int64
             * @description First seen in the last 7 days.
             */
            new_7d: number;
            /** @description The five assets with the lowest scores. */
            riskiest_assets: components["schemas"]["RiskyAsset"][];
            /**
             * Format: int64
             * @description Scans that wait or run.
             */
            running_scans: number;
            /**
             * Format: double
             * @description Mean of the assets' scores, weighted by criticality; null when no asset has one.
             */
            score: number | null;
            /**
             * Format: int64
             * @description Assets with a score.
             */
            scored_assets: number;
            /** @description State of the intelligence sources. */
            source_health: components["schemas"]["SourceHealth"][];
            /**
             * Format: int64
             * @description Assets not seen for 30 days.
             */
            stale_assets: number;
            /**
             * Format: int64
             * @description Assets.
             */
            total_assets: number;
            /**
             * Format: int64
             * @description Scans in all.
             */
            total_scans: number;
            /**
             * Format: int64
             * @description Unresolved findings.
             */
            total_vulns: number;
        };
        /**
         * @description Where to work from now on.
         * @example {
         *       "organization_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
         *     }
         */
        SwitchRequest: {
            /** @description One of the caller's organisations. */
            organization_id: components["schemas"]["OrganizationId"];
        };
        /** @description An access token for another organisation. The session and its refresh token stay. */
        SwitchResponse: components["schemas"]["AccessToken"] & {
            /** @description The caller there. */
            user: components["schemas"]["CurrentUser"];
        };
        /**
         * @description State of the server, for people who run it.
         * @example {
         *       "catalogue": "5f1d2c9a",
         *       "check_count": 120,
         *       "database": "sqlite",
         *       "demo": false,
         *       "jobs": {
         *         "by_kind": [
         *           {
         *             "failed": 0,
         *             "kind": "scan",
         *             "next_due_at": "2026-11-22T08:00:00Z",
         *             "running": 1,
         *             "waiting": 2,
         *             "waiting_since": "2026-11-22T08:00:00Z"
         *           }
         *         ],
         *         "failed": 0,
         *         "running": 1,
         *         "waiting": 2
         *       },
         *       "maintenance": {
         *         "by": null,
         *         "enabled": false,
         *         "reason": null,
         *         "since": null
         *       },
         *       "redis": "not_configured",
         *       "uptime_seconds": 86432.15,
         *       "version": "0.1.0"
         *     }
         */
        SystemStatus: {
            /** @description Version of the check catalogue. */
            catalogue: string;
            /**
             * Format: int64
             * @description Checks in it.
             */
            check_count: number;
            /** @description `sqlite` or `postgresql`. */
            database: string;
            /** @description Whether demo data is loaded. */
            demo: boolean;
            /** @description Background jobs. */
            jobs: components["schemas"]["JobCounts"];
            /** @description Whether maintenance mode is on. */
            maintenance: components["schemas"]["Maintenance"];
            /** @description `connected`, `degraded` or `not_configured`. */
            redis: components["schemas"]["SharedState"];
            /**
             * Format: double
             * @description Seconds since the start.
             */
            uptime_seconds: number;
            /** @description Version of the program. */
            version: string;
        };
        /**
         * @description A label and how often it is used.
         * @example {
         *       "count": 12,
         *       "tag": "pci"
         *     }
         */
        TagCount: {
            /**
             * Format: int64
             * @description Assets that carry it.
             */
            count: number;
            /** @description The label. */
            tag: string;
        };
        /**
         * @description Which method a test is about.
         * @enum {string}
         */
        TestedMethod: "oidc" | "ldap";
        /**
         * @description Tokens of a session.
         * @example {
         *       "access_token": "eyJ…",
         *       "expires_in": 1800,
         *       "refresh_token": "b1n7…",
         *       "token_type": "bearer"
         *     }
         */
        TokenPair: components["schemas"]["AccessToken"] & {
            /** @description For `POST /api/auth/refresh`, once. */
            refresh_token: string;
        };
        /**
         * @description Transport protocol of a port.
         * @enum {string}
         */
        Transport: "tcp" | "udp";
        /**
         * @description Findings that were open, by day.
         * @example {
         *       "days": 30,
         *       "trend": [
         *         {
         *           "critical": 1,
         *           "date": "2026-11-20",
         *           "high": 4,
         *           "info": 3,
         *           "low": 14,
         *           "medium": 12,
         *           "total": 34
         *         }
         *       ]
         *     }
         */
        Trend: {
            /**
             * Format: int32
             * @description Days asked for.
             */
            days: number;
            /** @description One entry a day, oldest first. */
            trend: components["schemas"]["TrendDay"][];
        };
        /** @description One day of the trend: what was open at its end, UTC. */
        TrendDay: {
            /**
             * Format: int64
             * @description Critical ones.
             */
            critical: number;
            /**
             * Format: date
             * @description The day.
             */
            date: string;
            /**
             * Format: int64
             * @description High ones.
             */
            high: number;
            /**
             * Format: int64
             * @description Informational ones.
             */
            info: number;
            /**
             * Format: int64
             * @description Low ones.
             */
            low: number;
            /**
             * Format: int64
             * @description Medium ones.
             */
            medium: number;
            /**
             * Format: int64
             * @description All.
             */
            total: number;
        };
        /**
         * @description A new user.
         * @example {
         *       "email": "analyst1@example.com",
         *       "password": "correct horse battery",
         *       "role": "analyst",
         *       "username": "analyst1"
         *     }
         */
        UserCreate: {
            /**
             * Format: email
             * @description E-mail address.
             */
            email: string;
            /**
             * Format: password
             * @description First password: at least 8 characters, not a common one. Left out: the user sets one with a link, as
             *     `POST /api/users/{user_id}/password-link` makes them.
             */
            password?: string | null;
            /**
             * @description Role in the organisation. Left out: `read_only`.
             * @default read_only
             */
            role?: string;
            /** @description Name to sign in with, without spaces and `@`. */
            username: string;
        };
        /**
         * @description A user.
         * @example {
         *       "auth_provider": "internal",
         *       "created_at": "2026-11-01T08:00:00Z",
         *       "email": "analyst1@example.com",
         *       "id": "550e8400-e29b-41d4-a716-446655440000",
         *       "is_active": true,
         *       "last_login_at": null,
         *       "role": "analyst",
         *       "theme_preference": "dark",
         *       "username": "analyst1"
         *     }
         */
        UserDetail: {
            /** @description How the user signs in: `internal`, `ldap` or `oidc`. */
            auth_provider: string;
            /**
             * Format: date-time
             * @description When the account was made.
             */
            created_at: string;
            /** @description E-mail address. */
            email: string;
            /** @description The user. */
            id: components["schemas"]["UserId"];
            /** @description Whether the user may work in the organisation. */
            is_active: boolean;
            /**
             * Format: date-time
             * @description Last sign-in.
             */
            last_login_at: string | null;
            /** @description Role in the organisation. */
            role: components["schemas"]["RoleName"];
            /** @description `system`, `light` or `dark`. */
            theme_preference: string;
            /** @description Name to sign in with. */
            username: string;
        };
        /**
         * Format: uuid
         * @description A person or service account that signs in.
         */
        UserId: string;
        /**
         * @description What to change; what is left out stays.
         * @example {
         *       "is_active": true,
         *       "role": "auditor"
         *     }
         */
        UserUpdate: {
            /**
             * Format: email
             * @description E-mail address.
             * @default null
             */
            email?: string | null;
            /**
             * @description Whether the user may work in the organisation.
             * @default null
             */
            is_active?: boolean | null;
            /**
             * @description Role in the organisation.
             * @default null
             */
            role?: string | null;
        };
        /**
         * @description A process that runs background work.
         * @example {
         *       "alive": true,
         *       "alive_until": "2026-11-20T09:31:00Z",
         *       "host": "scanner-1",
         *       "id": "scanner-1:4711:5f1d2c9a",
         *       "kind": "worker",
         *       "last_heartbeat_at": "2026-11-20T09:30:00Z",
         *       "process_id": 4711,
         *       "running_jobs": 1,
         *       "slots": 4,
         *       "started_at": "2026-11-20T08:00:00Z",
         *       "version": "0.1.0"
         *     }
         */
        Worker: {
            /** @description Whether it holds now. The jobs of a process that was lost go to the others then. */
            alive: boolean;
            /**
             * Format: date-time
             * @description Until when that sign holds: as long as the lease of a job, 60 seconds unless set otherwise.
             */
            alive_until: string;
            /** @description Name of its machine. */
            host: string;
            /** @description Its name, as in `worker` of a job. */
            id: string;
            /** @description What it is. */
            kind: components["schemas"]["WorkerKind"];
            /**
             * Format: date-time
             * @description Its last sign of life.
             */
            last_heartbeat_at: string;
            /**
             * Format: int32
             * @description Its number there.
             */
            process_id: number;
            /**
             * Format: int64
             * @description Jobs it runs.
             */
            running_jobs: number;
            /**
             * Format: int32
             * @description Jobs it runs at a time at most, of all kinds together.
             */
            slots: number;
            /**
             * Format: date-time
             * @description When it began.
             */
            started_at: string;
            /** @description Version of the program. */
            version: string;
        };
        /**
         * @description What a process is.
         * @enum {string}
         */
        WorkerKind: "server" | "worker";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_api_keys: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Every member's keys, which needs `members.manage`. Left out: one's own. */
                all?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_ApiKey"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_api_key: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiKeyCreate"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The new key. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyCreated"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                api_key_id: components["schemas"]["ApiKeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                api_key_id: components["schemas"]["ApiKeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_assets: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Text in name, target or host name. */
                search?: string;
                /** @description Kinds of target. */
                target_type?: components["schemas"]["AssetKind"][];
                /** @description Tags; an asset with any of them matches. */
                tag?: string[];
                /** @description Risk zones. */
                risk_zone?: components["schemas"]["RiskZone"][];
                /** @description Not seen for 30 days. */
                stale?: boolean;
                /** @description Operating system, exact. */
                os_distro?: string;
                /** @description Version of the operating system, exact. */
                os_version?: string;
                /** @description Text in the host name. */
                hostname?: string;
                /** @description Column to sort by; `name` when left out. */
                sort?: "name" | "target_type" | "target_value" | "risk_zone" | "criticality" | "score" | "last_seen_at" | "created_at";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Asset"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_asset: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssetCreate"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The new asset. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Asset"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bulk_update_assets: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssetBulkUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AssetBulkResult"];
                };
            };
            /** @description No `asset_ids`, an unknown `risk_zone`, or nothing to change. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    import_assets: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description CSV with a header line: `name,target_type,target_value,tags`, and if wanted `risk_zone` and `criticality`.
                     *     Tags are separated by semicolons. All but type and value may be left out.
                     *     At most 10,000 rows and 5 MiB.
                     */
                    file: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImportResult"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_asset_tags: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Text the label begins with. */
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_TagCount"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The asset. */
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Asset"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The asset. */
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The asset. */
                asset_id: components["schemas"]["AssetId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AssetUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Asset"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_audit_entries: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Name of who did it, whole. */
                actor?: string;
                /** @description The whole action, `user.create`, or the kind of action with a dot at its end, `user.`. */
                action?: string;
                /** @description Kind of thing it was done to. */
                target_type?: string;
                /** @description The thing it was done to. */
                target_id?: string;
                /**
                 * @description Not before this day or instant.
                 * @example 2026-11-01
                 */
                date_from?: string;
                /**
                 * @description Not after this day, or before this instant.
                 * @example 2026-11-30
                 */
                date_to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_AuditEntry"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_audit_log: {
        parameters: {
            query?: {
                /** @description Format of the file. */
                format?: "csv" | "jsonl";
                /** @description Name of who did it, whole. */
                actor?: string;
                /** @description The whole action, `user.create`, or the kind of action with a dot at its end, `user.`. */
                action?: string;
                /** @description Kind of thing it was done to. */
                target_type?: string;
                /** @description The thing it was done to. */
                target_id?: string;
                /** @description Not before this day or instant. */
                date_from?: string;
                /** @description Not after this day, or before this instant. */
                date_to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/jsonl": string;
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many entries. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many exports; `Retry-After` says for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verify_audit_log: {
        parameters: {
            query?: {
                /** @description Its position; with `hash`. */
                position?: number;
                /** @description Its hash; with `position`. */
                hash?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditVerification"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    accept_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationAccept"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
            /** @description The link is not good: unknown, used, taken back or too old. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The name is taken, or the address has an account. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    preview_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationToken"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationPreview"];
                };
            };
            /** @description The link is not good: unknown, used, taken back or too old. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
            /** @description Wrong user name, password or code, or the code is missing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Of the directory: the account is switched off here, or no group of it may sign in. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Of the directory: another account has the e-mail address. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The directory cannot be asked; the log says why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logout_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session is over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_current_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentUser"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_current_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CurrentUserUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentUser"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    authorize_oidc: {
        parameters: {
            query?: {
                /** @description A path of this server, to be answered when the sign-in is finished. */
                return_to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OidcStart"];
                };
            };
            /** @description Sign-in by OpenID Connect is not switched on. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The provider cannot be used; the log says why. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exchange_oidc_code: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OidcCallback"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OidcLogin"];
                };
            };
            /** @description The state is unknown, used, expired or of another browser, or code or token do not hold. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The account is switched off here, or no group of it may sign in. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not switched on, or another account has the e-mail address. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The provider cannot be used; the log says why. */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Changed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    request_password_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordForgot"];
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordForgotten"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reset_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordReset"];
            };
        };
        responses: {
            /** @description Changed; sign in with the new password. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_auth_providers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthProviders"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description The refresh token is unknown, expired, withdrawn or was used before. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecondFactor"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordConfirmation"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecondFactorEnrolment"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondFactorCode"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordConfirmation"];
            };
        };
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_recovery_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondFactorCode"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Session"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_other_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setup_server: {
        parameters: {
            query?: never;
            header?: {
                /** @description The one-time token printed at the start. */
                "X-Setup-Token"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupRequest"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginResponse"];
                };
            };
            /** @description The one-time token is missing or wrong. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A user exists already. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description On loopback, the request names a host that is not this machine. */
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    switch_organization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SwitchResponse"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_branding: {
        parameters: {
            query?: {
                /** @description The organisation; the one that setup made when left out, whose looks the sign-in page has. */
                organization_id?: components["schemas"]["OrganizationId"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Branding"];
                };
            };
            /** @description No such organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_branding: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` the change is based on. */
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BrandingUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Branding"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Somebody changed it meanwhile. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_branding_asset: {
        parameters: {
            query?: {
                /** @description The organisation; the one that setup made when left out. */
                organization_id?: components["schemas"]["OrganizationId"];
                /** @description Says nothing to the server: it differs from picture to picture, so that browsers ask anew for a new one. */
                v?: string;
            };
            header?: {
                /** @description The `ETag` of the picture one has. */
                "If-None-Match"?: string | null;
            };
            path: {
                /** @description Which picture. */
                asset_type: "logo_light" | "logo_dark" | "favicon";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture. */
            200: {
                headers: {
                    /** @description `public, max-age=3600` */
                    "Cache-Control"?: string;
                    /** @description Differs from picture to picture. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "image/png": number[];
                };
            };
            /** @description The picture is the one that `If-None-Match` names. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description None was uploaded. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter or field breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_branding_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Which picture. */
                asset_type: "logo_light" | "logo_dark" | "favicon";
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description A PNG of at most 2 MB and 2048 pixels a side.
                     */
                    file: string;
                };
            };
        };
        responses: {
            /** @description Stored. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The form cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_branding_asset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Which picture. */
                asset_type: "logo_light" | "logo_dark" | "favicon";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_checks: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Text in id or title. */
                search?: string;
                /** @description Severities. */
                severity?: components["schemas"]["Severity"][];
                /** @description Categories. */
                category?: string[];
                /** @description Checks this profile runs. */
                profile?: components["schemas"]["ScanProfile"];
                /** @description Column to sort by; `id` when left out. */
                sort?: "id" | "title" | "severity" | "category";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_CheckSummary"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_check: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the check.
                 * @example hsts.missing
                 */
                check_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_compliance_matrix: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComplianceMatrix"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_auth_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthConfig"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_auth_config: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` the change is based on. */
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuthConfigUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthConfig"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Somebody changed the settings meanwhile. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_auth_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuthConfigTest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthConfigTestResult"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_mail_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailSettings"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_mail_settings: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` the change is based on. */
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailSettingsUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailSettings"];
                };
            };
            /** @description The mail server is given in the server's configuration. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Somebody changed the settings meanwhile. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_mail_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailTestRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailTestResult"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_scanning_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScanningSettings"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_scanning_settings: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` the change is based on. */
                "If-Match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScanningSettingsUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description For `If-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScanningSettings"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Somebody changed the settings meanwhile. */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    load_demo_data: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DemoLoaded"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description This program ships no recording. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_demo_data: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_findings: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Text in title, check, asset or location. */
                search?: string;
                /** @description Severities. */
                severity?: components["schemas"]["Severity"][];
                /** @description Workflow statuses. */
                status?: components["schemas"]["FindingStatus"][];
                /** @description Categories of check. */
                category?: string[];
                /** @description Checks. */
                check_id?: string[];
                /** @description One asset. */
                asset_id?: components["schemas"]["AssetId"];
                /** @description One domain or address, exact. */
                asset?: string;
                /** @description Assets with any of these tags. */
                tag?: string[];
                /** @description Findings this scan saw. */
                scan_id?: number;
                /** @description Seen first at or after this instant. */
                first_seen_from?: string;
                /** @description Whether it came back after it was resolved. */
                reopened?: boolean;
                /** @description The finding that those wanted follow in the order of the list; `page` is left aside. */
                after?: components["schemas"]["FindingId"];
                /** @description Column to sort by; left out: what to fix first comes first. */
                sort?: "severity" | "status" | "check_id" | "title" | "category" | "asset" | "first_seen_at" | "last_seen_at" | "occurrences";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Finding"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bulk_update_findings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FindingBulkUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingBulkResult"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_finding_stats: {
        parameters: {
            query?: {
                /** @description Text in title, check, asset or location. */
                search?: string;
                /** @description Severities. */
                severity?: components["schemas"]["Severity"][];
                /** @description Workflow statuses. */
                status?: components["schemas"]["FindingStatus"][];
                /** @description Categories of check. */
                category?: string[];
                /** @description Checks. */
                check_id?: string[];
                /** @description One asset. */
                asset_id?: components["schemas"]["AssetId"];
                /** @description One domain or address, exact. */
                asset?: string;
                /** @description Assets with any of these tags. */
                tag?: string[];
                /** @description Findings this scan saw. */
                scan_id?: number;
                /** @description Seen first at or after this instant. */
                first_seen_from?: string;
                /** @description Whether it came back after it was resolved. */
                reopened?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingStats"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_finding: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The finding. */
                finding_id: components["schemas"]["FindingId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_finding: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The finding. */
                finding_id: components["schemas"]["FindingId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FindingUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_finding_history: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path: {
                /** @description The finding. */
                finding_id: components["schemas"]["FindingId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_FindingEvent"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_invitations: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Invitation"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_invitation: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationCreate"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The invitation. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationIssued"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    join_organization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationToken"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Joined"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The invitation. */
                invitation_id: components["schemas"]["InvitationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The invitation. */
                invitation_id: components["schemas"]["InvitationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken back. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resend_invitation: {
        parameters: {
            query?: {
                /** @description Whether the link is sent by mail, where a mail server is set. Left out: it is. */
                send_mail?: boolean;
            };
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The invitation. */
                invitation_id: components["schemas"]["InvitationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationIssued"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description States. */
                status?: components["schemas"]["JobStatus"][];
                /** @description Kind. */
                kind?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Job"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job_id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job_id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_job: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The job. */
                job_id: components["schemas"]["JobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_members: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Part of the name or the e-mail address. */
                search?: string;
                /** @description With this role. */
                role?: string;
                /** @description Active, or deactivated. */
                is_active?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Member"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No member any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MemberUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_organization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_organization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrganizationName"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_organizations: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_OwnOrganization"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_organization: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrganizationName"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_profiles: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Profile"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_roles: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_RoleDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_role: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoleCreate"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The new role. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoleDetail"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_role: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the role. */
                role: components["schemas"]["RoleName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoleDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_role: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the role. */
                role: components["schemas"]["RoleName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_role: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the role. */
                role: components["schemas"]["RoleName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoleUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoleDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_scans: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description States. */
                status?: components["schemas"]["ScanStatus"][];
                /** @description Depths. */
                scan_type?: components["schemas"]["ScanProfile"][];
                /** @description Scans that include this asset. */
                asset_id?: components["schemas"]["AssetId"];
                /** @description Text in a target. */
                search?: string;
                /** @description Column to sort by; left out: newest first. */
                sort?: "id" | "status" | "scan_type" | "score" | "created_at" | "started_at" | "finished_at";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Scan"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_scan: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScanCreate"];
            };
        };
        responses: {
            202: {
                headers: {
                    /** @description The scan. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScanLaunched"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description An asset that is named does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_scan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the scan. */
                scan_id: components["schemas"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScanDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_scan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the scan. */
                scan_id: components["schemas"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_scan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the scan. */
                scan_id: components["schemas"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scan"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_scan: {
        parameters: {
            query?: {
                /** @description Format. */
                format?: "json" | "jsonl" | "csv" | "sarif" | "html" | "table";
            };
            header?: never;
            path: {
                /** @description Number of the scan. */
                scan_id: components["schemas"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    /** @description `attachment` with a file name. */
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "application/jsonl": string;
                    "text/csv": string;
                    "application/sarif+json": unknown;
                    "text/html": string;
                    "text/plain": string;
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many exports; `Retry-After` says for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stream_scan_events: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the scan. */
                scan_id: components["schemas"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example event: progress
                     *     data: {"scan_id":17,"status":"running"}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many streams; `Retry-After` says for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_scan_progress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number of the scan. */
                scan_id: components["schemas"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScanProgress"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_scan_results: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Text in name or address. */
                search?: string;
                /** @description Whether anything answered. */
                reached?: boolean;
                /** @description Hosts with a finding of this severity or worse. */
                min_severity?: "info" | "low" | "medium" | "high" | "critical";
                /** @description Column to sort by; `position` when left out. */
                sort?: "position" | "asset" | "score";
            };
            header?: never;
            path: {
                /** @description Number of the scan. */
                scan_id: components["schemas"]["ScanId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_ScanHost"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_schedules: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Text in the name. */
                search?: string;
                /** @description Whether it fires. */
                enabled?: boolean;
                /** @description Column to sort by; `name` when left out. */
                sort?: "name" | "next_run_at" | "last_run_at" | "created_at";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Schedule"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_schedule: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleCreate"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The schedule. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description An asset does not exist. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    preview_schedule: {
        parameters: {
            query?: {
                /**
                 * @description Cron expression. Left out: `0 2 * * *`.
                 * @example 0 2 * * 1
                 */
                cron?: string;
                /** @description IANA name of the time zone. Left out: `UTC`. */
                time_zone?: string;
                /** @description What holds when both days are restricted. */
                day_rule?: "or" | "and";
                /** @description Instants to show, at most 50. Left out: 5. */
                count?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SchedulePreview"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule. */
                schedule_id: components["schemas"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule. */
                schedule_id: components["schemas"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule. */
                schedule_id: components["schemas"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    run_schedule: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The schedule. */
                schedule_id: components["schemas"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    /** @description The scan. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleLaunched"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_schedule_runs: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path: {
                /** @description The schedule. */
                schedule_id: components["schemas"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_ScheduleRun"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_summary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Summary"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_summary_trend: {
        parameters: {
            query?: {
                /** @description Days back from today. */
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trend"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_log_level: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogLevelBody"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_log_level: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogLevelBody"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogLevelBody"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_maintenance: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MaintenanceUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Maintenance"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_system_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemStatus"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_workers: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_Worker"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_users: {
        parameters: {
            query?: {
                /** @description Page number, from 1. */
                page?: number;
                /** @description Items per page. */
                page_size?: number;
                /** @description Direction of the sort. */
                sort_dir?: "asc" | "desc";
                /** @description Part of the name or the e-mail address. */
                search?: string;
                /** @description With this role. */
                role?: string;
                /** @description Active, or deactivated. */
                is_active?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageOf_UserDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_user: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
                 *     gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
                 *     request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
                 *     whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
                 */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserCreate"];
            };
        };
        responses: {
            201: {
                headers: {
                    /** @description The new user. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserDetail"];
                };
            };
            /** @description The request makes no sense as a whole. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with what exists, or a request with this `Idempotency-Key` is still running. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: a parameter breaks a rule; `errors` names it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserUpdate"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserDetail"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_password_link: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordLink"];
                };
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_user_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_user_sessions: {
        parameters: {
            query?: {
                /** @description What becomes of the user's API keys in the organisation. Left out: `keep`. */
                api_keys?: components["schemas"]["ApiKeysThen"];
            };
            header?: never;
            path: {
                /** @description The user. */
                user_id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They are over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Authentication required: no, expired or wrong credentials. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Insufficient permissions. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such thing, or it belongs to another organisation. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description It collides with the present state. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not of the media type the operation reads. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Validation error: `errors` names each field. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Rate limit exceeded; `Retry-After` and `retry_after` say for how long. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal server error; the log has the cause under `request_id`. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Maintenance mode is on, and `detail` says why; or something needed cannot be reached. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Unhealthy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    get_liveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example ok */
                    "text/plain": string;
                };
            };
        };
    };
    get_readiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example ok */
                    "text/plain": string;
                };
            };
            /** @description The database is down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
}
