/** A secret that the server keeps and never shows: what is written replaces it, and nothing written leaves it. */
import { PasswordInput, type PasswordInputProps } from "@mantine/core";
import { t } from "../strings";

export function KeptSecret({
  kept,
  value,
  onChange,
  ...rest
}: {
  /** Whether there is one. */
  kept: boolean;
  /** Null: the stored one stays. */
  value: string | null;
  onChange: (value: string) => void;
} & Omit<PasswordInputProps, "value" | "onChange">) {
  const stays = kept && value === null;
  return (
    <PasswordInput
      description={stays ? t.mail.passwordKept : t.mail.passwordHint}
      placeholder={stays ? "••••••••" : undefined}
      autoComplete="new-password"
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value)}
      {...rest}
    />
  );
}
