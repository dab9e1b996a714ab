/** Small pieces with one meaning everywhere: severity, status, tags, times, the demo mark. */
import { Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { SEVERITIES, type Severity, type SeverityCounts } from "../api/model";
import { ago, exact } from "../lib/time";
import { t } from "../strings";

const GLYPH: Record<string, string> = { critical: "◆", high: "▲", medium: "■", low: "●", info: "○" };

/** Glyph, word and colour: colour is never the only channel. */
export function SeverityMark({ value }: { value: Severity }) {
  return (
    <span className={`sev sev-${value}`}>
      <i aria-hidden>{GLYPH[value]}</i>
      {t.severity[value]}
    </span>
  );
}

/** Counts as glyph, letter and number: `◆C 1  ▲H 4`. Zero counts are left out unless `all`. */
export function SeverityCountsMark({ counts, all = false }: { counts: SeverityCounts; all?: boolean }) {
  const shown = SEVERITIES.filter((severity) => all || counts[severity] > 0);
  if (shown.length === 0) return <span className="muted">{t.common.none}</span>;
  return (
    <span className="sevset">
      {shown.map((severity) => (
        <span key={severity} className={`sev sev-${severity} ${counts[severity] === 0 ? "zero" : ""}`}>
          <i aria-hidden>{GLYPH[severity]}</i>
          <span aria-hidden>
            {t.severity[severity]?.charAt(0)} {t.number(counts[severity])}
          </span>
          <span className="sr">
            {t.severity[severity]} {counts[severity]}
          </span>
        </span>
      ))}
    </span>
  );
}

/** The composition as one bar with labels; a table stands behind it for screen readers. */
export function SeverityBar({ counts, height = 12 }: { counts: SeverityCounts; height?: number }) {
  const total = SEVERITIES.reduce((sum, severity) => sum + counts[severity], 0);
  return (
    <div className="stackbar" style={{ height }} aria-hidden>
      {total === 0 && <span style={{ flex: 1, background: "var(--line)" }} />}
      {SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => (
        <span key={severity} className={`fill-${severity}`} style={{ flex: counts[severity] }} />
      ))}
    </div>
  );
}

const STATUS_GLYPH: Record<string, [string, string]> = {
  open: ["○", ""],
  acknowledged: ["◐", ""],
  in_progress: ["◔", "st-running"],
  resolved: ["✓", "st-pass"],
  accepted_risk: ["⊘", "st-warn"],
};

export function FindingStatusMark({ value }: { value: string }) {
  const [glyph, tone] = STATUS_GLYPH[value] ?? ["", ""];
  return (
    <span className={`st ${tone}`}>
      <i aria-hidden>{glyph}</i>
      {t.status[value] ?? value}
    </span>
  );
}

const SCAN_GLYPH: Record<string, string> = { pending: "◌", running: "▸", completed: "✓", failed: "✕", cancelled: "–" };

export function ScanStatusMark({ value, partial = false }: { value: string; partial?: boolean }) {
  return (
    <span className={`st st-${value}`}>
      <i aria-hidden>{SCAN_GLYPH[value]}</i>
      {t.scanStatus[value] ?? value}
      {partial && (
        <span className="tag" title={t.scans.partialTitle}>
          {t.scans.partial}
        </span>
      )}
    </span>
  );
}

const VERDICT: Record<string, [string, string]> = {
  pass: ["✓", "st-pass"],
  fail: ["✕", "st-fail"],
  error: ["!", "st-warn"],
  not_applicable: ["–", "st-muted"],
  not_tested: ["◌", "st-muted"],
};

export function VerdictMark({ value }: { value: string }) {
  const [glyph, tone] = VERDICT[value] ?? ["", ""];
  return (
    <span className={`st ${tone}`}>
      <i aria-hidden>{glyph}</i>
      {t.verdict[value] ?? value}
    </span>
  );
}

export function DemoMark({ on }: { on: boolean | undefined }) {
  return on ? (
    <span className="demomark" title={t.demo.title}>
      {t.demo.mark}
    </span>
  ) : null;
}

/** At most two tags; the rest as a count. */
export function Tags({ values, limit = 2 }: { values: readonly string[]; limit?: number }) {
  if (values.length === 0) return null;
  return (
    <span className="tags">
      {values.slice(0, limit).map((value) => (
        <span key={value} className="tag" title={value}>
          {value}
        </span>
      ))}
      {values.length > limit && (
        <span className="small muted" title={values.slice(limit).join(", ")}>
          {t.common.more(values.length - limit)}
        </span>
      )}
    </span>
  );
}

// One clock for all relative times on the page.
const ticks = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function useMinute(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const run = () => tick((value) => value + 1);
    ticks.add(run);
    timer ??= setInterval(() => {
      for (const each of ticks) each();
    }, 30_000);
    return () => {
      ticks.delete(run);
      if (ticks.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
}

export function Ago({ at, otherwise = "" }: { at: string | null | undefined; otherwise?: string }) {
  useMinute();
  if (!at) return <span className="muted">{otherwise}</span>;
  return (
    <Tooltip label={exact(at)}>
      <time dateTime={at} className="nowrap">
        {ago(at)}
      </time>
    </Tooltip>
  );
}

export function Score({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <span className="muted">–</span>;
  return <span className="nowrap">{Math.round(value)}</span>;
}
