/** Certificates to be believed beside the public ones, folded away where there are none. */
import { Textarea, type TextareaProps } from "@mantine/core";
import { t } from "../strings";

export function Certificates(field: TextareaProps) {
  return (
    <details open={field.value !== "" || field.error !== undefined}>
      <summary>{t.mail.more}</summary>
      <Textarea mt={8} label={t.mail.ca} description={t.mail.caHint} className="monoinput" rows={5} {...field} />
    </details>
  );
}
