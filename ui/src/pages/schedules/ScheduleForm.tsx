/** A schedule to be made or changed: when, what, and what holds when it cannot run. */
import { Checkbox, NativeSelect, NumberInput, Switch, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { ApiError, fieldProblem } from "../../api/errors";
import type { Asset, Profile, Schedule } from "../../api/model";
import { assetQuery, createSchedule, cronPreviewQuery, newKey, updateSchedule } from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { AssetPicker } from "../../components/AssetPicker";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { isWhole, restrictsBothDays } from "../../lib/cron";
import { HERE } from "../../lib/time";
import { t } from "../../strings";
import { FEATURE_TEXT, FEATURES, targetsOf } from "../scans/features";
import { ZonedTime } from "./parts";

type Input = Parameters<typeof createSchedule>[0];
const words = t.schedules.form;
const PRESETS = Object.entries(words.presets).map(([value, label]) => ({ value, label }));
const ALL = { port_scan: true, web_checks: true, dns_checks: true, whois_checks: true };
const ZONES = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
/** Fields that show their own problem; whatever else the server names stands above the buttons. */
const SHOWN = ["name", "cron", "time_zone", "jitter_seconds", "targets", "asset_ids", "ports"];

export function ScheduleForm({ schedule, onClose }: { schedule?: Schedule; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(schedule?.name ?? "");
  const [cron, setCron] = useState(schedule?.cron ?? PRESETS[0]?.value ?? "");
  const [zone, setZone] = useState(schedule?.time_zone ?? HERE);
  const [dayRule, setDayRule] = useState(schedule?.day_rule ?? "or");
  const [jitter, setJitter] = useState<number | string>(schedule?.jitter_seconds ?? 0);
  const [overlap, setOverlap] = useState(schedule?.overlap ?? "skip");
  const [catchUp, setCatchUp] = useState(schedule?.catch_up ?? "once");
  const [assetIds, setAssetIds] = useState<string[]>([...(schedule?.scan.asset_ids ?? [])]);
  const [adhoc, setAdhoc] = useState(schedule?.scan.targets?.join("\n") ?? "");
  const [profile, setProfile] = useState<Profile>(schedule?.scan.scan_type ?? "quick");
  const [ports, setPorts] = useState(schedule?.scan.ports ?? "");
  const [features, setFeatures] = useState({ ...ALL, ...schedule?.scan.features });
  const [consent, setConsent] = useState(schedule !== undefined);
  const [why, setWhy] = useState<string | null>(null);
  const key = useRef(newKey());
  const chosen = useQueries({ queries: assetIds.map((id) => assetQuery(id)) });
  const assets = chosen.map((query) => query.data).filter((asset): asset is Asset => asset !== undefined);

  const input: Input = {
    name: name.trim(),
    cron: cron.trim(),
    time_zone: zone.trim(),
    day_rule: dayRule,
    jitter_seconds: Number(jitter) || 0,
    overlap,
    catch_up: catchUp,
    scan: {
      ...schedule?.scan,
      asset_ids: assetIds,
      targets: targetsOf(adhoc),
      scan_type: profile,
      features,
      ports: profile === "custom" && ports.trim() ? ports.trim() : null,
    },
  };
  const save = useMutation({
    mutationFn: () => (schedule ? updateSchedule(schedule.id, input) : createSchedule(input, key.current)),
    onSuccess: (saved) => {
      toast.ok(schedule ? words.saved(saved.name) : words.created(saved.name));
      void client.invalidateQueries({ queryKey: ["schedules"] });
      if (schedule) onClose();
      else void navigate({ to: "/scans/schedules" as never, search: { open: saved.id } as never });
    },
    onError: () => {
      // Another attempt is another request, unless the answer was lost.
      key.current = newKey();
    },
  });
  const problem = (field: string) => fieldProblem(save.error, field);
  const submit = () => {
    const missing =
      assetIds.length === 0 && targetsOf(adhoc).length === 0
        ? words.needTargets
        : !FEATURES.some((feature) => features[feature])
          ? words.needParts
          : !consent
            ? t.newScan.why.consent
            : null;
    setWhy(missing);
    if (!missing) save.mutate();
  };

  return (
    <Dialog title={schedule ? words.edit : words.add} onClose={onClose} wide>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextInput
          label={words.name}
          required
          withAsterisk={false}
          maxLength={100}
          value={name}
          error={problem("name")}
          onChange={(event) => setName(event.target.value)}
        />
        <fieldset className="form part">
          <legend>{words.when}</legend>
          <div className="two">
            <NativeSelect
              label={words.preset}
              data={[...PRESETS, { value: "", label: words.own }]}
              value={words.presets[cron.trim()] ? cron.trim() : ""}
              onChange={(event) => event.target.value && setCron(event.target.value)}
            />
            <TextInput
              label={words.cron}
              description={words.cronHint}
              required
              withAsterisk={false}
              spellCheck={false}
              autoComplete="off"
              className="monoinput"
              value={cron}
              error={problem("cron")}
              onChange={(event) => setCron(event.target.value)}
            />
            <TextInput
              label={words.zone}
              description={words.zoneHint}
              list="zones"
              required
              withAsterisk={false}
              spellCheck={false}
              autoComplete="off"
              value={zone}
              error={problem("time_zone")}
              onChange={(event) => setZone(event.target.value)}
            />
            {restrictsBothDays(cron) && (
              <NativeSelect
                label={words.dayRule}
                data={Object.entries(words.dayRules).map(([value, label]) => ({ value, label }))}
                value={dayRule}
                onChange={(event) => setDayRule(event.target.value as typeof dayRule)}
              />
            )}
          </div>
          <datalist id="zones">
            {ZONES.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
          <Preview cron={cron} zone={zone} dayRule={dayRule} />
        </fieldset>
        <fieldset className="form part">
          <legend>{words.what}</legend>
          <AssetPicker chosen={assets} ids={assetIds} onChange={setAssetIds} />
          {problem("asset_ids") && <Notice kind="error">{problem("asset_ids")}</Notice>}
          <Textarea
            label={t.newScan.adhoc}
            description={t.newScan.adhocHint}
            rows={2}
            value={adhoc}
            spellCheck={false}
            error={problem("targets")}
            onChange={(event) => setAdhoc(event.target.value)}
          />
          <div className="two">
            <NativeSelect
              label={t.newScan.profile}
              data={Object.entries(t.newScan.profiles).map(([value, label]) => ({ value, label }))}
              value={profile}
              onChange={(event) => setProfile(event.target.value as Profile)}
            />
            {profile === "custom" && (
              <TextInput
                label={t.newScan.ports}
                description={t.newScan.portsHint}
                value={ports}
                spellCheck={false}
                error={problem("ports")}
                onChange={(event) => setPorts(event.target.value)}
              />
            )}
          </div>
          <div className="two">
            {FEATURES.map((feature) => (
              <Switch
                key={feature}
                label={FEATURE_TEXT[feature][0]}
                checked={features[feature]}
                onChange={(event) => setFeatures({ ...features, [feature]: event.target.checked })}
              />
            ))}
          </div>
        </fieldset>
        <fieldset className="form part">
          <legend>{words.rules}</legend>
          <div className="two">
            <NativeSelect
              label={words.overlap}
              data={Object.entries(words.overlaps).map(([value, label]) => ({ value, label }))}
              value={overlap}
              onChange={(event) => setOverlap(event.target.value as typeof overlap)}
            />
            <NativeSelect
              label={words.catchUp}
              data={Object.entries(words.catchUps).map(([value, label]) => ({ value, label }))}
              value={catchUp}
              onChange={(event) => setCatchUp(event.target.value as typeof catchUp)}
            />
            <NumberInput
              label={words.jitter}
              description={words.jitterHint}
              min={0}
              allowDecimal={false}
              clampBehavior="none"
              hideControls
              value={jitter}
              error={problem("jitter_seconds")}
              onChange={setJitter}
            />
          </div>
        </fieldset>
        <Checkbox label={words.consent} checked={consent} onChange={(event) => setConsent(event.target.checked)} />
        {why && <Notice kind="error">{why}</Notice>}
        {save.isError && !onlyShown(save.error) && <Notice kind="error">{message(save.error)}</Notice>}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {schedule ? words.save : words.create}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function onlyShown(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.fields.length > 0 &&
    error.fields.every((field) => SHOWN.some((name) => field.field.split("->").pop()?.trim() === name))
  );
}

/** What the expression means and when it comes, asked of the server a moment after one stops typing. */
function Preview({ cron, zone, dayRule }: { cron: string; zone: string; dayRule: "or" | "and" }) {
  const [asked, setAsked] = useState({ cron: cron.trim(), time_zone: zone.trim(), day_rule: dayRule });
  useEffect(() => {
    const timer = setTimeout(() => setAsked({ cron: cron.trim(), time_zone: zone.trim(), day_rule: dayRule }), 300);
    return () => clearTimeout(timer);
  }, [cron, zone, dayRule]);
  const ready = isWhole(asked.cron) && asked.time_zone !== "";
  const preview = useQuery({ ...cronPreviewQuery(asked), enabled: ready });
  return (
    <div className="preview" aria-live="polite">
      {!ready && <p className="small muted">{words.previewWait}</p>}
      {ready && preview.isError && <p className="small st-fail">{message(preview.error)}</p>}
      {ready && preview.data && !preview.isError && (
        <>
          <strong>{preview.data.cadence}</strong>
          {preview.data.next.length === 0 ? (
            <p className="small muted">{words.previewNone}</p>
          ) : (
            <ol className="small" aria-label={words.preview}>
              {preview.data.next.map((at) => (
                <li key={at}>
                  <ZonedTime at={at} zone={asked.time_zone} />
                </li>
              ))}
            </ol>
          )}
        </>
      )}
    </div>
  );
}
