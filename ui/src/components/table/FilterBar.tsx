/** Filters of a table: a typed query, buttons for what is used most, and every active filter as a visible chip. */
import { Popover } from "@mantine/core";
import { ListFilter, Search as SearchIcon, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useActions } from "../../app/actions";
import { parseQuery, type TableState } from "../../lib/url-state";
import { t } from "../../strings";
import type { Filter } from "./types";

interface Props {
  filters: readonly Filter[];
  state: TableState;
  onState: (change: Partial<TableState>, options?: { replace?: boolean }) => void;
  /** In the place of the typed query. */
  lead?: ReactNode;
  children?: ReactNode;
}

export function FilterBar({ filters, state, onState, lead, children }: Props) {
  return (
    <>
      <div className="tablebar">
        {lead ?? <QueryInput filters={filters} state={state} onState={onState} />}
        {filters
          .filter((filter) => filter.button && filter.options)
          .map((filter) => (
            <FilterButton
              key={filter.name}
              filter={filter}
              chosen={state.filters[filter.name] ?? []}
              onChange={(values) => onState({ filters: { ...state.filters, [filter.name]: values } })}
            />
          ))}
        <span className="grow" />
        {children}
      </div>
      <Chips filters={filters} state={state} onState={onState} />
    </>
  );
}

function QueryInput({ filters, state, onState }: Props) {
  const [text, setText] = useState(state.q);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const known = filters.map((filter) => filter.name);

  // The address is the truth: Back and links change the field too.
  useEffect(() => setText(state.q), [state.q]);

  useEffect(() => {
    if (text === state.q || text.includes(":")) return undefined;
    const timer = setTimeout(() => onState({ q: text.trim() }, { replace: true }), 350);
    return () => clearTimeout(timer);
  }, [text, state.q, onState]);

  useActions([
    { id: "search", title: t.actions.search, keys: ["/"], section: "table", run: () => input.current?.focus() },
  ]);

  const submit = () => {
    const parsed = parseQuery(text, known);
    const merged = { ...state.filters };
    const leftover: string[] = [];
    for (const [name, values] of Object.entries(parsed.filters)) {
      const filter = filters.find((candidate) => candidate.name === name);
      const options = filter?.options;
      const valid = values.filter((value) => !options || options.some((option) => option.value === value));
      const invalid = values.filter((value) => !valid.includes(value));
      if (valid.length > 0) {
        merged[name] = filter?.single ? valid.slice(-1) : [...new Set([...(merged[name] ?? []), ...valid])];
      }
      leftover.push(...invalid.map((value) => `${name}:${value}`));
    }
    const q = [parsed.q, ...leftover].filter(Boolean).join(" ");
    setText(q);
    onState({ filters: merged, q });
  };

  const last = text.split(" ").pop() ?? "";
  const before = text.slice(0, text.length - last.length);
  const suggestions = filters
    .flatMap((filter) => (filter.options ?? []).map((option) => `${filter.name}:${option.value}`))
    .filter((suggestion) => last !== "" && suggestion !== last && suggestion.startsWith(last))
    .slice(0, 20);
  const example = filters.find((filter) => filter.options)?.name;
  const exampleValue = filters.find((filter) => filter.options)?.options?.[0]?.value;

  return (
    <form
      className="query"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <SearchIcon aria-hidden />
      <input
        ref={input}
        type="text"
        list={list}
        aria-label={t.table.searchLabel}
        placeholder={`${t.table.search}: ${t.table.searchHint} ${example}:${exampleValue}`}
        value={text}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          event.currentTarget.blur();
        }}
      />
      <datalist id={list}>
        {suggestions.map((suggestion) => (
          <option key={suggestion} value={before + suggestion} />
        ))}
      </datalist>
    </form>
  );
}

function FilterButton({
  filter,
  chosen,
  onChange,
}: {
  filter: Filter;
  chosen: readonly string[];
  onChange: (values: string[]) => void;
}) {
  const [open, setOpen] = useState(false);
  const options = filter.options ?? [];
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" trapFocus returnFocus>
      <Popover.Target>
        <button
          type="button"
          className="filterbtn"
          data-on={chosen.length > 0}
          onClick={() => setOpen((value) => !value)}
        >
          <ListFilter aria-hidden />
          {filter.label}
          {chosen.length > 0 && ` · ${chosen.length}`}
        </button>
      </Popover.Target>
      <Popover.Dropdown p={6} data-popover aria-label={filter.label}>
        <div className="popform">
          {(filter.single ? [{ value: null, label: t.table.any }, ...options] : options).map(({ value, label }) => (
            <Choice key={value} filter={filter} label={label} value={value} chosen={chosen} onChange={onChange} />
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

/** One of a filter's values; `null`: any, of values that exclude each other. */
function Choice({
  filter,
  label,
  value,
  chosen,
  onChange,
}: {
  filter: Filter;
  label: string;
  value: string | null;
  chosen: readonly string[];
  onChange: (values: string[]) => void;
}) {
  const others = filter.single ? [] : chosen.filter((other) => other !== value);
  return (
    <label>
      <input
        type={filter.single ? "radio" : "checkbox"}
        name={`filter-${filter.name}`}
        checked={value === null ? chosen.length === 0 : chosen.includes(value)}
        onChange={(event) => onChange(value !== null && event.target.checked ? [...others, value] : others)}
      />
      {label}
    </label>
  );
}

function Chips({ filters, state, onState }: Props) {
  const chips = Object.entries(state.filters).flatMap(([name, values]) => {
    const filter = filters.find((candidate) => candidate.name === name);
    return values.map((value) => ({
      name,
      value,
      label: filter?.label ?? name,
      text: filter?.options?.find((option) => option.value === value)?.label ?? value,
    }));
  });
  if (chips.length === 0 && !state.q) return null;
  return (
    <div className="chips">
      {chips.map((chip) => (
        <span key={`${chip.name}:${chip.value}`} className="chip">
          <b>{chip.label}</b> {chip.text}
          <button
            type="button"
            aria-label={t.table.remove(chip.label, chip.text)}
            onClick={() =>
              onState({
                filters: {
                  ...state.filters,
                  [chip.name]: (state.filters[chip.name] ?? []).filter((value) => value !== chip.value),
                },
              })
            }
          >
            <X aria-hidden />
          </button>
        </span>
      ))}
      {state.q && (
        <span className="chip">
          “{state.q}”
          <button type="button" aria-label={t.table.remove("text", state.q)} onClick={() => onState({ q: "" })}>
            <X aria-hidden />
          </button>
        </span>
      )}
      <button type="button" className="linkbtn" onClick={() => onState({ filters: {}, q: "" })}>
        {t.common.clear}
      </button>
    </div>
  );
}
