/** Change of status with a note. Accepting a risk needs a reason; the server checks the same. */
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { ApiError } from "../../api/errors";
import { FINDING_STATUSES, type FindingStatus, type Resolution } from "../../api/model";
import type { StatusChange } from "../../api/queries";
import { message } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Notice } from "../../components/Notice";
import { useDraft } from "../../lib/stored";
import { t } from "../../strings";

export function StatusForm({
  current,
  currentNote,
  draftKey,
  submit,
  busy,
  error,
  onSubmit,
  onCancel,
  rows = 3,
}: {
  current?: FindingStatus;
  currentNote?: string | null;
  draftKey: string;
  submit: string;
  busy: boolean;
  error: unknown;
  onSubmit: (body: StatusChange) => void;
  onCancel?: () => void;
  /** Lines of the note. */
  rows?: number;
}) {
  const [status, setStatus] = useState<FindingStatus>(current ?? "acknowledged");
  const [note, setNote, clearNote] = useDraft(`note.${draftKey}`);
  const [resolution, setResolution] = useState("");
  const [until, setUntil] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const answered = error instanceof ApiError ? error : null;

  return (
    <form
      className="form"
      data-status-form
      onSubmit={(event) => {
        event.preventDefault();
        const text = note.trim();
        if (status === "accepted_risk" && !text) return setProblem(t.findings.noteNeeded);
        if (status === current && !text && text !== (currentNote ?? "")) return setProblem(t.findings.unchanged);
        setProblem(null);
        clearNote();
        return onSubmit({
          status,
          ...(text ? { status_note: text } : {}),
          ...(status === "resolved" && resolution ? { resolution_reason: resolution as Resolution } : {}),
          ...(status === "accepted_risk" && until ? { accepted_until: until } : {}),
        });
      }}
    >
      {answered && !answered.field("status_note") && <Notice kind="error">{message(answered)}</Notice>}
      <div className="two">
        <NativeSelect
          label={t.findings.status}
          value={status}
          onChange={(event) => {
            setStatus(event.target.value as FindingStatus);
            setProblem(null);
          }}
          data={FINDING_STATUSES.map((value) => ({ value, label: t.status[value] ?? value }))}
        />
        {status === "resolved" && (
          <NativeSelect
            label={t.findings.resolution}
            value={resolution}
            onChange={(event) => setResolution(event.target.value)}
            data={[
              { value: "", label: t.findings.resolutionNone },
              ...Object.entries(t.resolution).map(([value, label]) => ({ value, label })),
            ]}
          />
        )}
        {status === "accepted_risk" && (
          <TextInput
            type="date"
            label={t.findings.until}
            description={t.findings.untilHint}
            value={until}
            onChange={(event) => setUntil(event.target.value)}
          />
        )}
      </div>
      <Textarea
        label={t.findings.note}
        placeholder={t.findings.notePlaceholder}
        rows={rows}
        maxLength={2000}
        value={note}
        required={status === "accepted_risk"}
        withAsterisk={status === "accepted_risk"}
        // Our own message says why; the browser's bubble would not.
        onInvalid={(event) => {
          event.preventDefault();
          setProblem(t.findings.noteNeeded);
        }}
        error={problem ?? answered?.field("status_note")}
        onChange={(event) => setNote(event.target.value)}
      />
      <div className="foot">
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {t.common.cancel}
          </Button>
        )}
        <Button type="submit" loading={busy}>
          {submit}
        </Button>
      </div>
    </form>
  );
}
