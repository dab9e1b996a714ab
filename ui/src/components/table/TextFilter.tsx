/** A filter that is any text: the address is the truth, and follows what is typed with a little delay. */
import { useEffect, useId, useState } from "react";
import type { TableState } from "../../lib/url-state";

export function TextFilter({
  name,
  label,
  placeholder,
  type = "text",
  state,
  onState,
}: {
  name: string;
  label: string;
  placeholder?: string;
  type?: "text" | "date";
  state: TableState;
  onState: (change: Partial<TableState>, options?: { replace?: boolean }) => void;
}) {
  const id = useId();
  const asked = state.filters[name]?.[0] ?? "";
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    if (text.trim() === asked) return undefined;
    // Half a date is no date: the browser gives an empty value until it is whole.
    const timer = setTimeout(
      () => {
        const filters = { ...state.filters };
        if (text.trim()) filters[name] = [text.trim().replaceAll(",", " ")];
        else delete filters[name];
        onState({ filters }, { replace: true });
      },
      type === "date" ? 0 : 350,
    );
    return () => clearTimeout(timer);
  }, [text, asked, name, type, state.filters, onState]);
  return (
    <span className="textfilter">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={text}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
      />
    </span>
  );
}
