//! Counts of findings that need no walk over the findings.

use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0010_finding_tally"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, TALLY).await?;
        let kept = match manager.get_database_backend() {
            DbBackend::Postgres => KEPT_ON_POSTGRESQL,
            _ => KEPT_ON_SQLITE,
        };
        super::run(manager, kept).await?;
        super::run(manager, BEGIN).await
    }
}

// No reference to the organisation: its findings are taken away after it is gone, and each is written down here.
const TALLY: &str = "
CREATE TABLE finding_tally (
    organization_id {uuid} NOT NULL,
    severity INTEGER NOT NULL,
    status INTEGER NOT NULL,
    category TEXT NOT NULL,
    check_id TEXT NOT NULL,
    demo {bool} NOT NULL,
    findings BIGINT NOT NULL
) {strict};
CREATE INDEX findings_by_title ON findings (organization_id, title, id);
";

// One writer: each combination has one row, which is counted up and down.
const KEPT_ON_SQLITE: &str = "
CREATE UNIQUE INDEX finding_tally_row ON finding_tally (organization_id, severity, status, category, check_id, demo);
CREATE TRIGGER findings_tally_insert AFTER INSERT ON findings BEGIN
    INSERT INTO finding_tally VALUES
        (NEW.organization_id, NEW.severity, NEW.status, NEW.category, NEW.check_id, NEW.demo, 1)
    ON CONFLICT (organization_id, severity, status, category, check_id, demo) DO UPDATE SET findings = findings + 1;
END;
CREATE TRIGGER findings_tally_delete AFTER DELETE ON findings BEGIN
    UPDATE finding_tally SET findings = findings - 1
    WHERE organization_id = OLD.organization_id AND severity = OLD.severity AND status = OLD.status
        AND category = OLD.category AND check_id = OLD.check_id AND demo = OLD.demo;
END;
CREATE TRIGGER findings_tally_update AFTER UPDATE OF organization_id, severity, status, category, check_id, demo ON findings
WHEN (OLD.organization_id, OLD.severity, OLD.status, OLD.category, OLD.check_id, OLD.demo)
    IS NOT (NEW.organization_id, NEW.severity, NEW.status, NEW.category, NEW.check_id, NEW.demo)
BEGIN
    UPDATE finding_tally SET findings = findings - 1
    WHERE organization_id = OLD.organization_id AND severity = OLD.severity AND status = OLD.status
        AND category = OLD.category AND check_id = OLD.check_id AND demo = OLD.demo;
    INSERT INTO finding_tally VALUES
        (NEW.organization_id, NEW.severity, NEW.status, NEW.category, NEW.check_id, NEW.demo, 1)
    ON CONFLICT (organization_id, severity, status, category, check_id, demo) DO UPDATE SET findings = findings + 1;
END;
";

// Many writers, who must not wait for one another's counts: each statement adds rows with what it changed, and
// housekeeping adds them up.
const KEPT_ON_POSTGRESQL: &str = "
CREATE INDEX finding_tally_organization ON finding_tally (organization_id);
CREATE FUNCTION finding_tally_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO finding_tally
    SELECT organization_id, severity, status, category, check_id, demo, count(*)
    FROM new_rows GROUP BY 1, 2, 3, 4, 5, 6;
    RETURN NULL;
END $$;
CREATE FUNCTION finding_tally_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO finding_tally
    SELECT organization_id, severity, status, category, check_id, demo, -count(*)
    FROM old_rows GROUP BY 1, 2, 3, 4, 5, 6;
    RETURN NULL;
END $$;
CREATE FUNCTION finding_tally_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO finding_tally
    SELECT organization_id, severity, status, category, check_id, demo, sum(n) FROM (
        SELECT organization_id, severity, status, category, check_id, demo, 1 AS n FROM new_rows
        UNION ALL
        SELECT organization_id, severity, status, category, check_id, demo, -1 FROM old_rows
    ) AS changed GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER findings_tally_insert AFTER INSERT ON findings
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION finding_tally_insert();
CREATE TRIGGER findings_tally_delete AFTER DELETE ON findings
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION finding_tally_delete();
CREATE TRIGGER findings_tally_update AFTER UPDATE ON findings
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION finding_tally_update();
";

const BEGIN: &str = "
INSERT INTO finding_tally
SELECT organization_id, severity, status, category, check_id, demo, count(*)
FROM findings GROUP BY 1, 2, 3, 4, 5, 6;
";
