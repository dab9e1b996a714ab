import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { SEVERITIES } from "../../api/model";
import { assetQuery, deleteAsset, findingsQuery } from "../../api/queries";
import { toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Drawer } from "../../components/Drawer";
import { Link } from "../../components/Link";
import { Ago, DemoMark, Score, SeverityBar, SeverityCountsMark, SeverityMark, Tags } from "../../components/marks";
import { ErrorState, SkeletonLines } from "../../components/states";
import { t } from "../../strings";
import { AssetForm } from "./AssetForm";

export function AssetDrawer({
  id,
  canManage,
  canScan,
  onClose,
  onMove,
}: {
  id: string;
  canManage: boolean;
  canScan: boolean;
  onClose: () => void;
  onMove: (step: 1 | -1) => void;
}) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const query = useQuery(assetQuery(id));
  const findings = useQuery(
    findingsQuery({ page: 1, page_size: 10, asset_id: id, status: "open", sort: "severity", sort_dir: "desc" }),
  );
  const [asking, setAsking] = useState<"edit" | "delete" | null>(null);
  const asset = query.data;

  const remove = useMutation({
    mutationFn: () => deleteAsset(id),
    onSuccess: () => {
      toast.ok(t.assets.deleted(1));
      onClose();
    },
    onError: toast.error,
    onSettled: () => {
      setAsking(null);
      void client.invalidateQueries({ queryKey: ["assets", "list"] });
      void client.invalidateQueries({ queryKey: ["findings"] });
      void client.invalidateQueries({ queryKey: ["summary"] });
    },
  });

  return (
    <Drawer
      id={id}
      label={asset?.name ?? t.assets.one}
      onClose={onClose}
      onMove={onMove}
      head={
        asset ? (
          <>
            <h2>
              {asset.name} <DemoMark on={asset.demo} />
            </h2>
            <span className="mono small muted">{asset.target_value}</span>
          </>
        ) : null
      }
      footer={
        asset && (canScan || canManage) ? (
          <div className="actions">
            {canScan && (
              <Button
                onClick={() => void navigate({ to: "/scans/new" as never, search: { assets: asset.id } as never })}
              >
                {t.assets.scan}
              </Button>
            )}
            {canManage && (
              <>
                <Button variant="default" onClick={() => setAsking("edit")}>
                  {t.assets.edit}
                </Button>
                <Button variant="default" onClick={() => setAsking("delete")}>
                  {t.common.delete}
                </Button>
              </>
            )}
          </div>
        ) : undefined
      }
    >
      {query.isError && (
        <ErrorState error={query.error} retry={() => void query.refetch()} title={t.notFound.missing(t.assets.one)} />
      )}
      {!asset && !query.isError && <SkeletonLines />}
      {asset && (
        <>
          <section>
            <dl className="facts">
              <dt>{t.assets.columns.type}</dt>
              <dd>{t.targetType[asset.kind] ?? asset.kind}</dd>
              <dt>{t.assets.columns.zone}</dt>
              <dd>{t.riskZone[asset.risk_zone] ?? asset.risk_zone}</dd>
              <dt>{t.assets.columns.tags}</dt>
              <dd>{asset.tags.length > 0 ? <Tags values={asset.tags} limit={50} /> : t.common.none}</dd>
              <dt>{t.assets.columns.score}</dt>
              <dd>
                <Score value={asset.score} />
              </dd>
              <dt>{t.assets.columns.seen}</dt>
              <dd>
                <Ago at={asset.last_seen_at} otherwise={t.common.never} />
                {asset.last_scan_id && (
                  <>
                    , <Link to={`/scans/${asset.last_scan_id}`}>{t.assets.openScan(asset.last_scan_id)}</Link>
                  </>
                )}
              </dd>
            </dl>
          </section>
          <section>
            <h3>{t.assets.columns.findings}</h3>
            {SEVERITIES.some((severity) => asset.open_findings[severity] > 0) && (
              <div style={{ display: "grid", gap: 8, marginBottom: 10 }}>
                <SeverityBar counts={asset.open_findings} />
                <SeverityCountsMark counts={asset.open_findings} />
              </div>
            )}
            {findings.data && findings.data.total === 0 && <p className="muted">{t.common.none}</p>}
            {findings.data && findings.data.total > 0 && (
              <>
                <table className="data plain" data-density="compact" aria-label={t.assets.columns.findings}>
                  <tbody>
                    {findings.data.data.map((finding) => (
                      <tr key={finding.id}>
                        <td style={{ width: 104 }}>
                          <SeverityMark value={finding.severity} />
                        </td>
                        <td>
                          <Link to="/findings" search={{ asset_id: id, open: finding.id }}>
                            {finding.title}
                          </Link>
                        </td>
                        <td className="mono small">{finding.location}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
                <p style={{ marginTop: 8 }}>
                  <Link to="/findings" search={{ asset_id: id }}>
                    {t.assets.viewFindings}
                  </Link>
                </p>
              </>
            )}
          </section>
        </>
      )}
      {asking === "edit" && asset && <AssetForm asset={asset} onClose={() => setAsking(null)} />}
      {asking === "delete" && (
        <Confirm
          title={t.assets.deleteTitle(1)}
          text={t.assets.deleteText}
          yes={t.assets.deleteYes(1)}
          no={t.common.cancel}
          busy={remove.isPending}
          onYes={() => remove.mutate()}
          onNo={() => setAsking(null)}
        />
      )}
    </Drawer>
  );
}
