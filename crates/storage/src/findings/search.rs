//! Text search: which findings hold a text in their title, check id, asset or location, whatever its case.
//!
//! A million findings have some ten thousand assets, a hundred checks and a handful of locations. The database keeps a
//! list of those texts as findings come and change (`finding_texts`); a search reads that list and asks for the findings
//! with the texts that it found, by index. Where only checks are found, it is a filter by check, whose counts are kept;
//! where all texts of a field are found, it is no filter.
//! A text that no finding has any more stays on the list and finds nothing.

use bartizan_domain::id::OrganizationId;
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _, QuerySelect as _, Select,
};

use super::{FindingFilter, entity, page, tally};
use crate::{Db, Result};

/// So many texts are written into a query; more are looked up by it.
const WRITTEN: usize = 500;
/// How much of a location is in the index.
const IN_INDEX: i32 = 200;

const ASSET: i32 = 1;
const CHECK: i32 = 2;
const LOCATION: i32 = 3;

mod text {
    use sea_orm::entity::prelude::*;

    // There is no key; rows are never looked up by what is declared as one.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "finding_texts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub field: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub text: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub title: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A filter whose text has been looked up.
pub(super) struct Wanted {
    /// Everything but the text; what could be said by check is in it.
    pub filter: FindingFilter,
    search: Option<Search>,
}

/// What holds the text, beside checks alone.
#[derive(Clone)]
struct Search {
    organization: OrganizationId,
    needle: String,
    /// Checks with the text in their id, or in every title they have had.
    checks: Vec<String>,
    /// Checks with the text in some of their titles.
    partly: Vec<String>,
    assets: Texts,
    locations: Texts,
    /// Checks whose findings are left out: they are counted elsewhere.
    besides: Vec<String>,
}

#[derive(Clone)]
enum Texts {
    These(Vec<String>),
    Many,
}

/// How a condition is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// So that its index serves.
    Index,
    /// So that SQLite leaves it for the rows that another index finds: with a plus sign.
    Check,
}

impl Use {
    /// Beside a condition whose index is to serve: PostgreSQL knows by its statistics which one that is.
    pub(super) fn beside(db: Db<'_>) -> Self {
        if db.is_postgres() { Self::Index } else { Self::Check }
    }
}

impl Wanted {
    /// Looks up the text of `filter`.
    pub(super) async fn of(db: Db<'_>, organization: OrganizationId, filter: &FindingFilter) -> Result<Self> {
        let mut filter = filter.clone();
        let Some(needle) = filter.q.take() else { return Ok(Self { filter, search: None }) };
        let Some(search) = Search::look_up(db, organization, needle).await? else {
            return Ok(Self { filter, search: None });
        };
        let elsewhere = |texts: &Texts| !matches!(texts, Texts::These(these) if these.is_empty());
        if !search.partly.is_empty() || elsewhere(&search.assets) || elsewhere(&search.locations) {
            return Ok(Self { filter, search: Some(search) });
        }
        let mut checks = search.checks;
        if !filter.checks.is_empty() {
            checks.retain(|check| filter.checks.contains(check));
        }
        if checks.is_empty() {
            filter.ids = Some(Vec::new());
        }
        filter.checks = checks;
        Ok(Self { filter, search: None })
    }

    /// The rows of the kept counts that tell how many there are, if they can.
    pub(super) fn kept(&self, organization: OrganizationId) -> Option<Select<tally::entity::Entity>> {
        if self.search.is_some() { None } else { tally::select(organization, &self.filter) }
    }

    /// The same findings in two parts, those that the kept counts tell of and the others, where the text was found both
    /// in whole checks and elsewhere: the many findings of a check are not walked over to be counted.
    pub(super) fn parts(&self, organization: OrganizationId) -> Option<(Select<tally::entity::Entity>, Self)> {
        let search = self.search.as_ref().filter(|search| !search.checks.is_empty())?;
        let mut whole = self.filter.clone();
        whole.checks = search.checks.clone();
        if !self.filter.checks.is_empty() {
            whole.checks.retain(|check| self.filter.checks.contains(check));
        }
        if whole.checks.is_empty() {
            return None;
        }
        let kept = tally::select(organization, &whole)?;
        let rest = Search { checks: Vec::new(), besides: search.checks.clone(), ..search.clone() };
        Some((kept, Self { filter: self.filter.clone(), search: Some(rest) }))
    }

    /// Whether a text has to be found in the rows.
    pub(super) const fn searches(&self) -> bool {
        self.search.is_some()
    }

    /// That a row is the organisation's and holds the text.
    pub(super) fn condition(&self, db: Db<'_>, organization: OrganizationId, how: Use) -> Condition {
        // An asset's findings are found by the asset; for SQLite, the organisation would do as well.
        let by_asset = self.filter.asset_id.is_some() && !db.is_postgres() && self.search.is_none();
        let organizations = column(entity::Column::OrganizationId, if by_asset { Use::Check } else { Use::Index });
        let ours = || Condition::all().add(organizations.clone().eq(organization.0));
        let Some(search) = &self.search else { return ours() };
        let places = search.places(how);
        if places.is_empty() {
            return Condition::all().add(Expr::value(false));
        }
        // SQLite is to find the rows by their place, not by what they are not.
        let besides = column(entity::Column::CheckId, Use::beside(db));
        let ours = || match search.besides.as_slice() {
            [] => ours(),
            besides_these => ours().add(besides.clone().is_not_in(besides_these.iter().map(String::as_str))),
        };
        match how {
            // For SQLite, each place is found by an index that begins with the organisation.
            Use::Index if !db.is_postgres() => {
                places.into_iter().fold(Condition::any(), |any, place| any.add(ours().add(place)))
            }
            _ => ours().add(places.into_iter().fold(Condition::any(), Condition::add)),
        }
    }
}

impl Search {
    /// Where the text is; `None` if every finding has it.
    async fn look_up(db: Db<'_>, organization: OrganizationId, needle: String) -> Result<Option<Self>> {
        let ours = || text::Entity::find().select_only().filter(text::Column::OrganizationId.eq(organization.0));
        let holds = |column: text::Column| page::contains(column, &needle);
        let hit = Expr::case(Condition::any().add(holds(text::Column::Text)).add(holds(text::Column::Title)), 1);
        let known: Vec<(String, i32)> = ours()
            .filter(text::Column::Field.eq(CHECK))
            .column(text::Column::Text)
            .expr(hit.finally(0))
            .into_tuple()
            .all(&db.conn())
            .await?;
        let (mut checks, mut missed) = (Vec::new(), Vec::new());
        for (check, hit) in known {
            if hit == 1 { checks.push(check) } else { missed.push(check) }
        }
        checks.sort();
        checks.dedup();
        if missed.is_empty() && !checks.is_empty() {
            return Ok(None);
        }
        let (partly, checks) = checks.into_iter().partition(|check| missed.contains(check));
        let mut found = Vec::with_capacity(2);
        for field in [ASSET, LOCATION] {
            let of_field = || ours().filter(text::Column::Field.eq(field));
            let texts: Vec<String> = of_field()
                .filter(holds(text::Column::Text))
                .column(text::Column::Text)
                .limit(WRITTEN as u64 + 1)
                .into_tuple()
                .all(&db.conn())
                .await?;
            if !texts.is_empty() {
                let without = of_field().filter(holds(text::Column::Text).not()).column(text::Column::Field);
                let one: Option<i32> = without.into_tuple().one(&db.conn()).await?;
                if one.is_none() {
                    return Ok(None);
                }
            }
            found.push(if texts.len() > WRITTEN { Texts::Many } else { Texts::These(texts) });
        }
        let (locations, assets) = (found.pop(), found.pop());
        let none = || Texts::These(Vec::new());
        let (assets, locations) = (assets.unwrap_or_else(none), locations.unwrap_or_else(none));
        Ok(Some(Self { organization, needle, checks, partly, assets, locations, besides: Vec::new() }))
    }

    /// One condition for each place where the text was found.
    fn places(&self, how: Use) -> Vec<Condition> {
        use entity::Column;
        let mut places = Vec::new();
        let all = |one: SimpleExpr| Condition::all().add(one);
        if let Some(one) = self.one_of(column(Column::Asset, how), (ASSET, &self.assets), text_itself) {
            places.push(all(one));
        }
        if let Some(one) = self.one_of(column(Column::Location, how), (LOCATION, &self.locations), text_itself) {
            let mut place = all(one);
            let begin = self.one_of(begin_of(Column::Location), (LOCATION, &self.locations), begin_of_text);
            if let (Use::Index, Some(begin)) = (how, begin) {
                place = place.add(begin);
            }
            places.push(place);
        }
        if !self.checks.is_empty() {
            places.push(all(column(Column::CheckId, how).is_in(self.checks.iter().map(String::as_str))));
        }
        if !self.partly.is_empty() {
            let one = column(Column::CheckId, how).is_in(self.partly.iter().map(String::as_str));
            places.push(all(one).add(page::contains(Column::Title, &self.needle)));
        }
        places
    }

    /// That `place` is one of the texts that were found in a field, each of them passed through `part`.
    fn one_of(
        &self,
        place: SimpleExpr,
        (field, texts): (i32, &Texts),
        part: fn(SimpleExpr) -> SimpleExpr,
    ) -> Option<SimpleExpr> {
        match texts {
            Texts::These(these) if these.is_empty() => None,
            Texts::These(these) => Some(place.is_in(these.iter().map(|one| part(Expr::value(one.as_str()))))),
            Texts::Many => Some(place.in_subquery(self.texts(field, part))),
        }
    }

    fn texts(&self, field: i32, part: fn(SimpleExpr) -> SimpleExpr) -> SelectStatement {
        let text = Expr::col((text::Entity, text::Column::Text));
        Query::select()
            .expr(part(text.clone()))
            .from(text::Entity)
            .and_where(Expr::col((text::Entity, text::Column::OrganizationId)).eq(self.organization.0))
            .and_where(Expr::col((text::Entity, text::Column::Field)).eq(field))
            .and_where(page::contains(text, &self.needle))
            .take()
    }
}

/// A column of the findings.
pub(super) fn column(column: entity::Column, how: Use) -> SimpleExpr {
    use sea_orm::Iden as _;
    match how {
        Use::Index => column.into_simple_expr(),
        Use::Check => Expr::cust(format!("+\"findings\".\"{}\"", column.unquoted())),
    }
}

fn begin_of(column: entity::Column) -> SimpleExpr {
    begin_of_text(column.into_simple_expr())
}

/// The beginning of a location, exactly as the index has it.
fn begin_of_text(text: SimpleExpr) -> SimpleExpr {
    let arguments = [text, Expr::cust("1"), Expr::cust(IN_INDEX.to_string())];
    Func::cust("substr").args(arguments).into()
}

const fn text_itself(text: SimpleExpr) -> SimpleExpr {
    text
}
