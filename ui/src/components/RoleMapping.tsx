/** Which group of a directory or provider becomes which role here. */
import { NativeSelect, TextInput } from "@mantine/core";
import { ArrowUp, X } from "lucide-react";
import { t } from "../strings";
import { Button } from "./Button";

export interface Mapping {
  group: string;
  role: string;
}

const words = t.signIn.mapping;

export function RoleMapping({
  value,
  roles,
  disabled,
  error,
  onChange,
}: {
  value: readonly Mapping[];
  roles: { value: string; label: string }[];
  disabled: boolean;
  error: string | undefined;
  onChange: (value: Mapping[]) => void;
}) {
  const set = (index: number, part: Partial<Mapping>) =>
    onChange(value.map((row, at) => (at === index ? { ...row, ...part } : row)));
  const up = (index: number) => {
    const rows = [...value];
    const [row] = rows.splice(index, 1);
    if (row) rows.splice(index - 1, 0, row);
    onChange(rows);
  };
  return (
    <fieldset className="form">
      <legend>{words.title}</legend>
      <p className="small muted">{words.text}</p>
      {value.length > 0 && (
        <ol className="mapping">
          {value.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place; two may be alike while one types
            <li key={index}>
              <TextInput
                aria-label={words.groupOf(index + 1)}
                placeholder={words.group}
                spellCheck={false}
                autoComplete="off"
                required
                maxLength={500}
                disabled={disabled}
                value={row.group}
                onChange={(event) => set(index, { group: event.target.value })}
              />
              <NativeSelect
                aria-label={words.roleOf(index + 1)}
                data={roles}
                disabled={disabled}
                value={row.role}
                onChange={(event) => set(index, { role: event.target.value })}
              />
              <span className="actions" style={{ flexWrap: "nowrap", gap: 2 }}>
                <button
                  type="button"
                  className="iconbtn"
                  aria-label={words.up(index + 1)}
                  disabled={disabled || index === 0}
                  onClick={() => up(index)}
                >
                  <ArrowUp aria-hidden />
                </button>
                <button
                  type="button"
                  className="iconbtn"
                  aria-label={words.remove(index + 1)}
                  disabled={disabled}
                  onClick={() => onChange(value.filter((_, at) => at !== index))}
                >
                  <X aria-hidden />
                </button>
              </span>
            </li>
          ))}
        </ol>
      )}
      {error && <p className="small st-fail">{error}</p>}
      {!disabled && (
        <div>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => onChange([...value, { group: "", role: roles[0]?.value ?? "read_only" }])}
          >
            {words.add}
          </Button>
        </div>
      )}
    </fieldset>
  );
}
