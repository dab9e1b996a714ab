import { Checkbox, NativeSelect, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { ApiError } from "../../api/errors";
import { type Asset, RISK_ZONES, type RiskZone } from "../../api/model";
import { type AssetInput, createAsset, tagsQuery, updateAsset } from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { t } from "../../strings";

/** Adds an asset, or edits one: then the target is fixed, because findings belong to it. */
export function AssetForm({
  asset,
  canScan = false,
  onClose,
  onAdded,
}: {
  asset?: Asset;
  canScan?: boolean;
  onAdded?: (asset: Asset) => void;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const known = useQuery(tagsQuery(""));
  const [target, setTarget] = useState(asset?.target_value ?? "");
  const [type, setType] = useState("");
  const [name, setName] = useState(asset?.name ?? "");
  const [tags, setTags] = useState<string[]>(asset?.tags ?? []);
  const [zone, setZone] = useState<RiskZone>(asset?.risk_zone ?? "dev");
  const [consent, setConsent] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const then = useRef<"close" | "scan">("close");

  const save = useMutation({
    mutationFn: () => {
      if (asset) return updateAsset(asset.id, { name: name.trim() || asset.target_value, tags, risk_zone: zone });
      const body: AssetInput = { target_value: target.trim(), tags, risk_zone: zone };
      if (name.trim()) body.name = name.trim();
      if (type) body.target_type = type as "domain";
      return createAsset(body);
    },
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: ["assets"] });
      void client.invalidateQueries({ queryKey: ["summary"] });
      if (!asset) onAdded?.(saved as Asset);
      toast.ok(asset ? t.assets.form.saved(saved.name) : t.assets.form.added(saved.name));
      if (then.current === "scan") {
        void navigate({ to: "/scans/new" as never, search: { assets: saved.id, consent: "1" } as never });
      } else onClose();
    },
  });
  const error = save.error instanceof ApiError ? save.error : null;
  const shown = ["target_value", "target_type", "name", "tags", "risk_zone"].some((field) => error?.field(field));

  return (
    <Dialog title={asset ? t.assets.form.edit : t.assets.form.add} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          const button = (event.nativeEvent as SubmitEvent).submitter as HTMLButtonElement | null;
          then.current = button?.value === "scan" ? "scan" : "close";
          if (!asset && !consent) return setProblem(t.assets.form.consentNeeded);
          setProblem(null);
          return save.mutate();
        }}
      >
        {error && !shown && (
          <Notice kind="error">
            {message(error)}
            {error.requestId && <div className="small mono">{t.common.requestId(error.requestId)}</div>}
          </Notice>
        )}
        <TextInput
          label={t.assets.form.target}
          description={asset ? undefined : t.assets.form.targetHint}
          value={target}
          disabled={asset !== undefined}
          required
          withAsterisk={false}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          error={error?.field("target_value")}
          onChange={(event) => setTarget(event.target.value)}
        />
        <div className="two">
          <TextInput
            label={t.assets.form.name}
            description={t.assets.form.nameHint}
            value={name}
            error={error?.field("name")}
            onChange={(event) => setName(event.target.value)}
          />
          {!asset && (
            <NativeSelect
              label={t.assets.form.type}
              description={t.assets.form.typeHint}
              value={type}
              error={error?.field("target_type")}
              onChange={(event) => setType(event.target.value)}
              data={[
                { value: "", label: t.assets.form.typeAuto },
                ...["domain", "ip", "cidr"].map((value) => ({ value, label: t.targetType[value] ?? value })),
              ]}
            />
          )}
        </div>
        <div className="two">
          <TagsInput
            label={t.assets.form.tags}
            description={t.assets.form.tagsHint}
            value={tags}
            onChange={setTags}
            data={(known.data ?? []).map((entry) => entry.tag)}
            limit={20}
            comboboxProps={{ withinPortal: false }}
            splitChars={[",", ";"]}
            error={error?.field("tags")}
          />
          <NativeSelect
            label={t.assets.form.zone}
            description={t.assets.form.zoneHint}
            value={zone}
            onChange={(event) => setZone(event.target.value as RiskZone)}
            data={RISK_ZONES.map((value) => ({ value, label: t.riskZone[value] ?? value }))}
          />
        </div>
        {!asset && (
          <Checkbox
            label={t.assets.form.consent}
            description={t.assets.form.consentHint}
            checked={consent}
            error={problem}
            onChange={(event) => {
              setConsent(event.target.checked);
              setProblem(null);
            }}
          />
        )}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          {!asset && canScan && (
            <Button type="submit" value="scan" variant="default" disabled={save.isPending}>
              {t.assets.form.addScan}
            </Button>
          )}
          <Button type="submit" value="close" loading={save.isPending}>
            {asset ? t.common.save : t.assets.add}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
