// Sets the colour scheme before the first paint. `bartizan.theme` is `light`, `dark` or absent (follow the system).
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("bartizan.theme");
  } catch {
    // Storage is blocked: follow the system.
  }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
