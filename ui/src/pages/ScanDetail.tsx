/** One scan: its state at the top, then progress, results, findings, plan and files under addresses of their own. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { may, type Scan } from "../api/model";
import { cancelScan, deleteScan, meQuery, progressQuery, scanQuery } from "../api/queries";
import { useProduct } from "../app/brand";
import { toast } from "../app/toasts";
import { Button } from "../components/Button";
import { Confirm } from "../components/Confirm";
import { Link } from "../components/Link";
import { Ago, DemoMark, ScanStatusMark, Score, SeverityCountsMark } from "../components/marks";
import { Notice } from "../components/Notice";
import { ErrorState, SkeletonLines } from "../components/states";
import { between } from "../lib/time";
import { t } from "../strings";
import { FilesTab } from "./scans/FilesTab";
import { FindingsTab } from "./scans/FindingsTab";
import { isFinal, useLiveScan } from "./scans/live";
import { PlanTab } from "./scans/PlanTab";
import { ProgressTab } from "./scans/ProgressTab";
import { ResultsTab } from "./scans/ResultsTab";

const TABS = ["progress", "results", "findings", "plan", "files"] as const;
type Tab = (typeof TABS)[number];

export function ScanDetail() {
  const params = useParams({ strict: false }) as { scanId: string };
  const id = Number(params.scanId);
  const search = useSearch({ strict: false }) as { tab?: string };
  const client = useQueryClient();
  const scan = useQuery({
    ...scanQuery(id),
    enabled: Number.isInteger(id),
    refetchInterval: (query) => (query.state.data && !isFinal(query.state.data.status) ? 5_000 : false),
  });
  const active = scan.data !== undefined && !isFinal(scan.data.status);
  const progress = useQuery({ ...progressQuery(id), enabled: scan.data !== undefined });
  const refresh = () => {
    for (const key of ["scans", "findings", "assets", "summary"]) void client.invalidateQueries({ queryKey: [key] });
  };
  const live = useLiveScan(id, active, refresh);

  // What finished while one watched is said once, in the page and in the tab's title.
  const product = useProduct();
  const before = useRef<string | undefined>(undefined);
  const status = scan.data?.status;
  useEffect(() => {
    if (!status) return;
    const words = t.scanStatus[status] ?? status;
    document.title = `${isFinal(status) ? "" : "▸ "}${t.scan.title(id)} ${words} · ${product}`;
    if (before.current && !isFinal(before.current) && isFinal(status)) {
      toast.ok(t.scans.finished(id, words));
      refresh();
    }
    before.current = status;
  });

  if (!Number.isInteger(id) || (scan.isError && !scan.data)) {
    return (
      <ErrorState
        error={scan.error}
        title={t.notFound.missing(t.scans.one)}
        retry={Number.isInteger(id) ? () => void scan.refetch() : undefined}
      />
    );
  }
  if (!scan.data) return <SkeletonLines lines={10} />;
  const tab: Tab = TABS.find((name) => name === search.tab) ?? (active ? "progress" : "findings");

  return (
    <>
      <Head scan={scan.data} />
      <nav className="tabs" aria-label={t.scan.title(id)}>
        {TABS.map((name) => (
          <Link key={name} to={`/scans/${id}`} search={{ tab: name }} current={tab === name}>
            {t.scan.tabs[name]}
          </Link>
        ))}
      </nav>
      {tab === "progress" && <ProgressTab scan={scan.data} progress={progress.data} live={live} />}
      {tab === "results" && <ResultsTab scan={scan.data} />}
      {tab === "findings" && <FindingsTab scan={scan.data} />}
      {tab === "plan" && <PlanTab scan={scan.data} />}
      {tab === "files" && <FilesTab scan={scan.data} />}
    </>
  );
}

function Head({ scan }: { scan: Scan }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const me = useQuery(meQuery);
  const [asking, setAsking] = useState<"cancel" | "delete" | null>(null);
  const final = isFinal(scan.status);
  const cancel = useMutation({
    mutationFn: () => cancelScan(scan.id),
    onSuccess: () => {
      toast.ok(t.scans.cancelled(scan.id));
      void client.invalidateQueries({ queryKey: ["scans"] });
    },
    onError: toast.error,
    onSettled: () => setAsking(null),
  });
  const remove = useMutation({
    mutationFn: () => deleteScan(scan.id),
    onSuccess: () => {
      toast.ok(t.scans.deleted(scan.id));
      void client.invalidateQueries({ queryKey: ["scans", "list"] });
      void client.invalidateQueries({ queryKey: ["summary"] });
      void navigate({ to: "/scans" as never });
    },
    onError: toast.error,
    onSettled: () => setAsking(null),
  });
  // Assets go along as assets; what was typed in stays a target.
  const again = {
    ...(scan.asset_ids.length > 0 ? { assets: scan.asset_ids.join(",") } : { targets: scan.targets.join(",") }),
    profile: scan.scan_type,
  };

  return (
    <>
      <div className="pagehead" style={{ marginBottom: 12 }}>
        <div>
          <h1 style={{ display: "flex", gap: 12, alignItems: "baseline", flexWrap: "wrap" }}>
            {t.scan.title(scan.id)}
            <span style={{ fontSize: "var(--fs-14)", fontWeight: 500 }}>
              <ScanStatusMark value={scan.status} partial={scan.partial} />
            </span>
            <DemoMark on={scan.demo} />
          </h1>
          <p>
            {t.newScan.profiles[scan.scan_type]} · <span className="mono">{scan.targets.slice(0, 3).join(", ")}</span>
            {scan.targets.length > 3 && ` ${t.common.more(scan.targets.length - 3)}`}
          </p>
        </div>
        <div className="actions">
          {!final && may(me.data, "scans.cancel") && (
            <Button variant="default" onClick={() => setAsking("cancel")}>
              {t.scans.cancel}
            </Button>
          )}
          {final && may(me.data, "scans.run") && !scan.demo && (
            <Button
              variant="default"
              onClick={() => void navigate({ to: "/scans/new" as never, search: again as never })}
            >
              {t.scans.rerun}
            </Button>
          )}
          {final && may(me.data, "scans.delete") && (
            <Button variant="default" onClick={() => setAsking("delete")}>
              {t.scans.delete}
            </Button>
          )}
        </div>
      </div>
      <dl className="headfacts">
        <div>
          <dt>{t.scan.score}</dt>
          <dd>
            <Score value={scan.score} />
          </dd>
        </div>
        <div>
          <dt>{t.scan.coverage}</dt>
          <dd>{scan.coverage === null ? <span className="muted">–</span> : `${Math.round(scan.coverage * 100)} %`}</dd>
        </div>
        <div>
          <dt>{t.scans.columns.findings}</dt>
          <dd>
            <SeverityCountsMark counts={scan.findings} />
          </dd>
        </div>
        <div>
          <dt>{t.scan.steps.hosts}</dt>
          <dd>{t.common.of(scan.hosts_finished, scan.hosts_total)}</dd>
        </div>
        <div>
          <dt>{t.scan.started}</dt>
          <dd>
            <Ago at={scan.started_at ?? scan.created_at} />{" "}
            <span className="muted">
              {t.scan.by} {scan.started_by.username}
            </span>
          </dd>
        </div>
        {scan.started_at && (
          <div>
            <dt>{t.scan.took}</dt>
            <dd>{between(scan.started_at, scan.finished_at)}</dd>
          </div>
        )}
      </dl>
      {scan.error && <Notice kind="error">{scan.error}</Notice>}
      {scan.partial && scan.partial_reasons.length > 0 && (
        <Notice kind="warn">
          <strong>{t.scan.reasons}</strong>
          <ul className="steps" style={{ gap: 2 }}>
            {scan.partial_reasons.slice(0, 8).map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
            {scan.partial_reasons.length > 8 && <li>{t.common.more(scan.partial_reasons.length - 8)}</li>}
          </ul>
        </Notice>
      )}
      {asking === "cancel" && (
        <Confirm
          title={t.scans.cancelTitle(scan.id)}
          text={t.scans.cancelText}
          yes={t.scans.cancelYes}
          no={t.scans.cancelNo}
          busy={cancel.isPending}
          onYes={() => cancel.mutate()}
          onNo={() => setAsking(null)}
        />
      )}
      {asking === "delete" && (
        <Confirm
          title={t.scans.deleteTitle(scan.id)}
          text={t.scans.deleteText}
          yes={t.scans.deleteYes}
          no={t.common.cancel}
          busy={remove.isPending}
          onYes={() => remove.mutate()}
          onNo={() => setAsking(null)}
        />
      )}
    </>
  );
}
