import type { ReactNode } from "react";
import { SETTINGS } from "../app/places";
import { t } from "../strings";
import { Section } from "./Section";

export function SettingsPage({
  actions,
  wide = false,
  children,
}: {
  actions?: ReactNode;
  /** Lists use the whole width; forms are easier to read in a column. */
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <Section title={t.settings.title} label={t.settings.sections} places={SETTINGS} actions={actions}>
      <div className="stack" style={wide ? undefined : { maxWidth: 960 }}>
        {children}
      </div>
    </Section>
  );
}
