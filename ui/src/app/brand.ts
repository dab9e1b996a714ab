/** The organisation's own name, pictures and accent, once they are known; until then, and without any, Bartizan's. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import type { Branding } from "../api/model";
import { brandingQuery, meQuery } from "../api/queries";
import { session } from "../api/session";
import { t } from "../strings";
import { useScheme } from "./theme-choice";

const ICON = "/ui/favicon.svg";

/** The branding of where one is signed in; before that, of the sign-in page. */
export function useBranding(): Branding | undefined {
  const signedIn = useSyncExternalStore(session.subscribe, session.exists);
  const me = useQuery({ ...meQuery, enabled: signedIn });
  const organization = signedIn ? me.data?.organization.id : undefined;
  const query = useQuery({ ...brandingQuery(organization ?? null), enabled: !signedIn || organization !== undefined });
  return query.data?.branding;
}

export function useProduct(): string {
  return useBranding()?.product_name ?? t.product;
}

/** Names the window. Runs after each change of what it says. */
export function usePageTitle(title: string | undefined): void {
  const product = useProduct();
  useEffect(() => {
    document.title = title ? `${title} · ${product}` : product;
  }, [title, product]);
}

/** Puts accent and icon into the document. The server accepts only accents that are readable on both grounds. */
export function useBrandStyle(): void {
  const branding = useBranding();
  const scheme = useScheme();
  const accent = scheme === "dark" ? branding?.accent_color_dark : branding?.accent_color;
  useEffect(() => {
    const { style } = document.documentElement;
    if (accent) {
      style.setProperty("--accent", accent);
      style.setProperty(
        "--accent-hover",
        `color-mix(in srgb, ${accent} 85%, ${scheme === "dark" ? "white" : "black"})`,
      );
    } else {
      style.removeProperty("--accent");
      style.removeProperty("--accent-hover");
    }
  }, [accent, scheme]);
  const favicon = branding?.favicon;
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (!link) return;
    link.type = favicon ? "image/png" : "image/svg+xml";
    link.href = favicon ?? ICON;
  }, [favicon]);
}
