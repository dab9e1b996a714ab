/** Pieces of a finding's text, shared by the drawer and the page. */
import { useQuery } from "@tanstack/react-query";
import type { Finding, FindingEvent, FindingSummary } from "../../api/model";
import { historyQuery } from "../../api/queries";
import { CopyBox } from "../../components/Copy";
import { Link } from "../../components/Link";
import { Ago, DemoMark, FindingStatusMark, SeverityMark } from "../../components/marks";
import { ErrorState, SkeletonLines } from "../../components/states";
import { controlName } from "../../lib/controls";
import { t } from "../../strings";
import { Evidence } from "./Evidence";

export function Controls({
  values,
  limit,
  line = false,
}: {
  values: readonly string[];
  limit?: number;
  line?: boolean;
}) {
  const shown = limit === undefined ? values : values.slice(0, limit);
  const rest = values.slice(shown.length);
  return (
    <span className={line ? "tags line" : "tags"}>
      {shown.map((value) => (
        <span key={value} className="tag" title={value}>
          {controlName(value)}
        </span>
      ))}
      {rest.length > 0 && (
        <span className="small muted" title={rest.map(controlName).join(", ")}>
          {t.common.more(rest.length)}
        </span>
      )}
    </span>
  );
}

export function Marks({ finding }: { finding: FindingSummary }) {
  return (
    <span style={{ display: "flex", gap: 14, alignItems: "center", flexWrap: "wrap" }}>
      <SeverityMark value={finding.severity} />
      <FindingStatusMark value={finding.status} />
      {finding.reopened > 0 && <span className="tag">{t.findings.reopened}</span>}
      <DemoMark on={finding.demo} />
    </span>
  );
}

/** `heading` is the level of the section titles, one below the title of the place. */
export function FindingBody({ finding, heading: Heading = "h3" }: { finding: Finding; heading?: "h2" | "h3" }) {
  return (
    <>
      <section>
        <dl className="facts">
          <dt>{t.findings.columns.asset}</dt>
          <dd>
            {finding.asset_id ? (
              <Link to="/assets" search={{ open: finding.asset_id }}>
                {finding.asset}
              </Link>
            ) : (
              finding.asset
            )}
            {finding.asset_name && finding.asset_name !== finding.asset && (
              <span className="muted"> ({finding.asset_name})</span>
            )}
          </dd>
          <dt>{t.findings.columns.location}</dt>
          <dd className="mono">{finding.location}</dd>
          <dt>{t.findings.columns.check}</dt>
          <dd>
            <Link to="/findings" search={{ check_id: finding.check_id }} className="mono">
              {finding.check_id}
            </Link>
          </dd>
          <dt>{t.findings.confidence}</dt>
          <dd>{t.confidence[finding.confidence] ?? finding.confidence}</dd>
          <dt>{t.findings.columns.first}</dt>
          <dd>
            <Ago at={finding.first_seen_at} />,{" "}
            <Link to={`/scans/${finding.first_scan_id}`}>{t.findings.byScan(finding.first_scan_id)}</Link>
          </dd>
          <dt>{t.findings.columns.last}</dt>
          <dd>
            <Ago at={finding.last_seen_at} />,{" "}
            <Link to={`/scans/${finding.last_scan_id}`}>{t.findings.byScan(finding.last_scan_id)}</Link>{" "}
            <span className="muted">({t.findings.times(finding.occurrences)})</span>
          </dd>
          {finding.status_note && (
            <>
              <dt>{t.findings.note}</dt>
              <dd>{finding.status_note}</dd>
            </>
          )}
          {finding.resolution_reason && (
            <>
              <dt>{t.findings.resolution}</dt>
              <dd>{t.resolution[finding.resolution_reason] ?? finding.resolution_reason}</dd>
            </>
          )}
          {finding.accepted_until && (
            <>
              <dt>{t.findings.until}</dt>
              <dd>
                <Ago at={finding.accepted_until} />
              </dd>
            </>
          )}
        </dl>
      </section>
      <section>
        <Heading>{t.findings.evidence}</Heading>
        <Evidence value={finding.evidence} />
      </section>
      <section>
        <Heading>{t.findings.checked}</Heading>
        <p>{finding.description}</p>
      </section>
      <section>
        <Heading>{t.findings.why}</Heading>
        <p>{finding.risk}</p>
      </section>
      <section>
        <Heading>{t.findings.fix}</Heading>
        <ol className="steps">
          {finding.remediation.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        <div className="stack" style={{ gap: 10, marginTop: finding.examples.length > 0 ? 12 : 0 }}>
          {finding.examples.map((example) => (
            <CopyBox key={example.label + example.text} label={example.label} text={example.text} />
          ))}
        </div>
      </section>
      {finding.controls.length > 0 && (
        <section>
          <Heading>{t.findings.controls}</Heading>
          <Controls values={finding.controls} />
        </section>
      )}
      {finding.references.length > 0 && (
        <section>
          <Heading>{t.findings.references}</Heading>
          <ul className="steps">
            {finding.references.map((reference) => (
              <li key={reference}>
                <a href={reference} target="_blank" rel="noreferrer noopener">
                  {reference.replace(/^https:\/\//, "")}
                </a>
              </li>
            ))}
            {finding.cwe.map((number) => (
              <li key={number}>
                <a
                  href={`https://cwe.mitre.org/data/definitions/${number}.html`}
                  target="_blank"
                  rel="noreferrer noopener"
                >
                  CWE-{number}
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <Heading>{t.findings.history}</Heading>
        <History id={finding.id} />
      </section>
    </>
  );
}

function History({ id }: { id: string }) {
  const history = useQuery(historyQuery(id));
  if (history.isError) return <ErrorState error={history.error} retry={() => void history.refetch()} />;
  if (!history.data) return <SkeletonLines lines={2} />;
  const events = [...history.data.data].sort((a, b) => b.at.localeCompare(a.at));
  return (
    <ol className="timeline">
      {events.map((event) => (
        <li key={event.id}>
          <span>
            {eventText(event)}
            <span className="muted">
              {" "}
              {event.scan_id ? (
                <Link to={`/scans/${event.scan_id}`}>{t.findings.byScan(event.scan_id)}</Link>
              ) : (
                event.actor.username
              )}
            </span>
            {event.note && <div className="small">“{event.note}”</div>}
          </span>
          <span className="small muted">
            <Ago at={event.at} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function eventText(event: FindingEvent): string {
  const words = t.findings.event[event.kind] ?? event.kind.replaceAll("_", " ");
  const reason = event.resolution_reason
    ? ` (${t.resolution[event.resolution_reason] ?? event.resolution_reason})`
    : "";
  if (event.kind === "status_changed" && event.from_status) {
    return t.findings.fromTo(t.status[event.from_status] ?? "", t.status[event.to_status] ?? "") + reason;
  }
  return words + reason;
}

/** The finding as Markdown, for a ticket. */
export function toMarkdown(finding: Finding, link: string): string {
  const lines = [
    `### ${finding.title}`,
    "",
    `- Severity: ${t.severity[finding.severity]}`,
    `- Asset: \`${finding.asset}\` (\`${finding.location}\`)`,
    `- Check: \`${finding.check_id}\``,
    `- First seen: ${finding.first_seen_at}, last seen: ${finding.last_seen_at}`,
    `- ${link}`,
    "",
    finding.description,
    "",
    `**${t.findings.why}.** ${finding.risk}`,
    "",
    `**${t.findings.fix}**`,
    "",
    ...finding.remediation.map((step, index) => `${index + 1}. ${step}`),
    "",
    "```json",
    JSON.stringify(finding.evidence, null, 2),
    "```",
  ];
  return lines.join("\n");
}
