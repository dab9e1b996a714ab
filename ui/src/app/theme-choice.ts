import { useSyncExternalStore } from "react";

export type ThemeChoice = "system" | "light" | "dark";

const KEY = "bartizan.theme";
const listeners = new Set<() => void>();
const system = () => matchMedia("(prefers-color-scheme: dark)");

export function themeChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

export function scheme(): "light" | "dark" {
  const choice = themeChoice();
  if (choice !== "system") return choice;
  return system().matches ? "dark" : "light";
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  apply();
}

function apply(): void {
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme());
  for (const listener of listeners) listener();
}

/** Follows the system until a theme is chosen; returns what is shown. */
export function useScheme(): "light" | "dark" {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    const media = system();
    media.addEventListener("change", apply);
    return () => {
      listeners.delete(listener);
      media.removeEventListener("change", apply);
    };
  }, scheme);
}
