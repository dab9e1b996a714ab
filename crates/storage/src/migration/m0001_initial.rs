//! Organisations, people, sessions, assets, scans, findings, jobs, audit log.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_initial"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for part in [PEOPLE, ASSETS, SCANS, FINDINGS, PLATFORM] {
            super::run(manager, part).await?;
        }
        Ok(())
    }
}

const PEOPLE: &str = "
CREATE TABLE organizations (
    id {uuid} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at {time} NOT NULL
) {strict};

CREATE TABLE users (
    id {uuid} NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    password_hash TEXT,
    auth_provider TEXT NOT NULL,
    is_active {bool} NOT NULL,
    theme_preference TEXT NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    last_login_at {time}
) {strict};

CREATE TABLE memberships (
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) {strict};
CREATE INDEX memberships_user ON memberships (user_id, created_at);

CREATE TABLE sessions (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent TEXT NOT NULL,
    ip TEXT NOT NULL,
    created_at {time} NOT NULL,
    last_used_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    ended_at {time},
    ended_because TEXT
) {strict};
CREATE INDEX sessions_user ON sessions (user_id, last_used_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash {bytes} NOT NULL PRIMARY KEY,
    session_id {uuid} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    used_at {time}
) {strict};
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
";

const ASSETS: &str = "
CREATE TABLE assets (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_value TEXT NOT NULL,
    hostname TEXT,
    os_distro TEXT,
    os_version TEXT,
    risk_zone TEXT NOT NULL,
    criticality INTEGER NOT NULL,
    scope_confirmed_at {time},
    last_seen_at {time},
    last_scan_id BIGINT,
    score INTEGER,
    demo {bool} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (organization_id, target_type, target_value)
) {strict};
CREATE INDEX assets_by_name ON assets (organization_id, name, id);
CREATE INDEX assets_by_value ON assets (organization_id, target_value, id);
CREATE INDEX assets_by_zone ON assets (organization_id, risk_zone, id);
CREATE INDEX assets_by_criticality ON assets (organization_id, criticality, id);
CREATE INDEX assets_by_last_seen ON assets (organization_id, last_seen_at, id);
CREATE INDEX assets_by_created ON assets (organization_id, created_at, id);
CREATE INDEX assets_by_score ON assets (organization_id, score, id);
CREATE INDEX assets_by_os ON assets (organization_id, os_distro, os_version);

CREATE TABLE asset_tags (
    organization_id {uuid} NOT NULL,
    asset_id {uuid} NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (asset_id, tag)
) {strict};
CREATE INDEX asset_tags_by_tag ON asset_tags (organization_id, tag, asset_id);
";

const SCANS: &str = "
CREATE TABLE scans (
    id {number},
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    profile TEXT NOT NULL,
    status TEXT NOT NULL,
    targets {json} NOT NULL,
    options {json} NOT NULL,
    partial {bool} NOT NULL,
    partial_reasons {json} NOT NULL,
    error TEXT,
    progress {json} NOT NULL,
    hosts_total BIGINT NOT NULL,
    hosts_finished BIGINT NOT NULL,
    outcomes {json} NOT NULL,
    findings_critical BIGINT NOT NULL,
    findings_high BIGINT NOT NULL,
    findings_medium BIGINT NOT NULL,
    findings_low BIGINT NOT NULL,
    findings_info BIGINT NOT NULL,
    score {real},
    score_detail {json},
    compliance_matrix {json},
    catalogue TEXT NOT NULL,
    created_at {time} NOT NULL,
    started_at {time},
    finished_at {time},
    heartbeat_at {time},
    cancel_requested_at {time},
    started_by {uuid},
    started_by_name TEXT NOT NULL,
    demo {bool} NOT NULL
) {strict};
CREATE INDEX scans_by_status ON scans (organization_id, status, id);
CREATE INDEX scans_by_kind ON scans (organization_id, kind, id);
CREATE INDEX scans_by_profile ON scans (organization_id, profile, id);
CREATE INDEX scans_by_created ON scans (organization_id, created_at, id);
CREATE INDEX scans_by_finished ON scans (organization_id, finished_at, id);
CREATE INDEX scans_by_score ON scans (organization_id, score, id);

CREATE TABLE scan_assets (
    organization_id {uuid} NOT NULL,
    scan_id BIGINT NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    asset_id {uuid} NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    PRIMARY KEY (scan_id, asset_id)
) {strict};
CREATE INDEX scan_assets_by_asset ON scan_assets (asset_id, scan_id);

CREATE TABLE evidence (
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    retention TEXT NOT NULL,
    size BIGINT NOT NULL,
    bytes {bytes} NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (organization_id, hash)
) {strict};

CREATE TABLE scan_hosts (
    organization_id {uuid} NOT NULL,
    scan_id BIGINT NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    asset TEXT NOT NULL,
    asset_id {uuid} REFERENCES assets (id) ON DELETE SET NULL,
    status TEXT NOT NULL,
    reached {bool} NOT NULL,
    score INTEGER,
    result {json} NOT NULL,
    outcomes {json} NOT NULL,
    findings_critical BIGINT NOT NULL,
    findings_high BIGINT NOT NULL,
    findings_medium BIGINT NOT NULL,
    findings_low BIGINT NOT NULL,
    findings_info BIGINT NOT NULL,
    evidence_hash TEXT NOT NULL,
    coverage {bytes} NOT NULL,
    finished_at {time} NOT NULL,
    PRIMARY KEY (scan_id, asset)
) {strict};
CREATE INDEX scan_hosts_by_position ON scan_hosts (scan_id, position);
CREATE INDEX scan_hosts_by_evidence ON scan_hosts (organization_id, evidence_hash);
CREATE INDEX scan_hosts_by_asset ON scan_hosts (asset_id);
";

const FINDINGS: &str = "
CREATE TABLE findings (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    check_id TEXT NOT NULL,
    category TEXT NOT NULL,
    title TEXT NOT NULL,
    severity INTEGER NOT NULL,
    confidence INTEGER NOT NULL,
    asset TEXT NOT NULL,
    asset_id {uuid} REFERENCES assets (id) ON DELETE SET NULL,
    location TEXT NOT NULL,
    status INTEGER NOT NULL,
    resolution_reason TEXT,
    status_note TEXT,
    status_changed_at {time} NOT NULL,
    accepted_until {time},
    accepted_by {uuid},
    evidence {json} NOT NULL,
    first_seen_at {time} NOT NULL,
    last_seen_at {time} NOT NULL,
    first_scan_id BIGINT NOT NULL,
    last_scan_id BIGINT NOT NULL,
    occurrences BIGINT NOT NULL,
    reopened BIGINT NOT NULL,
    resolved_at {time},
    resolved_scan_id BIGINT,
    demo {bool} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (organization_id, fingerprint)
) {strict};
CREATE INDEX findings_by_severity ON findings (organization_id, severity, id);
CREATE INDEX findings_by_status ON findings (organization_id, status, severity, id);
CREATE INDEX findings_by_category ON findings (organization_id, category, severity, id);
CREATE INDEX findings_by_check ON findings (organization_id, check_id, id);
CREATE INDEX findings_by_asset ON findings (organization_id, asset, id);
CREATE INDEX findings_by_asset_id ON findings (asset_id, status, severity);
CREATE INDEX findings_by_first_seen ON findings (organization_id, first_seen_at, id);
CREATE INDEX findings_by_last_seen ON findings (organization_id, last_seen_at, id);
CREATE INDEX findings_by_occurrences ON findings (organization_id, occurrences, id);
CREATE INDEX findings_by_expiry ON findings (accepted_until);

CREATE TABLE finding_events (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL,
    finding_id {uuid} NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
    at {time} NOT NULL,
    kind TEXT NOT NULL,
    from_status INTEGER,
    to_status INTEGER NOT NULL,
    resolution_reason TEXT,
    note TEXT,
    scan_id BIGINT,
    actor_id {uuid},
    actor_name TEXT NOT NULL
) {strict};
CREATE INDEX finding_events_by_finding ON finding_events (finding_id, at, id);

CREATE TABLE observations (
    organization_id {uuid} NOT NULL,
    scan_id BIGINT NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    finding_id {uuid} NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
    severity INTEGER NOT NULL,
    confidence INTEGER NOT NULL,
    evidence {json} NOT NULL,
    seen_at {time} NOT NULL,
    PRIMARY KEY (scan_id, finding_id)
) {strict};
CREATE INDEX observations_by_finding ON observations (finding_id, scan_id);
";

const PLATFORM: &str = "
CREATE TABLE idempotency_keys (
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    principal TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash {bytes} NOT NULL,
    response_status INTEGER,
    response_headers {json},
    response_body {bytes},
    created_at {time} NOT NULL,
    PRIMARY KEY (organization_id, principal, path, key)
) {strict};
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE audit_log (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid},
    at {time} NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id {uuid},
    actor_name TEXT NOT NULL,
    ip TEXT,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    noun TEXT NOT NULL,
    noun_id TEXT NOT NULL,
    before {json},
    after {json}
) {strict};
CREATE INDEX audit_log_by_time ON audit_log (organization_id, at, id);
CREATE INDEX audit_log_by_noun ON audit_log (organization_id, noun, noun_id);

CREATE TABLE jobs (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid},
    kind TEXT NOT NULL,
    dedupe_key TEXT,
    priority INTEGER NOT NULL,
    payload {json} NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    run_at {time} NOT NULL,
    owner TEXT,
    lease_until {time},
    cancel_requested {bool} NOT NULL,
    progress {json},
    error TEXT,
    created_at {time} NOT NULL,
    started_at {time},
    finished_at {time}
) {strict};
CREATE INDEX jobs_ready ON jobs (status, priority DESC, run_at, id);
CREATE INDEX jobs_lease ON jobs (status, lease_until);
CREATE INDEX jobs_finished ON jobs (finished_at);
CREATE UNIQUE INDEX jobs_dedupe ON jobs (kind, dedupe_key) WHERE status IN ('queued', 'running');

CREATE TABLE cron_fires (
    name TEXT NOT NULL,
    fire_at {time} NOT NULL,
    PRIMARY KEY (name, fire_at)
) {strict};

CREATE TABLE settings (
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value {json} NOT NULL,
    version BIGINT NOT NULL,
    updated_at {time} NOT NULL,
    updated_by {uuid},
    PRIMARY KEY (organization_id, key)
) {strict};
";
