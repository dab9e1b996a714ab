//! Pages of a list.

use sea_orm::sea_query::{ExprTrait as _, LikeExpr, SimpleExpr};
use sea_orm::{
    ConnectionTrait, EntityTrait, FromQueryResult, Order, QueryOrder as _, QuerySelect as _, Select,
    sea_query::Asterisk, sea_query::Expr, sea_query::NullOrdering,
};

use crate::Result;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u64,
    /// Rows a page, at least 1.
    pub size: u64,
}

impl Page {
    /// The first `size` rows.
    #[must_use]
    pub const fn first(size: u64) -> Self {
        Self { number: 1, size }
    }

    const fn offset(self) -> u64 {
        self.number.saturating_sub(1).saturating_mul(self.size)
    }
}

/// One page, and how many rows there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// Rows on all pages.
    pub total: u64,
}

impl<T> Listed<T> {
    /// The same page with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Listed<U> {
        Listed { rows: self.rows.into_iter().map(turn).collect(), total: self.total }
    }
}

/// Direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortDir {
    /// Smallest first.
    #[default]
    Asc,
    /// Greatest first.
    Desc,
}

impl From<SortDir> for Order {
    fn from(dir: SortDir) -> Self {
        match dir {
            SortDir::Asc => Self::Asc,
            SortDir::Desc => Self::Desc,
        }
    }
}

/// Counts the rows of `select`.
pub(crate) async fn count<E: EntityTrait>(db: &impl ConnectionTrait, select: &Select<E>) -> Result<u64> {
    let total: Option<i64> =
        select.clone().select_only().expr(Expr::col(Asterisk).count()).into_tuple().one(db).await?;
    Ok(u64::try_from(total.unwrap_or(0)).unwrap_or(0))
}

/// One page of `select`, ordered by `sort` and then by `tie`; rows without the sorted value come last either way.
pub(crate) async fn page<E, M>(
    db: &impl ConnectionTrait,
    select: Select<E>,
    (sort, dir): (SimpleExpr, SortDir),
    tie: E::Column,
    page: Page,
) -> Result<Listed<M>>
where
    E: EntityTrait<Model = M>,
    M: FromQueryResult + Sized + Send + Sync,
{
    let total = count(db, &select).await?;
    if page.offset() >= total {
        return Ok(Listed { rows: Vec::new(), total });
    }
    let rows = select
        .order_by_with_nulls(sort, dir.into(), NullOrdering::Last)
        .order_by(tie, dir.into())
        .limit(page.size)
        .offset(page.offset())
        .all(db)
        .await?;
    Ok(Listed { rows, total })
}

/// `lower(column)` contains `needle`, whatever its case and whatever wildcards it holds.
pub(crate) fn contains(column: impl sea_orm::IntoSimpleExpr, needle: &str) -> SimpleExpr {
    let mut pattern = String::with_capacity(needle.len() + 2);
    pattern.push('%');
    for c in needle.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    sea_orm::sea_query::Func::lower(column.into_simple_expr()).like(LikeExpr::new(pattern).escape('\\'))
}
