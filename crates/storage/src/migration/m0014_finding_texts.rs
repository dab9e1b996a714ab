//! Searching text in findings without a walk over the findings.

use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0014_finding_texts"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, TEXTS).await?;
        let kept = match manager.get_database_backend() {
            DbBackend::Postgres => KEPT_ON_POSTGRESQL,
            _ => KEPT_ON_SQLITE,
        };
        super::run(manager, kept).await?;
        super::run(manager, BEGIN).await
    }
}

// Fields: 1 the asset, 2 the check with its title, 3 the location. Paths may be longer than what an index holds, so
// locations are looked up by their beginning.
const TEXTS: &str = "
CREATE TABLE finding_texts (
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    field INTEGER NOT NULL,
    text TEXT NOT NULL,
    title TEXT NOT NULL
) {strict};
CREATE INDEX findings_by_location ON findings (organization_id, substr(location, 1, 200), id);
";

const KEPT_ON_SQLITE: &str = "
CREATE UNIQUE INDEX finding_texts_row ON finding_texts (organization_id, field, text, title);
CREATE TRIGGER findings_texts_insert AFTER INSERT ON findings BEGIN
    INSERT INTO finding_texts VALUES (NEW.organization_id, 1, NEW.asset, '') ON CONFLICT DO NOTHING;
    INSERT INTO finding_texts VALUES (NEW.organization_id, 2, NEW.check_id, NEW.title) ON CONFLICT DO NOTHING;
    INSERT INTO finding_texts VALUES (NEW.organization_id, 3, NEW.location, '') ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER findings_texts_update AFTER UPDATE OF organization_id, asset, check_id, title, location ON findings
WHEN (OLD.organization_id, OLD.asset, OLD.check_id, OLD.title, OLD.location)
    IS NOT (NEW.organization_id, NEW.asset, NEW.check_id, NEW.title, NEW.location)
BEGIN
    INSERT INTO finding_texts VALUES (NEW.organization_id, 1, NEW.asset, '') ON CONFLICT DO NOTHING;
    INSERT INTO finding_texts VALUES (NEW.organization_id, 2, NEW.check_id, NEW.title) ON CONFLICT DO NOTHING;
    INSERT INTO finding_texts VALUES (NEW.organization_id, 3, NEW.location, '') ON CONFLICT DO NOTHING;
END;
";

// Not unique: of two writers who see the same text first, neither is to wait for the other. A text that is there twice
// does no harm.
const KEPT_ON_POSTGRESQL: &str = "
CREATE INDEX finding_texts_row ON finding_texts (organization_id, field, md5(text), md5(title));
CREATE FUNCTION finding_texts_add() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO finding_texts
    SELECT seen.* FROM (
        SELECT organization_id, 1 AS field, asset AS text, '' AS title FROM new_rows
        UNION SELECT organization_id, 2, check_id, title FROM new_rows
        UNION SELECT organization_id, 3, location, '' FROM new_rows
    ) AS seen
    WHERE NOT EXISTS (
        SELECT FROM finding_texts AS known
        WHERE known.organization_id = seen.organization_id AND known.field = seen.field
            AND md5(known.text) = md5(seen.text) AND md5(known.title) = md5(seen.title)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER findings_texts_insert AFTER INSERT ON findings
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION finding_texts_add();
CREATE TRIGGER findings_texts_update AFTER UPDATE ON findings
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION finding_texts_add();
";

const BEGIN: &str = "
INSERT INTO finding_texts
SELECT organization_id, 1, asset, '' FROM findings
UNION SELECT organization_id, 2, check_id, title FROM findings
UNION SELECT organization_id, 3, location, '' FROM findings;
";
