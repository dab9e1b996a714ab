/** The organisation's own look: names, accent, pictures. */
import { TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiError, fieldProblem } from "../../api/errors";
import { type Branding as Brand, may } from "../../api/model";
import { brandingQuery, deleteAssetOfBrand, meQuery, updateBranding, uploadAssetOfBrand } from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { useConfirmed } from "../../components/confirmed";
import { Notice } from "../../components/Notice";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { contrast, isColor } from "../../lib/contrast";
import { t } from "../../strings";

const words = t.branding;
/** The grounds that the server measures an accent against, and the least it must have. */
const GROUND = { accent_color: "#fafaf9", accent_color_dark: "#1a1d20" };
const LEAST = 4.5;
const DEFAULTS = { accent_color: "#0b62c4", accent_color_dark: "#6fb1ff" };
const PICTURES = ["logo_light", "logo_dark", "favicon"] as const;
type Picture = (typeof PICTURES)[number];
const MOST = 2 * 1024 * 1024;

export function Branding() {
  const me = useQuery(meQuery);
  const organization = me.data?.organization.id ?? null;
  const branding = useQuery({ ...brandingQuery(organization), enabled: organization !== null });
  const manage = may(me.data, "branding.manage");
  return (
    <SettingsPage>
      {manage && (
        <QueryState query={branding} lines={8}>
          {({ branding: present, etag }) => (
            <>
              <Names key={etag ?? ""} present={present} etag={etag} />
              <Panel title={words.pictures} text={words.picturesText}>
                <div className="pictures">
                  {PICTURES.map((kind) => (
                    <PictureCard key={kind} kind={kind} url={present[kind]} />
                  ))}
                </div>
              </Panel>
            </>
          )}
        </QueryState>
      )}
    </SettingsPage>
  );
}

function Names({ present, etag }: { present: Brand; etag: string | null }) {
  const client = useQueryClient();
  const [product, setProduct] = useState(present.product_name ?? "");
  const [company, setCompany] = useState(present.company_name ?? "");
  const [footer, setFooter] = useState(present.footer_text ?? "");
  const [light, setLight] = useState(present.accent_color ?? "");
  const [dark, setDark] = useState(present.accent_color_dark ?? "");
  const save = useMutation({
    mutationFn: () =>
      updateBranding(
        {
          product_name: product.trim() || null,
          company_name: company.trim() || null,
          footer_text: footer.trim() || null,
          accent_color: light.trim() || null,
          accent_color_dark: dark.trim() || null,
        },
        etag,
      ),
    onSuccess: () => toast.ok(t.settings.saved),
    onSettled: () => client.invalidateQueries({ queryKey: ["branding"] }),
  });
  const shown = ["product_name", "company_name", "footer_text", "accent_color", "accent_color_dark"];
  const told = save.error instanceof ApiError && shown.some((name) => fieldProblem(save.error, name));
  return (
    <Panel title={words.names} text={words.namesText}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <div className="two">
          <TextInput
            label={words.product}
            description={words.productHint}
            placeholder={t.product}
            value={product}
            error={fieldProblem(save.error, "product_name")}
            onChange={(event) => setProduct(event.target.value)}
          />
          <TextInput
            label={words.company}
            description={words.companyHint}
            value={company}
            error={fieldProblem(save.error, "company_name")}
            onChange={(event) => setCompany(event.target.value)}
          />
        </div>
        <TextInput
          label={words.footer}
          description={words.footerHint}
          value={footer}
          error={fieldProblem(save.error, "footer_text")}
          onChange={(event) => setFooter(event.target.value)}
        />
        <div className="two">
          <Accent
            name="accent_color"
            label={words.accentLight}
            value={light}
            error={fieldProblem(save.error, "accent_color")}
            onChange={setLight}
          />
          <Accent
            name="accent_color_dark"
            label={words.accentDark}
            value={dark}
            error={fieldProblem(save.error, "accent_color_dark")}
            onChange={setDark}
          />
        </div>
        {save.isError && !told && <Notice kind="error">{message(save.error)}</Notice>}
        <div>
          <Button type="submit" loading={save.isPending}>
            {t.common.save}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function Accent({
  name,
  label,
  value,
  error,
  onChange,
}: {
  name: keyof typeof GROUND;
  label: string;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}) {
  const color = value.trim();
  const ratio = isColor(color) ? contrast(color, GROUND[name]) : null;
  return (
    <div className="accent">
      <TextInput
        label={label}
        description={
          ratio === null ? words.accentHint : ratio < LEAST ? words.tooPale(ratio, LEAST) : words.ratio(ratio)
        }
        className="monoinput"
        placeholder={DEFAULTS[name]}
        spellCheck={false}
        autoComplete="off"
        maxLength={7}
        value={value}
        error={error ?? (color && ratio === null ? words.noColor : undefined)}
        onChange={(event) => onChange(event.target.value)}
      />
      <input
        type="color"
        aria-label={words.choose(label)}
        value={isColor(color) ? color : DEFAULTS[name]}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

function PictureCard({ kind, url }: { kind: Picture; url: string | null }) {
  const client = useQueryClient();
  const file = useRef<HTMLInputElement>(null);
  const label = words.picture[kind] ?? kind;
  const upload = useMutation({
    mutationFn: (picture: File) => uploadAssetOfBrand(kind, picture),
    onSuccess: () => toast.ok(words.uploaded(label)),
    onSettled: () => client.invalidateQueries({ queryKey: ["branding"] }),
  });
  const [wrong, setWrong] = useState<string | null>(null);
  const [ask, dialog] = useConfirmed(
    () => deleteAssetOfBrand(kind),
    () => ({
      title: words.removeTitle(label),
      text: words.removeText,
      yes: words.remove,
      done: words.removed(label),
    }),
    [["branding"]],
  );
  const problem = wrong ?? (upload.isError ? message(upload.error) : null);
  return (
    <figure className="picture">
      <div className="ground" data-ground={kind === "logo_dark" ? "dark" : "light"}>
        {url ? <img src={url} alt={label} /> : <span>{words.noPicture}</span>}
      </div>
      <figcaption>
        <strong>{label}</strong>
        <span className="small muted">{words.pictureHint[kind]}</span>
      </figcaption>
      {problem && <Notice kind="error">{problem}</Notice>}
      <div className="actions">
        <input
          ref={file}
          type="file"
          accept="image/png"
          hidden
          onChange={(event) => {
            const picture = event.target.files?.[0];
            // The same file may be chosen again after it was mended.
            event.target.value = "";
            if (!picture) return;
            const refused = picture.type !== "image/png" ? words.notPng : picture.size > MOST ? words.tooBig : null;
            setWrong(refused);
            if (!refused) upload.mutate(picture);
          }}
        />
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`${url ? words.replace : words.upload}: ${label}`}
          loading={upload.isPending}
          onClick={() => file.current?.click()}
        >
          {url ? words.replace : words.upload}
        </Button>
        {url && (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={`${words.remove}: ${label}`}
            onClick={() => ask(true)}
          >
            {words.remove}
          </Button>
        )}
      </div>
      {dialog}
    </figure>
  );
}
