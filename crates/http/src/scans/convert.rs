//! Between the types of the services and the wire.

use std::collections::BTreeSet;

use bartizan_domain::ScanStatus;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::PortResult;
use bartizan_domain::evidence::ports::PortSummary;
use bartizan_services::scans;

use super::download::DownloadFormat;
use super::progress::ScanProgress;
use super::{Scan, ScanHost, ScanPort, ScanPorts, ScanSort};
use crate::wire::{Person, SeverityCounts, text_of};

impl From<DownloadFormat> for scans::Format {
    fn from(format: DownloadFormat) -> Self {
        match format {
            DownloadFormat::Json => Self::Json,
            DownloadFormat::Jsonl => Self::Jsonl,
            DownloadFormat::Csv => Self::Csv,
            DownloadFormat::Sarif => Self::Sarif,
            DownloadFormat::Html => Self::Html,
            DownloadFormat::Table => Self::Table,
        }
    }
}

impl From<ScanSort> for scans::ScanSort {
    fn from(sort: ScanSort) -> Self {
        match sort {
            ScanSort::Id => Self::Id,
            ScanSort::Status => Self::Status,
            ScanSort::ScanType => Self::Profile,
            ScanSort::Score => Self::Score,
            ScanSort::CreatedAt => Self::CreatedAt,
            ScanSort::StartedAt => Self::StartedAt,
            ScanSort::FinishedAt => Self::FinishedAt,
        }
    }
}

impl From<scans::ScanView> for Scan {
    fn from(view: scans::ScanView) -> Self {
        let scan = view.scan;
        let outcomes: OutcomeCounts = serde_json::from_value(scan.outcomes).unwrap_or_default();
        Self {
            id: scan.id,
            kind: scan.kind,
            scan_type: scan.profile,
            status: scan.status,
            partial: scan.partial,
            partial_reasons: scan.partial_reasons,
            error: scan.error,
            // Several ports of one asset are several targets.
            asset_ids: view
                .targets
                .iter()
                .filter_map(|target| target.asset_id)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            targets: view.targets.into_iter().map(|target| target.text).collect(),
            features: view.settings.toggles,
            ports: view.settings.tcp_ports.to_string(),
            udp_ports: view.settings.udp_ports.to_string(),
            check_count: view.settings.selection.len() as u64,
            concurrency: view.settings.concurrency,
            timeout_seconds: view.settings.timeout_seconds,
            hosts_total: scan.hosts_total,
            hosts_finished: scan.hosts_finished,
            findings: scan.findings.into(),
            coverage: outcomes.ratio(),
            outcomes,
            score: scan.score,
            catalogue: scan.catalogue,
            demo: scan.demo,
            started_by: Person { id: scan.started_by, username: scan.started_by_name },
            created_at: scan.created_at,
            started_at: scan.started_at,
            finished_at: scan.finished_at,
        }
    }
}

impl From<scans::ScanProgress> for ScanProgress {
    fn from(now: scans::ScanProgress) -> Self {
        let phase = match now.status {
            ScanStatus::Pending => "waiting for a worker",
            ScanStatus::Running => "scanning",
            ScanStatus::Completed => "completed",
            ScanStatus::Failed => "failed",
            ScanStatus::Cancelled => "cancelled",
        };
        let progress = now.progress;
        Self {
            scan_id: now.scan_id,
            status: now.status,
            phase: phase.to_owned(),
            current: progress.current,
            hosts_total: progress.hosts.total,
            hosts_finished: progress.hosts.done,
            ports_total: progress.ports.total,
            ports_finished: progress.ports.done,
            checks_total: progress.checks.total,
            checks_finished: progress.checks.done,
            findings: SeverityCounts {
                critical: progress.findings.critical,
                high: progress.findings.high,
                medium: progress.findings.medium,
                low: progress.findings.low,
                info: progress.findings.info,
            },
            elapsed_seconds: progress.elapsed_seconds,
            eta_seconds: progress.eta_seconds,
            partial: now.partial,
        }
    }
}

impl From<scans::ScanHost> for ScanHost {
    fn from(host: scans::ScanHost) -> Self {
        let result = host.result;
        Self {
            asset: host.asset,
            asset_id: host.asset_id,
            interrupted: host.status == scans::HostStatus::Interrupted,
            address: result.address.map(|address| address.to_string()),
            addresses: result.addresses.iter().map(ToString::to_string).collect(),
            names: result.names,
            reached: result.reached,
            why_unreached: result.why_unreached,
            ports: result.ports.into_iter().map(ScanPort::from).collect(),
            summarised: result.summarised.into_iter().map(ScanPorts::from).collect(),
            score: result.score,
            findings: host.findings.into(),
            outcomes: host.outcomes,
            finished_at: host.finished_at,
        }
    }
}

impl From<PortSummary> for ScanPorts {
    fn from(ports: PortSummary) -> Self {
        Self {
            address: ports.address.to_string(),
            protocol: ports.protocol,
            state: text_of(&ports.state),
            reason: ports.reason,
            count: ports.count,
        }
    }
}

impl From<PortResult> for ScanPort {
    fn from(port: PortResult) -> Self {
        Self {
            address: port.address.to_string(),
            port: port.port,
            protocol: port.protocol,
            state: text_of(&port.state),
            reason: port.reason,
            service: port.service,
            product: port.product,
            version: port.version,
            tls: port.tls,
        }
    }
}
