//! Pages of a list.

use sea_orm::sea_query::{ExprTrait as _, LikeExpr, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait, FromQueryResult, Order, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select, sea_query::Asterisk, sea_query::Expr, sea_query::NullOrdering,
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

    pub(crate) const fn offset(self) -> u64 {
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

impl SortDir {
    const fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
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

/// What a list is ordered by.
#[derive(Debug, Clone)]
pub(crate) struct SortBy {
    expr: SimpleExpr,
    dir: SortDir,
    nulls: bool,
}

impl SortBy {
    /// By something that every row has. An index can serve such an order in both directions.
    pub(crate) const fn never_null(expr: SimpleExpr, dir: SortDir) -> Self {
        Self { expr, dir, nulls: false }
    }
}

impl From<(SimpleExpr, SortDir)> for SortBy {
    /// By something that rows may lack; those come last either way.
    fn from((expr, dir): (SimpleExpr, SortDir)) -> Self {
        Self { expr, dir, nulls: true }
    }
}

/// Beyond this many rows, ids are looked for first: skipping in an index is quicker than skipping whole rows.
const DEEP: u64 = 1_000;

/// One page of `select`, ordered by `sort` and then by `tie`; rows without the sorted value come last either way.
pub(crate) async fn page<E, M>(
    db: &impl ConnectionTrait,
    select: Select<E>,
    sort: impl Into<SortBy>,
    tie: E::Column,
    page: Page,
) -> Result<Listed<M>>
where
    E: EntityTrait<Model = M>,
    M: FromQueryResult + Sized + Send + Sync,
{
    let total = count(db, &select).await?;
    let part = Part { offset: page.offset(), size: page.size, total };
    let rows = rows(db, select, sort.into(), tie, part).await?;
    Ok(Listed { rows, total })
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Rows before it.
    pub offset: u64,
    /// Rows in it, at most.
    pub size: u64,
    /// Rows of the whole list.
    pub total: u64,
}

/// The rows of one part of a list.
pub(crate) async fn rows<E, M>(
    db: &impl ConnectionTrait,
    select: Select<E>,
    sort: SortBy,
    tie: E::Column,
    part: Part,
) -> Result<Vec<M>>
where
    E: EntityTrait<Model = M>,
    M: FromQueryResult + Sized + Send + Sync,
{
    if part.offset >= part.total {
        return Ok(Vec::new());
    }
    let size = Ord::min(part.size, part.total - part.offset);
    // The last rows are near when one comes from the end.
    let from_the_end = part.total - part.offset - size;
    let backwards = part.offset > DEEP && from_the_end < part.offset;
    let offset = if backwards { from_the_end } else { part.offset };
    let ordered = |select: Select<E>| {
        let way = |dir: SortDir| if backwards { dir.reversed() } else { dir };
        let dir: Order = way(sort.dir).into();
        let select = match (sort.nulls, backwards) {
            (false, _) => select.order_by(sort.expr.clone(), dir.clone()),
            (true, false) => select.order_by_with_nulls(sort.expr.clone(), dir.clone(), NullOrdering::Last),
            (true, true) => select.order_by_with_nulls(sort.expr.clone(), dir.clone(), NullOrdering::First),
        };
        select.order_by(tie, dir)
    };
    let mut rows = if offset > DEEP {
        let ids = ordered(select.select_only().column(tie)).limit(size).offset(offset).into_query();
        ordered(E::find().filter(tie.in_subquery(ids))).all(db).await?
    } else {
        ordered(select).limit(size).offset(offset).all(db).await?
    };
    if backwards {
        rows.reverse();
    }
    Ok(rows)
}

/// `lower(column)` contains `needle`, whatever its case and whatever wildcards it holds.
pub(crate) fn contains(column: impl sea_orm::IntoSimpleExpr, needle: &str) -> SimpleExpr {
    like(column, &format!("%{}%", literally(needle)))
}

/// `lower(column)` begins with `text`, whatever its case and whatever wildcards it holds.
pub(crate) fn begins(column: impl sea_orm::IntoSimpleExpr, text: &str) -> SimpleExpr {
    like(column, &format!("{}%", literally(text)))
}

fn like(column: impl sea_orm::IntoSimpleExpr, pattern: &str) -> SimpleExpr {
    sea_orm::sea_query::Func::lower(column.into_simple_expr()).like(LikeExpr::new(pattern).escape('\\'))
}

/// The text in lower case, as a pattern that matches it alone.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
