import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link2, SquareArrowOutUpRight } from "lucide-react";
import { useState } from "react";
import type { Finding } from "../../api/model";
import { changeFinding, findingQuery, type StatusChange } from "../../api/queries";
import { toast } from "../../app/toasts";
import { CopyButton } from "../../components/Copy";
import { Drawer } from "../../components/Drawer";
import { Link } from "../../components/Link";
import { ErrorState, SkeletonLines } from "../../components/states";
import { t } from "../../strings";
import { FindingBody, Marks, toMarkdown } from "./parts";
import { StatusForm } from "./StatusForm";

/** Changes one finding; a toast offers the way back. */
export function useChangeFinding(finding: Finding | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: StatusChange) => changeFinding(finding?.id ?? "", body),
    onSuccess: (changed) => {
      const before = finding;
      client.setQueryData(findingQuery(changed.id).queryKey, changed);
      void client.invalidateQueries({ queryKey: ["findings"] });
      void client.invalidateQueries({ queryKey: ["summary"] });
      toast.ok(
        t.findings.changed(1, t.status[changed.status] ?? changed.status),
        before && before.status !== changed.status && before.status !== "accepted_risk"
          ? {
              label: t.common.undo,
              run: () => {
                changeFinding(changed.id, { status: before.status, status_note: before.status_note ?? undefined }).then(
                  () => client.invalidateQueries({ queryKey: ["findings"] }),
                  toast.error,
                );
              },
            }
          : undefined,
      );
    },
  });
}

export function FindingDrawer({
  id,
  canTriage,
  onClose,
  onMove,
}: {
  id: string;
  canTriage: boolean;
  onClose: () => void;
  onMove: (step: 1 | -1) => void;
}) {
  const query = useQuery(findingQuery(id));
  const change = useChangeFinding(query.data);
  const [form, setForm] = useState(0);
  const finding = query.data;
  const link = `${location.origin}/ui/findings/${id}`;
  return (
    <Drawer
      id={id}
      label={finding?.title ?? t.findings.one}
      onClose={onClose}
      onMove={onMove}
      head={
        finding ? (
          <>
            <Marks finding={finding} />
            <h2>{finding.title}</h2>
            <span style={{ display: "flex", gap: 4, marginLeft: -6 }}>
              <Link to={`/findings/${id}`} className="iconbtn small">
                <SquareArrowOutUpRight aria-hidden /> {t.findings.openPage}
              </Link>
              <CopyButton text={link} label={t.findings.copyLink} />
              <CopyButton text={toMarkdown(finding, link)} label={t.findings.copyMarkdown} />
            </span>
          </>
        ) : (
          <Link2 aria-hidden />
        )
      }
      footer={
        canTriage && finding ? (
          <StatusForm
            key={`${id}-${finding.status}-${form}`}
            draftKey={id}
            rows={1}
            current={finding.status}
            currentNote={finding.status_note}
            submit={t.findings.apply}
            busy={change.isPending}
            error={change.error}
            onSubmit={(body) => change.mutate(body, { onSuccess: () => setForm(form + 1) })}
          />
        ) : undefined
      }
    >
      {query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} title={t.notFound.missing(t.findings.one)} />
      ) : finding ? (
        <FindingBody finding={finding} />
      ) : (
        <SkeletonLines lines={8} />
      )}
    </Drawer>
  );
}
