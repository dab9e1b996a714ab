/** The audit log: what was done, by whom, and whether the log itself is as it was written. */
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { download } from "../api/client";
import { auditChainQuery, auditQuery } from "../api/queries";
import { toast } from "../app/toasts";
import { Ago } from "../components/marks";
import { Notice } from "../components/Notice";
import { ErrorState, SkeletonLines } from "../components/states";
import { t } from "../strings";
import { Pages } from "./Team";

export function Audit() {
  const [page, setPage] = useState(1);
  const [action, setAction] = useState("");
  const [actor, setActor] = useState("");
  const filter = { ...(action ? { action } : {}), ...(actor ? { actor } : {}) };
  const entries = useQuery(auditQuery({ page, ...filter }));
  const chain = useQuery(auditChainQuery);
  const search = new URLSearchParams(filter).toString();
  return (
    <div>
      <div className="pagehead">
        <h1>{t.audit.title}</h1>
        <Button
          variant="default"
          onClick={() => void download(`/api/audit/export?${search}`, "audit-log.csv").catch(toast.error)}
        >
          {t.audit.export}
        </Button>
      </div>
      <div className="stack">
        {chain.data &&
          (chain.data.intact ? (
            <Notice kind="ok">{t.audit.intact(chain.data.sealed, chain.data.unsealed)}</Notice>
          ) : (
            <Notice kind="error">{t.audit.broken(chain.data.broken_at ?? 0)}</Notice>
          ))}
        <div style={{ display: "flex", gap: 12 }}>
          <TextInput
            label={t.audit.actor}
            value={actor}
            onChange={(event) => {
              setActor(event.target.value);
              setPage(1);
            }}
          />
          <TextInput
            label={t.audit.action}
            value={action}
            onChange={(event) => {
              setAction(event.target.value);
              setPage(1);
            }}
          />
        </div>
        {entries.isPending && <SkeletonLines />}
        {entries.isError && <ErrorState error={entries.error} retry={() => void entries.refetch()} />}
        {entries.data && (
          <>
            <table className="data plain" data-density="compact" aria-label={t.audit.label}>
              <thead>
                <tr>
                  <th scope="col">{t.audit.columns.at}</th>
                  <th scope="col">{t.audit.columns.actor}</th>
                  <th scope="col">{t.audit.columns.action}</th>
                  <th scope="col">{t.audit.columns.target}</th>
                  <th scope="col">{t.audit.columns.ip}</th>
                </tr>
              </thead>
              <tbody>
                {entries.data.data.map((entry) => (
                  <tr key={entry.id}>
                    <td>
                      <Ago at={entry.created_at} />
                    </td>
                    <td>{entry.actor}</td>
                    <td className="mono small">{entry.action}</td>
                    <td className="mono small">
                      {entry.target_type} {entry.target_id}
                    </td>
                    <td className="mono small">{entry.ip}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <Pages page={page} pages={Math.max(1, entries.data.total_pages)} go={setPage} />
          </>
        )}
      </div>
    </div>
  );
}
