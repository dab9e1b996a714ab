//! Turns of organisations in the job queue; schedules of scans.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_schedules"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for part in [JOBS, SCHEDULES] {
            super::run(manager, part).await?;
        }
        Ok(())
    }
}

const JOBS: &str = "
ALTER TABLE jobs ADD COLUMN rank BIGINT NOT NULL DEFAULT 0;
DROP INDEX jobs_ready;
CREATE INDEX jobs_waiting ON jobs (kind, status, priority DESC, rank, run_at, id);
CREATE INDEX jobs_turns ON jobs (kind, status, rank);
CREATE INDEX jobs_turns_of_organization ON jobs (kind, status, organization_id, rank);
CREATE INDEX jobs_by_created ON jobs (organization_id, created_at, id);
";

const SCHEDULES: &str = "
CREATE TABLE schedules (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    enabled {bool} NOT NULL,
    cron TEXT NOT NULL,
    day_rule TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    jitter_seconds INTEGER NOT NULL,
    jitter_offset_seconds INTEGER NOT NULL,
    catch_up TEXT NOT NULL,
    overlap TEXT NOT NULL,
    scan {json} NOT NULL,
    next_fire_at {time},
    due_at {time},
    waiting_fire_at {time},
    last_run_at {time},
    last_outcome TEXT,
    last_scan_id BIGINT,
    created_by {uuid},
    created_by_name TEXT NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (organization_id, name_key)
) {strict};
CREATE INDEX schedules_due ON schedules (due_at);
CREATE INDEX schedules_waiting ON schedules (waiting_fire_at);

CREATE TABLE schedule_runs (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL,
    schedule_id {uuid} NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    fire_at {time} NOT NULL,
    at {time} NOT NULL,
    cause TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    scan_id BIGINT
) {strict};
CREATE UNIQUE INDEX schedule_runs_once ON schedule_runs (schedule_id, fire_at) WHERE cause <> 'manual';
CREATE INDEX schedule_runs_by_time ON schedule_runs (schedule_id, at, id);
CREATE INDEX schedule_runs_by_scan ON schedule_runs (scan_id);
";
