//! Which severities are on a page of a list that is sorted by severity.

use bartizan_domain::id::OrganizationId;
use sea_orm::ColumnTrait as _;
use sea_orm::sea_query::SimpleExpr;

use super::{Column, Wanted, tally};
use crate::{Db, Page, Result, SortDir, page};

/// The severities that are on a page of a list in their order. The kept counts tell: what comes before the page need not
/// be walked over, which may be most of a million findings where few of them are wanted.
pub(super) struct Stretch {
    /// Lowest and highest, as stored.
    severities: (i32, i32),
    /// The page among the findings of these severities.
    pub part: page::Part,
    /// Findings of all severities.
    pub total: u64,
}

impl Stretch {
    /// `None` if the counts that are kept do not tell, or the page is empty.
    pub async fn of(
        db: Db<'_>,
        organization: OrganizationId,
        wanted: &Wanted,
        dir: SortDir,
        page: Page,
    ) -> Result<Option<Self>> {
        let Some(kept) = wanted.kept(organization) else { return Ok(None) };
        let mut counts = tally::by_severity(db, kept).await?;
        if dir == SortDir::Desc {
            counts.reverse();
        }
        Ok(Self::among(&counts, page))
    }

    /// The same, from the counts by severity in the order of the list.
    fn among(counts: &[(i32, u64)], page: Page) -> Option<Self> {
        let (from, to) = (page.offset(), page.offset().saturating_add(page.size));
        let (mut before, mut skipped, mut within) = (0, 0, 0);
        let mut severities: Option<(i32, i32)> = None;
        for (severity, count) in counts {
            let next = before + count;
            if next <= from {
                skipped = next;
            } else if before < to {
                within += count;
                let (low, high) = severities.unwrap_or((*severity, *severity));
                severities = Some((Ord::min(low, *severity), Ord::max(high, *severity)));
            }
            before = next;
        }
        let part = page::Part { offset: from - skipped, size: page.size, total: within };
        severities.map(|severities| Self { severities, part, total: before })
    }

    /// Whether it is one severity.
    pub const fn is_one(&self) -> bool {
        self.severities.0 == self.severities.1
    }

    /// That a finding has one of these severities.
    pub fn condition(&self) -> SimpleExpr {
        let (low, high) = self.severities;
        if low == high { Column::Severity.eq(low) } else { Column::Severity.between(low, high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(counts: &[(i32, u64)], number: u64, size: u64) -> Option<((i32, i32), u64, u64)> {
        Stretch::among(counts, Page { number, size })
            .map(|stretch| (stretch.severities, stretch.part.offset, stretch.part.total))
    }

    #[test]
    fn a_page_skips_the_severities_before_it() {
        let counts = [(4, 10), (2, 25), (0, 5)];
        assert_eq!(among(&counts, 1, 10), Some(((4, 4), 0, 10)));
        assert_eq!(among(&counts, 2, 10), Some(((2, 2), 0, 25)));
        assert_eq!(among(&counts, 4, 10), Some(((0, 2), 20, 30)), "the last of one and all of the next");
        assert_eq!(among(&counts, 1, 100), Some(((0, 4), 0, 40)));
        assert_eq!(among(&counts, 5, 10), None, "there is no such page");
        assert_eq!(among(&[], 1, 10), None);
        assert_eq!(among(&counts, u64::MAX, u64::MAX), None);
    }
}
