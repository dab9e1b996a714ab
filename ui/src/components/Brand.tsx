import { useBranding } from "../app/brand";
import { useScheme } from "../app/theme-choice";
import { t } from "../strings";

/** The mark: a turret with its battlements. */
export function Mark() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden>
      <path d="M5 3h3v2.5h2.500V3h3v2.500H16V3h3v7.500l-2 2V18l-5 3.500L7 18v-5.500l-2-2z" />
    </svg>
  );
}

/** Mark and name, or the organisation's logo, which holds its name already. */
export function Brand({
  folds = false,
}: {
  /** Stands in the menu, which may be too narrow for a logo: then its icon stands for it. */
  folds?: boolean;
}) {
  const branding = useBranding();
  const scheme = useScheme();
  const name = branding?.product_name ?? t.product;
  const logo = scheme === "dark" ? branding?.logo_dark : branding?.logo_light;
  const icon = branding?.favicon ? <img className="logo" src={branding.favicon} alt="" /> : <Mark />;
  if (logo) {
    return (
      <>
        <img className="logo full" src={logo} alt={name} />
        {folds && <span className="folded">{icon}</span>}
      </>
    );
  }
  return (
    <>
      {icon}
      <span className="label">{name}</span>
    </>
  );
}
