/** New scan: what, how, check and launch, with the sum of it in sight all the time. */
import { Checkbox, NumberInput, Switch, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { ApiError } from "../api/errors";
import { type Asset, may, type Profile } from "../api/model";
import { assetQuery, checksQuery, launchScan, meQuery, newKey, profilesQuery, type ScanInput } from "../api/queries";
import { message, toast } from "../app/toasts";
import { AssetPicker } from "../components/AssetPicker";
import { Button } from "../components/Button";
import { CopyBox } from "../components/Copy";
import { Notice } from "../components/Notice";
import { State } from "../components/states";
import { running } from "../lib/check-choice";
import { asCli, asCurl } from "../lib/command";
import { type PortPlan, portPlan, WEB_PORTS } from "../lib/targets";
import { t } from "../strings";
import { AssetForm } from "./assets/AssetForm";
import { type CheckChoice, CheckPicker } from "./scans/CheckPicker";
import { FEATURE_TEXT, FEATURES, targetsOf } from "./scans/features";

export function NewScan() {
  const search = useSearch({ strict: false }) as {
    assets?: string;
    targets?: string;
    consent?: string;
    profile?: string;
  };
  const navigate = useNavigate();
  const client = useQueryClient();
  const me = useQuery(meQuery);
  const profiles = useQuery(profilesQuery);

  const [assetIds, setAssetIds] = useState<string[]>(() => search.assets?.split(",").filter(Boolean) ?? []);
  const [adhoc, setAdhoc] = useState(() => search.targets?.split(",").join("\n") ?? "");
  const [profile, setProfile] = useState<Profile>(
    search.profile === "full" || search.profile === "custom" ? search.profile : "quick",
  );
  const [features, setFeatures] = useState({ port_scan: true, web_checks: true, dns_checks: true, whois_checks: true });
  const [ports, setPorts] = useState("");
  const [udpPorts, setUdpPorts] = useState("");
  const [choice, setChoice] = useState<CheckChoice>({ only: [], skip: [] });
  const [adding, setAdding] = useState(false);
  const [concurrency, setConcurrency] = useState<number | string>(20);
  const [timeout, setTimeoutSeconds] = useState<number | string>(10);
  const [consent, setConsent] = useState(search.consent === "1");
  // One key for one intent: pressing Launch twice, or again after a lost answer, starts one scan.
  const key = useRef({ body: "", key: "" });

  const chosen = useQueries({ queries: assetIds.map((id) => assetQuery(id)) });
  const assets = chosen.map((query) => query.data).filter((asset): asset is Asset => asset !== undefined);
  const targets = useMemo(() => targetsOf(adhoc), [adhoc]);
  const custom = profile === "custom";
  const checks = useQuery({ ...checksQuery("custom"), enabled: custom });
  const input: ScanInput = {
    kind: "surface",
    asset_ids: assetIds,
    targets,
    scan_type: profile,
    features,
    ...(custom && features.port_scan && ports.trim() ? { ports: ports.trim() } : {}),
    ...(custom && features.port_scan && udpPorts.trim() ? { udp_ports: udpPorts.trim() } : {}),
    ...(custom && choice.only.length > 0 ? { checks: choice.only } : {}),
    ...(custom && choice.skip.length > 0 ? { skip: choice.skip } : {}),
    concurrency: Number(concurrency),
    timeout_seconds: Number(timeout),
  };

  const launch = useMutation({
    mutationFn: () => {
      const body = JSON.stringify(input);
      if (key.current.body !== body) key.current = { body, key: newKey() };
      return launchScan(input, key.current.key);
    },
    onSuccess: (scan) => {
      void client.invalidateQueries({ queryKey: ["scans"] });
      toast.ok(t.newScan.launched(scan.id));
      void navigate({ to: `/scans/${scan.id}` as never });
    },
  });
  const error = launch.error instanceof ApiError ? launch.error : null;

  const left = checks.data ? running(checks.data, choice.only, choice.skip).length : null;
  const inRange = (value: number | string, low: number, high: number) =>
    Number.isInteger(Number(value)) && value !== "" && Number(value) >= low && Number(value) <= high;
  const why = !may(me.data, "scans.run")
    ? t.newScan.why.role
    : assetIds.length === 0 && targets.length === 0
      ? t.newScan.why.target
      : !FEATURES.some((feature) => features[feature])
        ? t.newScan.why.parts
        : custom && left === 0
          ? t.newScan.why.checks
          : !inRange(concurrency, 1, 200)
            ? t.newScan.why.concurrency
            : !inRange(timeout, 1, 120)
              ? t.newScan.why.timeout
              : !consent
                ? t.newScan.why.consent
                : null;
  const info = profiles.data?.find((entry) => entry.name === profile);
  const plan = portPlan(targets, assetIds.length, input.ports ?? info?.ports ?? "");
  const udp = input.udp_ports ?? info?.udp_ports ?? "";
  // Until every chosen asset is known the command would leave one out.
  const commandTargets =
    assets.length === assetIds.length ? [...assets.map((asset) => asset.target_value), ...targets] : [];
  const order: Profile[] = ["quick", "full", "custom"];

  if (me.data && !may(me.data, "scans.run")) {
    return (
      <>
        <h1 className="sr">{t.newScan.title}</h1>
        <State title={t.settings.forbidden} text={t.newScan.why.role} />
      </>
    );
  }
  return (
    <>
      <div className="pagehead">
        <h1>{t.newScan.title}</h1>
      </div>
      <form
        className="cols"
        onSubmit={(event) => {
          event.preventDefault();
          if (!why) launch.mutate();
        }}
      >
        <div className="span-8 stack" style={{ alignContent: "start" }}>
          <section className="panel" aria-labelledby="what">
            <header>
              <h2 id="what">{t.newScan.what}</h2>
            </header>
            <div className="body form">
              <AssetPicker
                chosen={assets}
                onChange={setAssetIds}
                ids={assetIds}
                onAdd={may(me.data, "assets.manage") ? () => setAdding(true) : undefined}
              />
              <Textarea
                label={t.newScan.adhoc}
                description={t.newScan.adhocHint}
                rows={3}
                autosize={false}
                value={adhoc}
                spellCheck={false}
                error={targetError(error)}
                onChange={(event) => setAdhoc(event.target.value)}
              />
            </div>
          </section>

          <section className="panel" aria-labelledby="how">
            <header>
              <h2 id="how">{t.newScan.how}</h2>
            </header>
            <div className="body form">
              <fieldset>
                <legend>{t.newScan.profile}</legend>
                <div className="choices">
                  {order.map((name) => {
                    const entry = profiles.data?.find((candidate) => candidate.name === name);
                    return (
                      <label key={name} className="choice">
                        <input
                          type="radio"
                          name="profile"
                          value={name}
                          checked={profile === name}
                          onChange={() => setProfile(name)}
                        />
                        <span style={{ display: "flex", gap: 8, alignItems: "baseline" }}>
                          <strong style={{ flex: 1 }}>{t.newScan.profiles[name]}</strong>
                          {entry && <span className="small muted">{t.newScan.checks(entry.check_count)}</span>}
                        </span>
                        {entry && <small>{entry.description}</small>}
                      </label>
                    );
                  })}
                </div>
                {profiles.isError && <Notice kind="error">{message(profiles.error)}</Notice>}
              </fieldset>
              {custom && (
                <div className="two">
                  <TextInput
                    label={t.newScan.ports}
                    description={features.port_scan ? t.newScan.portsHint : t.newScan.portsOff}
                    placeholder={info?.ports}
                    value={ports}
                    disabled={!features.port_scan}
                    spellCheck={false}
                    autoComplete="off"
                    error={error?.field("ports")}
                    onChange={(event) => setPorts(event.target.value)}
                  />
                  <TextInput
                    label={t.newScan.udpPorts}
                    description={features.port_scan ? t.newScan.udpPortsHint : t.newScan.portsOff}
                    placeholder={info?.udp_ports || t.common.none}
                    value={udpPorts}
                    disabled={!features.port_scan}
                    spellCheck={false}
                    autoComplete="off"
                    error={error?.field("udp_ports")}
                    onChange={(event) => setUdpPorts(event.target.value)}
                  />
                </div>
              )}
              <fieldset>
                <legend>{t.newScan.toggles}</legend>
                <div className="two">
                  {FEATURES.map((feature) => (
                    <Switch
                      key={feature}
                      label={FEATURE_TEXT[feature][0]}
                      description={FEATURE_TEXT[feature][1]}
                      checked={features[feature]}
                      onChange={(event) => setFeatures({ ...features, [feature]: event.target.checked })}
                    />
                  ))}
                </div>
              </fieldset>
              {custom && checks.data && (
                <CheckPicker
                  checks={checks.data}
                  value={choice}
                  onChange={setChoice}
                  error={error?.field("checks") ?? error?.field("skip")}
                />
              )}
              {custom && checks.isError && <Notice kind="error">{message(checks.error)}</Notice>}
              <div className="two">
                <NumberInput
                  label={t.newScan.concurrency}
                  description={t.newScan.concurrencyHint}
                  min={1}
                  max={200}
                  allowDecimal={false}
                  clampBehavior="none"
                  hideControls
                  value={concurrency}
                  error={
                    error?.field("concurrency") ??
                    (inRange(concurrency, 1, 200) ? undefined : t.newScan.why.concurrency)
                  }
                  onChange={setConcurrency}
                />
                <NumberInput
                  label={t.newScan.timeout}
                  description={t.newScan.timeoutHint}
                  min={1}
                  max={120}
                  allowDecimal={false}
                  clampBehavior="none"
                  hideControls
                  value={timeout}
                  error={
                    error?.field("timeout_seconds") ?? (inRange(timeout, 1, 120) ? undefined : t.newScan.why.timeout)
                  }
                  onChange={setTimeoutSeconds}
                />
              </div>
            </div>
          </section>

          <section className="panel" aria-labelledby="copy">
            <header>
              <h2 id="copy">{t.newScan.copyHint}</h2>
            </header>
            <div className="body stack" style={{ gap: 10 }}>
              {commandTargets.length === 0 ? (
                <p className="muted">{t.newScan.copyNone}</p>
              ) : (
                <>
                  <CopyBox label={t.newScan.copyCli} text={asCli(input, commandTargets)} wrap />
                  <CopyBox label={t.newScan.copyCurl} text={asCurl(input, location.origin)} wrap />
                </>
              )}
            </div>
          </section>
        </div>

        <aside className="span-4" aria-label={t.newScan.summary}>
          <section
            className="panel"
            style={{ position: "sticky", top: "calc(var(--topbar) + 16px)" }}
            aria-labelledby="check"
          >
            <header>
              <h2 id="check">{t.newScan.check}</h2>
            </header>
            <div className="body form">
              <dl className="facts">
                <dt>{t.newScan.summaryTargets}</dt>
                <dd>
                  {assetIds.length === 0 && targets.length === 0 && (
                    <span className="muted">{t.newScan.summaryNone}</span>
                  )}
                  {assetIds.length > 0 && <div>{t.newScan.assetsCount(assetIds.length)}</div>}
                  {targets.length > 0 && <div>{t.newScan.adhocCount(targets.length)}</div>}
                </dd>
                <dt>{t.newScan.summaryProfile}</dt>
                <dd>
                  {t.newScan.profiles[profile]}
                  {info && (
                    <span className="muted">
                      ,{" "}
                      {custom && checks.data && left !== null && left !== checks.data.length
                        ? t.newScan.chosenChecks(left, checks.data.length)
                        : t.newScan.checks(info.check_count)}
                    </span>
                  )}
                </dd>
                {input.checks && (
                  <>
                    <dt>{t.newScan.summaryOnly}</dt>
                    <dd className="mono">{input.checks.join(", ")}</dd>
                  </>
                )}
                {input.skip && (
                  <>
                    <dt>{t.newScan.summarySkip}</dt>
                    <dd className="mono">{input.skip.join(", ")}</dd>
                  </>
                )}
                <dt>{t.newScan.ports}</dt>
                <dd>
                  <Ports plan={plan} portScan={features.port_scan} webChecks={features.web_checks} />
                </dd>
                {features.port_scan && udp && plan.scanned !== null && (
                  <>
                    <dt>{t.newScan.udpPorts}</dt>
                    <dd className="mono">{udp}</dd>
                  </>
                )}
                <dt>{t.newScan.summaryParts}</dt>
                <dd>
                  {FEATURES.filter((feature) => features[feature])
                    .map((feature) => FEATURE_TEXT[feature][0])
                    .join(", ") || t.common.none}
                </dd>
                <dt>{t.newScan.summaryLimits}</dt>
                <dd>{t.newScan.limits(Number(concurrency), Number(timeout))}</dd>
              </dl>
              <Checkbox
                label={t.newScan.consent}
                checked={consent}
                onChange={(event) => setConsent(event.target.checked)}
              />
              {error && !targetError(error) && (
                <Notice kind="error">
                  {message(error)}
                  {error.requestId && <div className="small mono">{t.common.requestId(error.requestId)}</div>}
                </Notice>
              )}
              <Button
                type="submit"
                fullWidth
                loading={launch.isPending}
                disabled={why !== null}
                aria-describedby={why ? "why" : undefined}
              >
                {t.newScan.launch}
              </Button>
              <p id="why" className="small muted" aria-live="polite">
                {why}
              </p>
            </div>
          </section>
        </aside>
      </form>
      {adding && (
        <AssetForm onClose={() => setAdding(false)} onAdded={(asset) => setAssetIds([...assetIds, asset.id])} />
      )}
    </>
  );
}

function Ports({ plan, portScan, webChecks }: { plan: PortPlan; portScan: boolean; webChecks: boolean }) {
  const scanned = portScan ? plan.scanned : webChecks ? WEB_PORTS : null;
  if (plan.scanned === null) return t.newScan.portsNamed(plan.named, plan.more);
  return (
    <>
      {scanned ? <span className="mono">{scanned}</span> : <span className="muted">{t.common.none}</span>}
      {plan.named.length > 0 && <div className="small muted">{t.newScan.portsAlso(plan.named, plan.more)}</div>}
    </>
  );
}

function targetError(error: ApiError | null): string | undefined {
  const problems = error?.fields.filter((problem) => /targets|asset_ids/.test(problem.field)) ?? [];
  return problems.length > 0 ? problems.map((problem) => problem.message).join(". ") : undefined;
}
