//! The numbers of the overview page.

use std::collections::BTreeMap;

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{FindingStatus, Permission, Result, ScanStatus, Severity};
use bartizan_storage::assets::{self, AssetFilter, AssetSort, Seen};
use bartizan_storage::findings::{self, FindingFilter, FindingSort};
use bartizan_storage::scans::{self, ScanFilter, ScanSort};
use bartizan_storage::{Db, Page, SeverityCounts, SortDir};
use chrono::{NaiveDate, NaiveTime, TimeDelta};

use crate::assets::STALE_AFTER;
use crate::compliance::{self, MatrixRow};
use crate::scans::Scan;
use crate::{OpContext, Services};

/// Rows of the short lists.
const SHORT: u64 = 5;

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Assets.
    pub total_assets: u64,
    /// Assets that have not answered for a month, or never.
    pub stale_assets: u64,
    /// Unresolved findings by severity; accepted risks left out.
    pub open_findings: SeverityCounts,
    /// Findings whose risk is accepted.
    pub accepted_risks: u64,
    /// Unresolved findings first seen in the last day.
    pub new_24h: u64,
    /// Unresolved findings first seen in the last week.
    pub new_7d: u64,
    /// Scans queued or running.
    pub active_scans: u64,
    /// Scans in all.
    pub total_scans: u64,
    /// The completed scan that ended last.
    pub latest_scan: Option<Scan>,
    /// The last scans, newest first.
    pub recent_scans: Vec<Scan>,
    /// What to fix first: unresolved findings, worst first, then longest known.
    pub top_findings: Vec<crate::findings::Finding>,
    /// The matrix of the latest scan.
    pub matrix: Vec<MatrixRow>,
    /// Whether all that is shown is demonstration data; as soon as there are real assets or scans, none of it is.
    pub demo: bool,
    /// Scores of the assets, added up.
    pub scores: assets::Scores,
    /// The assets with the lowest scores, worst first.
    pub riskiest_assets: Vec<crate::assets::AssetView>,
    /// Scans that failed in the last week.
    pub failed_scans_7d: u64,
}

/// Unresolved findings at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendDay {
    /// The day, UTC.
    pub date: NaiveDate,
    /// Unresolved findings by severity, accepted risks left out.
    pub open: SeverityCounts,
}

/// Unresolved findings by day, oldest first, for the last `days` days with today as the last. A finding counts from
/// the day it was first seen to the day it was resolved last.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn trend(cx: &OpContext, services: &Services, days: u32) -> Result<Vec<TrendDay>> {
    let organization = cx.require(Permission::DashboardView)?;
    let demo = shows_demo(services.store.read(), organization).await?;
    let today = cx.now().date_naive();
    let first = today - TimeDelta::days(i64::from(days.max(1)) - 1);
    let since = first.and_time(NaiveTime::MIN).and_utc();
    let moved = findings::movements(services.store.read(), organization, demo, since).await?;
    let mut change: BTreeMap<String, Vec<(Severity, i64)>> = BTreeMap::new();
    for (counts, sign) in [(moved.appeared, 1), (moved.resolved, -1)] {
        for count in counts {
            let number = i64::try_from(count.count).unwrap_or(i64::MAX);
            change.entry(count.day).or_default().push((count.severity, sign * number));
        }
    }
    let mut open = moved.before;
    let mut trend = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= today) {
        for (severity, by) in change.remove(&date.to_string()).unwrap_or_default() {
            let count = open.of(severity);
            *count = count.saturating_add_signed(by);
        }
        trend.push(TrendDay { date, open });
    }
    Ok(trend)
}

/// Whether the overview shows demonstration data: only while there is nothing else, so that invented numbers never
/// mix with real ones.
pub(crate) async fn shows_demo(db: Db<'_>, organization: OrganizationId) -> Result<bool> {
    let asset = |demo| AssetFilter { demo: Some(demo), ..AssetFilter::default() };
    let scan = |demo| ScanFilter { demo: Some(demo), ..ScanFilter::default() };
    if assets::count(db, organization, &asset(false)).await? > 0
        || scans::count(db, organization, &scan(false)).await? > 0
    {
        return Ok(false);
    }
    Ok(assets::count(db, organization, &asset(true)).await? > 0
        || scans::count(db, organization, &scan(true)).await? > 0)
}

/// The numbers.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn overview(cx: &OpContext, services: &Services) -> Result<Overview> {
    let organization = cx.require(Permission::DashboardView)?;
    let db = services.store.read();
    let shown = shows_demo(db, organization).await?;
    let demo = Some(shown);
    let open = || FindingFilter {
        statuses: vec![FindingStatus::Open, FindingStatus::Acknowledged, FindingStatus::InProgress],
        demo,
        ..FindingFilter::default()
    };
    let since = |age: TimeDelta| FindingFilter { first_seen_after: Some(cx.now() - age), ..open() };
    let accepted = FindingFilter { statuses: vec![FindingStatus::AcceptedRisk], demo, ..FindingFilter::default() };
    let every = AssetFilter { demo, ..AssetFilter::default() };
    let stale = AssetFilter { seen: Some(Seen::NotSince(cx.now() - STALE_AFTER)), ..every.clone() };
    let active = ScanFilter { statuses: vec![ScanStatus::Pending, ScanStatus::Running], demo, ..ScanFilter::default() };
    let by_severity = (FindingSort::Severity, SortDir::Desc);
    let recent = scans::list(
        db,
        organization,
        &ScanFilter { demo, ..ScanFilter::default() },
        (ScanSort::Id, SortDir::Desc),
        Page::first(SHORT),
    )
    .await?;
    let latest_scan = scans::latest_completed(db, organization, demo).await?;
    let top_findings = findings::list(db, organization, &open(), by_severity, Page::first(SHORT)).await?.rows;
    let failed = ScanFilter {
        statuses: vec![ScanStatus::Failed],
        finished_after: Some(cx.now() - TimeDelta::days(7)),
        demo,
        ..ScanFilter::default()
    };
    let lowest = (AssetSort::Score, SortDir::Asc);
    let mut riskiest_assets = crate::assets::list(cx, services, &every, lowest, Page::first(SHORT)).await?.rows;
    riskiest_assets.retain(|view| view.asset.score.is_some());
    Ok(Overview {
        scores: assets::scores(db, organization, shown).await?,
        riskiest_assets,
        failed_scans_7d: scans::count(db, organization, &failed).await?,
        total_assets: assets::count(db, organization, &every).await?,
        stale_assets: assets::count(db, organization, &stale).await?,
        open_findings: findings::by_severity(db, organization, &open()).await?,
        accepted_risks: findings::count(db, organization, &accepted).await?,
        new_24h: findings::count(db, organization, &since(TimeDelta::days(1))).await?,
        new_7d: findings::count(db, organization, &since(TimeDelta::days(7))).await?,
        active_scans: scans::count(db, organization, &active).await?,
        total_scans: recent.total,
        matrix: compliance::rows_of(latest_scan.as_ref().and_then(|scan| scan.compliance_matrix.as_ref()))?,
        demo: shown,
        recent_scans: recent.rows,
        latest_scan,
        top_findings,
    })
}
