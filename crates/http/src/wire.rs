//! Wire types that several nouns share.

use axum::http::{HeaderMap, HeaderValue, header};
use bartizan_domain::id::UserId;
use bartizan_services::{Listed, Page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{PageParams, SortDir};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageOf<T> {
    /// The items of this page.
    pub data: Vec<T>,
    /// Items on all pages.
    pub total: u64,
    /// Number of this page, from 1.
    pub page: u64,
    /// Items a page has at most.
    pub page_size: u64,
    /// Pages there are; 0 when the list is empty.
    pub total_pages: u64,
}

impl<T> PageOf<T> {
    /// Wraps the items of the page `page` of a list of `total` items.
    pub fn new(data: Vec<T>, total: u64, page: PageParams) -> Self {
        Self {
            data,
            total,
            page: page.page,
            page_size: page.page_size,
            total_pages: total.div_ceil(page.page_size.max(1)),
        }
    }
}

impl<T> PageOf<T> {
    /// Wraps what a use case listed, each row turned into its wire form.
    pub fn of<R>(listed: Listed<R>, page: PageParams, turn: impl FnMut(R) -> T) -> Self {
        Self::new(listed.rows.into_iter().map(turn).collect(), listed.total, page)
    }
}

impl<T> PageOf<T> {
    /// The page `page` of a short list that is known whole, each of its rows turned into its wire form.
    pub fn cut<R>(whole: Vec<R>, page: PageParams, turn: impl FnMut(R) -> T) -> Self {
        let total = whole.len() as u64;
        let skipped = usize::try_from((page.page - 1).saturating_mul(page.page_size)).unwrap_or(usize::MAX);
        let size = usize::try_from(page.page_size).unwrap_or(usize::MAX);
        Self::new(whole.into_iter().skip(skipped).take(size).map(turn).collect(), total, page)
    }
}

impl From<PageParams> for Page {
    fn from(page: PageParams) -> Self {
        Self { number: page.page, size: page.page_size }
    }
}

impl From<SortDir> for bartizan_services::SortDir {
    fn from(dir: SortDir) -> Self {
        match dir {
            SortDir::Asc => Self::Asc,
            SortDir::Desc => Self::Desc,
        }
    }
}

/// The header that names something new.
pub(crate) fn location(path: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(path) {
        headers.insert(header::LOCATION, value);
    }
    headers
}

/// The wire form of a plain enum whose crate this one does not name.
pub(crate) fn text_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// Counts by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[schema(example = json!({"critical": 1, "high": 2, "medium": 5, "low": 3, "info": 0}))]
pub struct SeverityCounts {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Informational ones.
    pub info: u64,
}

impl From<bartizan_services::SeverityCounts> for SeverityCounts {
    fn from(counts: bartizan_services::SeverityCounts) -> Self {
        Self { critical: counts.critical, high: counts.high, medium: counts.medium, low: counts.low, info: counts.info }
    }
}

/// A person, as named beside what they did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Person {
    /// The user; null for the system itself and for removed users.
    pub id: Option<UserId>,
    /// The user name at that time.
    #[schema(example = "admin")]
    pub username: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_up() {
        let page = |total| {
            PageOf::<u8>::new(Vec::new(), total, PageParams { page: 1, page_size: 50, sort_dir: SortDir::Asc })
                .total_pages
        };
        assert_eq!((page(0), page(1), page(50), page(51)), (0, 1, 1, 2));
    }

    #[test]
    fn a_list_that_is_known_whole_is_cut_into_pages() {
        let page = |page, page_size| {
            let cut = PageOf::cut(vec![1, 2, 3], PageParams { page, page_size, sort_dir: SortDir::Asc }, |n| n * 10);
            (cut.data, cut.total, cut.total_pages)
        };
        assert_eq!(page(1, 2), (vec![10, 20], 3, 2));
        assert_eq!(page(2, 2), (vec![30], 3, 2));
        assert_eq!(page(3, 2), (vec![], 3, 2));
        assert_eq!(page(u64::MAX, u64::MAX).0, Vec::<i32>::new());
    }
}
