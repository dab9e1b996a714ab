/**
 * The one registry of actions. Buttons, keys, the command palette and the shortcut help all read it; a page adds
 * its own with `useActions` for as long as it is shown.
 */
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Action {
  id: string;
  title: string;
  /** `?`, `mod+k`, `g o` (a sequence). */
  keys?: string[];
  section: "global" | "table" | "drawer";
  /** Where the palette lists it; left out: keys only. */
  palette?: "go" | "act";
  /** Other words people look for. */
  synonyms?: string[];
  run: () => void;
}

const actions = new Map<string, Action[]>();
const listeners = new Set<() => void>();
let snapshot: Action[] = [];

function publish(): void {
  // The latest registration of an id wins: a drawer's `close` stands over the table's.
  snapshot = [...actions.values()].map((stack) => stack[stack.length - 1]).filter((action) => action !== undefined);
  for (const listener of listeners) listener();
}

export function register(list: readonly Action[]): () => void {
  for (const action of list) actions.set(action.id, [...(actions.get(action.id) ?? []), action]);
  publish();
  return () => {
    for (const action of list) {
      const rest = (actions.get(action.id) ?? []).filter((other) => other !== action);
      if (rest.length > 0) actions.set(action.id, rest);
      else actions.delete(action.id);
    }
    publish();
  };
}

export function registered(): Action[] {
  return snapshot;
}

export function useRegistered(): Action[] {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, registered);
}

/** Registers while mounted. `run` always sees the latest render; ids, keys and titles are read once per `signature`. */
export function useActions(list: readonly Action[]): void {
  const latest = useRef(list);
  latest.current = list;
  const signature = list.map((action) => `${action.id}\u0000${action.title}`).join("\u0001");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the list
  useEffect(
    () =>
      register(
        latest.current.map((action) => ({
          ...action,
          run: () => latest.current.find((other) => other.id === action.id)?.run(),
        })),
      ),
    [signature],
  );
}

export const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** Keys of a chord or sequence as they are shown. */
export function keyLabels(keys: string): string[] {
  return keys.split(" ").flatMap((chord) =>
    chord.split("+").map((key) => {
      if (key === "mod") return isMac ? "⌘" : "Ctrl";
      return key.length === 1 ? key.toUpperCase() : key;
    }),
  );
}

const KEYS_OFF = "bartizan.keys";

export const singleKeys = {
  on: (): boolean => {
    try {
      return localStorage.getItem(KEYS_OFF) !== "off";
    } catch {
      return true;
    }
  },
  set(on: boolean): void {
    try {
      if (on) localStorage.removeItem(KEYS_OFF);
      else localStorage.setItem(KEYS_OFF, "off");
    } catch {
      // Storage is blocked; the choice cannot be kept.
    }
  },
};

/** Turns key presses into actions. Returned as a class so that the sequence logic is testable without a browser. */
export class KeyReader {
  private pending = "";
  private since = 0;

  /** The action for this press, `"pending"` inside a sequence, or null. */
  read(
    event: { key: string; ctrl: boolean; meta: boolean; alt: boolean; shift: boolean; typing: boolean; at: number },
    list: readonly Action[],
    single = true,
  ): Action | "pending" | null {
    if (event.alt) return null;
    const mod = isMac ? event.meta : event.ctrl;
    const key =
      event.key.length === 1
        ? event.shift && /[a-z]/i.test(event.key)
          ? event.key
          : event.key.toLowerCase()
        : event.key;
    if (mod) return list.find((action) => action.keys?.includes(`mod+${key}`)) ?? null;
    if (event.ctrl || event.meta) return null;
    if (key === "Escape") {
      this.pending = "";
      return list.find((action) => action.keys?.includes("Esc")) ?? null;
    }
    if (event.typing || !single) return null;
    const chain = this.pending && event.at - this.since < 1200 ? `${this.pending} ${key}` : key;
    this.pending = "";
    const found = list.find((action) => action.keys?.includes(chain));
    if (found) return found;
    if (list.some((action) => action.keys?.some((keys) => keys.startsWith(`${key} `)))) {
      this.pending = key;
      this.since = event.at;
      return "pending";
    }
    return list.find((action) => action.keys?.includes(key)) ?? null;
  }
}

/** Whether a key press belongs to the element: something is typed or chosen there. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "file"].includes(target.type);
}

/** Listens for keys for the whole page. */
export function useKeys(): void {
  useEffect(() => {
    const reader = new KeyReader();
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      // A dialog is a place of its own: the browser closes it on Esc, and page keys wait.
      if (document.querySelector("dialog[open]")) return;
      if (event.target instanceof HTMLElement && event.target.closest('[role="menu"],[data-popover]')) return;
      // Enter on a control is that control's.
      if (
        event.key === "Enter" &&
        event.target instanceof HTMLElement &&
        event.target.closest("a,button,input,summary")
      )
        return;
      const hit = reader.read(
        {
          key: event.key,
          ctrl: event.ctrlKey,
          meta: event.metaKey,
          alt: event.altKey,
          shift: event.shiftKey,
          typing: isTyping(event.target),
          at: event.timeStamp,
        },
        snapshot,
        singleKeys.on(),
      );
      if (!hit) return;
      if (hit !== "pending") {
        event.preventDefault();
        hit.run();
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}
