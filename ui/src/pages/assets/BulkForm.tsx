import { NativeSelect, TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { RISK_ZONES, type RiskZone } from "../../api/model";
import { tagsQuery } from "../../api/queries";
import { message } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { t } from "../../strings";

export function BulkForm({
  count,
  busy,
  error,
  onSubmit,
  onClose,
}: {
  count: number;
  busy: boolean;
  error: unknown;
  onSubmit: (change: { risk_zone?: RiskZone; add_tags?: string[]; remove_tags?: string[] }) => void;
  onClose: () => void;
}) {
  const known = useQuery(tagsQuery(""));
  const [zone, setZone] = useState<RiskZone | "">("");
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const nothing = zone === "" && add.length === 0 && remove.length === 0;
  const tags = (known.data ?? []).map((entry) => entry.tag);
  return (
    <Dialog title={t.assets.bulkTitle(count)} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (nothing) return;
          onSubmit({
            ...(zone ? { risk_zone: zone } : {}),
            ...(add.length > 0 ? { add_tags: add } : {}),
            ...(remove.length > 0 ? { remove_tags: remove } : {}),
          });
        }}
      >
        {error !== null && <Notice kind="error">{message(error)}</Notice>}
        <NativeSelect
          label={t.assets.bulkZone}
          value={zone}
          onChange={(event) => setZone(event.target.value as RiskZone | "")}
          data={[
            { value: "", label: t.assets.bulkKeep },
            ...RISK_ZONES.map((value) => ({ value, label: t.riskZone[value] ?? value })),
          ]}
        />
        <TagsInput
          label={t.assets.bulkAdd}
          description={t.assets.form.tagsHint}
          value={add}
          onChange={setAdd}
          data={tags}
          limit={20}
          splitChars={[",", ";"]}
          comboboxProps={{ withinPortal: false }}
        />
        <TagsInput
          label={t.assets.bulkRemove}
          value={remove}
          onChange={setRemove}
          data={tags}
          limit={20}
          splitChars={[",", ";"]}
          comboboxProps={{ withinPortal: false }}
        />
        {nothing && (
          <p id="bulk-why" className="muted">
            {t.assets.bulkNothing}
          </p>
        )}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" disabled={nothing} loading={busy} aria-describedby={nothing ? "bulk-why" : undefined}>
            {t.assets.bulkApply(count)}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
