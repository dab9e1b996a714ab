/** What answered: hosts, and the ports of each. */
import { useQuery } from "@tanstack/react-query";
import type { HostResult, Scan } from "../../api/model";
import { resultsQuery } from "../../api/queries";
import { Link } from "../../components/Link";
import { Score, SeverityCountsMark } from "../../components/marks";
import { DataTable } from "../../components/table/DataTable";
import { listQuery, useTableState } from "../../components/table/state";
import type { Column, Filter } from "../../components/table/types";
import { portCounts } from "../../lib/port-counts";
import { t } from "../../strings";
import { isFinal } from "./live";

const FILTERS: readonly Filter[] = [
  {
    name: "reached",
    label: t.scan.reached,
    options: [
      { value: "true", label: t.common.yes },
      { value: "false", label: t.common.no },
    ],
  },
];
const KNOWN = FILTERS.map((filter) => filter.name);
const KEEP = ["tab"];
const SORT = { id: "position", desc: false };

const COLUMNS: readonly Column<HostResult>[] = [
  {
    id: "asset",
    title: t.scan.host,
    sort: "asset",
    fixed: true,
    cell: (host) => (
      <span style={{ display: "grid", alignSelf: "start" }}>
        <strong>
          {host.asset_id ? (
            <Link to="/assets" search={{ open: host.asset_id }}>
              {host.asset}
            </Link>
          ) : (
            host.asset
          )}
        </strong>
        {host.address && host.address !== host.asset && <span className="mono small muted">{host.address}</span>}
        {!host.reached && <span className="small st st-warn">{t.scan.unreached}</span>}
        {!host.reached && host.why_unreached && <span className="small muted">{host.why_unreached}</span>}
      </span>
    ),
  },
  { id: "ports", title: t.scan.openPorts, fixed: true, cell: (host) => <Ports host={host} /> },
  { id: "findings", title: t.scans.columns.findings, cell: (host) => <SeverityCountsMark counts={host.findings} /> },
  {
    id: "score",
    title: t.scan.score,
    sort: "score",
    numeric: true,
    cell: (host) => <Score value={host.score} />,
  },
];

function Ports({ host }: { host: HostResult }) {
  const open = host.ports.filter((port) => port.state === "open");
  const counts = portCounts(host);
  if (counts.total === 0) return <span className="muted">{counts.exact ? t.scan.noPortsAsked : t.scan.noPorts}</span>;
  const rest = counts.rest.map(({ protocol, state, count }) =>
    t.scan.portCount(count, protocol.toUpperCase(), t.scan.portState[state] ?? state),
  );
  const sum = [t.scan.portCounts(counts.open, counts.total, counts.exact), rest.join(", ")].filter(Boolean).join(": ");
  if (open.length === 0) return <span className="muted">{sum}</span>;
  return (
    <table className="ports" aria-label={t.scan.portsOf(host.asset)}>
      <tbody>
        {open.map((port) => (
          <tr key={`${port.address}/${port.protocol}/${port.port}`}>
            <td className="mono">
              {port.protocol}/{port.port}
            </td>
            <td>
              {port.service ?? <span className="muted">{t.scan.unknown}</span>}
              {port.tls && <span className="tag">TLS</span>}
            </td>
            <td>{[port.product, port.version].filter(Boolean).join(" ") || <span className="muted">–</span>}</td>
            <td className="muted small" title={t.scan.seenBy}>
              {port.reason}
            </td>
          </tr>
        ))}
        <tr>
          <td className="muted small" colSpan={4}>
            {sum}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

const idOf = (host: HostResult) => host.asset;

export function ResultsTab({ scan }: { scan: Scan }) {
  const [state, setState] = useTableState(KNOWN, KEEP);
  const results = useQuery({
    ...resultsQuery(scan.id, listQuery(state, SORT)),
    refetchInterval: isFinal(scan.status) ? false : 5_000,
  });
  return (
    <DataTable
      name="results"
      label={t.scan.tabs.results ?? ""}
      columns={COLUMNS}
      filters={FILTERS}
      query={results}
      state={state}
      onState={setState}
      defaultSort={SORT}
      id={idOf}
      rowLabel={idOf}
      noun={[t.scan.hostOne, t.scan.hostMany]}
      empty={{ title: t.scan.noHosts, text: t.scan.noHostsText }}
    />
  );
}
