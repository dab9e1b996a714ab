//! What several formats say in the same words.

use bartizan_domain::document::{ScanDocument, ScanSummary};
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::{Confidence, Severity};

/// The wire form of a confidence.
pub(crate) const fn confidence(value: Confidence) -> &'static str {
    match value {
        Confidence::Hint => "hint",
        Confidence::Probable => "probable",
        Confidence::Confirmed => "confirmed",
    }
}

/// The glyph that goes with a severity wherever it is shown, so that colour is never the only channel.
pub(crate) const fn glyph(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "◆",
        Severity::High => "▲",
        Severity::Medium => "■",
        Severity::Low => "●",
        Severity::Info => "○",
    }
}

/// Findings per severity, most severe first.
pub(crate) fn severity_counts(document: &ScanDocument) -> Vec<(Severity, usize)> {
    Severity::ALL
        .into_iter()
        .map(|severity| (severity, document.findings.iter().filter(|f| f.severity == severity).count()))
        .collect()
}

/// The score as text, `not assessed` when there is none.
pub(crate) fn score_text(document: &ScanDocument) -> String {
    document.score.value.map_or_else(|| "not assessed".to_owned(), |value| format!("{value} of 100"))
}

/// Coverage as a whole percentage, rounded down so that a gap never reads as 100 %.
pub(crate) fn coverage_text(document: &ScanDocument) -> String {
    let counts = document.coverage;
    let (judged, applicable) = (counts.passed + counts.failed, counts.applicable());
    match counts.percent() {
        None => "no check applied".to_owned(),
        Some(percent) => format!("{percent} % ({judged} of {applicable} applicable verdicts)"),
    }
}

/// What to say when there is no finding: only a scan without gaps may say that nothing is open.
pub(crate) fn nothing_found(document: &ScanDocument) -> String {
    let counts = document.coverage;
    let gaps = counts.error + counts.not_tested;
    let any_open = || document.hosts.iter().flat_map(|host| &host.ports).any(|port| port.state == PortState::Open);
    if document.score.value.is_none() && document.hosts.iter().any(|host| host.reached) && !any_open() {
        "No open port was seen, so there was nothing to assess.".to_owned()
    } else if counts.passed == 0 || document.score.value.is_none() {
        "Nothing could be assessed.".to_owned()
    } else if gaps > 0 {
        format!("No finding in what could be judged; {gaps} of {} verdicts could not be reached.", counts.applicable())
    } else {
        "No open technical finding in scope.".to_owned()
    }
}

/// How long the scan took, in words.
pub(crate) fn duration_text(scan: &ScanSummary) -> Option<String> {
    let seconds = scan.finished_at?.signed_duration_since(scan.started_at).num_seconds().max(0);
    Some(match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    })
}
