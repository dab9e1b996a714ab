/** ⌘K: go somewhere, find anything by name or number, act. Reads the action registry and asks the server. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState } from "react";
import { assetsQuery, findingsQuery } from "../api/queries";
import { SeverityMark } from "../components/marks";
import { t } from "../strings";
import { keyLabels, useRegistered } from "./actions";

interface Entry {
  id: string;
  group: string;
  text: string;
  hint?: React.ReactNode;
  run: () => void;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const actions = useRegistered();
  const list = useId();

  useEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 200);
    return () => clearTimeout(timer);
  }, [text]);

  const wanted = asked.length >= 2 && !asked.startsWith("#");
  const findings = useQuery({ ...findingsQuery({ page: 1, page_size: 5, search: asked }), enabled: wanted });
  const assets = useQuery({ ...assetsQuery({ page: 1, page_size: 5, search: asked }), enabled: wanted });

  const go = (to: string, search: Record<string, string> = {}) =>
    void navigate({ to: to as never, search: search as never });
  const needle = text.trim().toLowerCase();
  const number = /^#?(\d+)$/.exec(needle)?.[1];
  const entries: Entry[] = [
    ...(number
      ? [{ id: `scan-${number}`, group: "scan", text: t.scan.title(Number(number)), run: () => go(`/scans/${number}`) }]
      : []),
    ...actions
      .filter((action) => action.palette)
      .filter((action) => matches(needle, [action.title, ...(action.synonyms ?? [])]))
      .map((action) => ({
        id: action.id,
        group: action.palette as string,
        text: action.title,
        hint: action.keys?.[0] && <Keys keys={action.keys[0]} />,
        run: action.run,
      })),
    ...(wanted ? (assets.data?.data ?? []) : []).map((asset) => ({
      id: `asset-${asset.id}`,
      group: "asset",
      text: asset.name === asset.target_value ? asset.name : `${asset.name} · ${asset.target_value}`,
      run: () => go("/assets", { open: asset.id }),
    })),
    ...(wanted ? (findings.data?.data ?? []) : []).map((finding) => ({
      id: `finding-${finding.id}`,
      group: "finding",
      text: `${finding.title} · ${finding.asset}`,
      hint: <SeverityMark value={finding.severity} />,
      run: () => go("/findings", { open: finding.id }),
    })),
  ].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));

  const current = Math.min(at, Math.max(entries.length - 1, 0));
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    // After the dialog has given focus back.
    setTimeout(entry.run, 0);
  };

  return (
    <dialog
      ref={dialog}
      className="modal palette"
      aria-label={t.palette.label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={(event) => {
        if (event.key === "ArrowDown") setAt(Math.min(current + 1, entries.length - 1));
        else if (event.key === "ArrowUp") setAt(Math.max(current - 1, 0));
        else if (event.key === "Enter") run(entries[current]);
        else return;
        event.preventDefault();
      }}
    >
      <input
        role="combobox"
        aria-label={t.palette.placeholder}
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={entries[current] ? `${list}-${current}` : undefined}
        placeholder={t.palette.placeholder}
        value={text}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
      />
      <div className="sr" role="status">
        {needle && t.palette.results(entries.length)}
      </div>
      <div role="listbox" id={list} aria-label={t.palette.label}>
        {entries.map((entry, index) => (
          <div key={entry.id} role="presentation">
            {entries[index - 1]?.group !== entry.group && (
              <div className="group" role="presentation">
                {t.palette.groups[entry.group]}
              </div>
            )}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled in the field */}
            {/* biome-ignore lint/a11y/useFocusableInteractive: focus stays in the field */}
            <div
              role="option"
              id={`${list}-${index}`}
              aria-selected={index === current}
              onClick={() => run(entry)}
              onMouseMove={() => setAt(index)}
              ref={(element) => {
                if (index === current) element?.scrollIntoView({ block: "nearest" });
              }}
            >
              <span>{entry.text}</span>
              {entry.hint}
            </div>
          </div>
        ))}
        {entries.length === 0 && (
          <div className="group" role="option" aria-selected="false" aria-disabled="true" tabIndex={-1}>
            {t.palette.none}
          </div>
        )}
      </div>
    </dialog>
  );
}

const GROUPS = ["scan", "go", "act", "asset", "finding"];

function matches(needle: string, words: string[]): boolean {
  const text = words.join(" ").toLowerCase();
  return needle.split(/\s+/).every((part) => text.includes(part));
}

export function Keys({ keys }: { keys: string }) {
  return (
    <span className="nowrap">
      {keyLabels(keys).map((key, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a fixed sequence of keys
        <kbd key={index}>{key}</kbd>
      ))}
    </span>
  );
}
