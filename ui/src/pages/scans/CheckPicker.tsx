/** Which checks run: groups that open to their checks, each to run only or to skip. All of it is native controls. */
import { TextInput } from "@mantine/core";
import { ChevronDown, ChevronRight, X } from "lucide-react";
import { type KeyboardEvent, useId, useMemo, useState } from "react";
import type { CheckSummary } from "../../api/model";
import { SeverityMark } from "../../components/marks";
import { type CheckGroup, choose, covers, groupsOf, running } from "../../lib/check-choice";
import { t } from "../../strings";

const words = t.newScan.picker;

export interface CheckChoice {
  only: string[];
  skip: string[];
}

export function CheckPicker({
  checks,
  value,
  onChange,
  error,
}: {
  checks: readonly CheckSummary[];
  value: CheckChoice;
  onChange: (value: CheckChoice) => void;
  error?: string;
}) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState<readonly string[]>([]);
  const status = useId();
  const groups = useMemo(() => groupsOf(checks), [checks]);
  const needle = text.trim().toLowerCase();
  const matches = (check: CheckSummary) =>
    `${check.id} ${check.title} ${t.category[check.category] ?? check.category}`.toLowerCase().includes(needle);
  const shown = groups.filter((group) => !needle || group.checks.some(matches));
  const set = (list: "only" | "skip", group: CheckGroup, ids: readonly string[], on: boolean) => {
    onChange({
      ...value,
      [list]: choose(value[list], group, ids, on),
      // Asking for a check takes back that it is skipped; skipping one of a group that runs leaves the group.
      ...(list === "only" && on ? { skip: choose(value.skip, group, ids, false) } : {}),
    });
  };
  const chips = (["only", "skip"] as const).flatMap((list) => value[list].map((entry) => ({ list, entry })));
  return (
    <fieldset aria-describedby={status}>
      <legend>{words.legend}</legend>
      <p className="small muted" style={{ marginBottom: 8 }}>
        {words.hint}
      </p>
      {chips.length > 0 && (
        <div className="chips" style={{ marginBottom: 8 }}>
          {chips.map(({ list, entry }) => (
            <span key={`${list} ${entry}`} className="chip">
              {list === "only" ? words.onlyChip : words.skipChip} <span className="mono">{entry}</span>
              <button
                type="button"
                aria-label={t.table.remove(list === "only" ? words.onlyChip : words.skipChip, entry)}
                onClick={() => onChange({ ...value, [list]: value[list].filter((one) => one !== entry) })}
              >
                <X aria-hidden />
              </button>
            </span>
          ))}
          <button type="button" className="linkbtn" onClick={() => onChange({ only: [], skip: [] })}>
            {words.clear}
          </button>
        </div>
      )}
      <TextInput
        aria-label={words.search}
        placeholder={words.search}
        value={text}
        autoComplete="off"
        spellCheck={false}
        error={error}
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        onChange={(event) => setText(event.target.value)}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <section className="checklist" aria-label={words.legend} tabIndex={0} onKeyDown={walk}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.checkOrGroup}</th>
              <th scope="col">{words.run}</th>
              <th scope="col">{words.skip}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((group) => {
              const isOpen = needle !== "" || open.includes(group.pattern);
              return [
                <GroupRow
                  key={group.pattern}
                  group={group}
                  value={value}
                  isOpen={isOpen}
                  fixed={needle !== ""}
                  onToggle={() =>
                    setOpen(isOpen ? open.filter((one) => one !== group.pattern) : [...open, group.pattern])
                  }
                  onSet={set}
                />,
                ...(isOpen ? group.checks.filter((check) => !needle || matches(check)) : []).map((check) => (
                  <tr key={check.id}>
                    <th scope="row">
                      <span className="member">
                        <span className="mono small">{check.id}</span>
                        <span className="small muted">{check.title}</span>
                      </span>
                      <SeverityMark value={check.severity} />
                    </th>
                    <Box
                      column="only"
                      label={words.runOf(check.id)}
                      checked={covers(value.only, check.id)}
                      onChange={(on) => set("only", group, [check.id], on)}
                    />
                    <Box
                      column="skip"
                      label={words.skipOf(check.id)}
                      checked={covers(value.skip, check.id)}
                      onChange={(on) => set("skip", group, [check.id], on)}
                    />
                  </tr>
                )),
              ];
            })}
          </tbody>
        </table>
      </section>
      <p id={status} className="small muted" role="status">
        {shown.length === 0 ? words.none : words.of(running(checks, value.only, value.skip).length, checks.length)}
      </p>
    </fieldset>
  );
}

function GroupRow({
  group,
  value,
  isOpen,
  fixed,
  onToggle,
  onSet,
}: {
  group: CheckGroup<CheckSummary>;
  value: CheckChoice;
  isOpen: boolean;
  /** Open because of the search, so that there is nothing to press. */
  fixed: boolean;
  onToggle: () => void;
  onSet: (list: "only" | "skip", group: CheckGroup, ids: readonly string[], on: boolean) => void;
}) {
  const ids = group.checks.map((check) => check.id);
  const state = (list: "only" | "skip") => {
    const count = ids.filter((id) => covers(value[list], id)).length;
    return { checked: count === ids.length, mixed: count > 0 && count < ids.length };
  };
  const subjects = [...new Set(group.checks.map((check) => t.category[check.category] ?? check.category))].join(", ");
  return (
    <tr className="group">
      <th scope="row">
        <button type="button" aria-expanded={isOpen} disabled={fixed} onClick={onToggle}>
          {isOpen ? <ChevronDown aria-hidden /> : <ChevronRight aria-hidden />}
          <span className="mono">{group.pattern}</span>
          <span className="small muted">
            {subjects}, {t.newScan.checks(ids.length)}
          </span>
        </button>
      </th>
      {(["only", "skip"] as const).map((list) => (
        <Box
          key={list}
          column={list}
          label={list === "only" ? words.runOf(group.pattern) : words.skipOf(group.pattern)}
          {...state(list)}
          onChange={(on) => onSet(list, group, ids, on)}
        />
      ))}
    </tr>
  );
}

function Box({
  column,
  label,
  checked,
  mixed = false,
  onChange,
}: {
  column: string;
  label: string;
  checked: boolean;
  mixed?: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <td>
      <label>
        <input
          ref={(input) => {
            if (input) input.indeterminate = mixed;
          }}
          type="checkbox"
          data-column={column}
          aria-label={label}
          checked={checked}
          onChange={(event) => onChange(event.target.checked)}
        />
      </label>
    </td>
  );
}

/** Up and down go to the same column of the next row, so that a long list is not walked by Tab alone. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const at = event.target as HTMLElement;
  if (step === 0 || at === event.currentTarget) return;
  const of = at instanceof HTMLInputElement ? `input[data-column="${at.dataset.column}"]` : "th button:not(:disabled)";
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>(of)];
  const next = all[all.indexOf(at) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
