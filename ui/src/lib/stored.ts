import { useCallback, useState } from "react";

/** A preference kept in this browser. Broken or missing values give `initial`. */
export function useStored<T>(key: string, initial: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    try {
      const text = localStorage.getItem(key);
      return text === null ? initial : (JSON.parse(text) as T);
    } catch {
      return initial;
    }
  });
  const store = useCallback(
    (next: T) => {
      setValue(next);
      try {
        localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // Storage is blocked: the preference lasts as long as the page.
      }
    },
    [key],
  );
  return [value, store];
}

/** Text being written, kept for this tab until it is sent, so that leaving and coming back loses nothing. */
export function useDraft(key: string): [string, (value: string) => void, () => void] {
  const name = `bartizan.draft.${key}`;
  const [value, setValue] = useState(() => {
    try {
      return sessionStorage.getItem(name) ?? "";
    } catch {
      return "";
    }
  });
  const store = (next: string) => {
    setValue(next);
    try {
      if (next) sessionStorage.setItem(name, next);
      else sessionStorage.removeItem(name);
    } catch {
      // Storage is blocked: the draft lasts as long as the page.
    }
  };
  return [value, store, () => store("")];
}
