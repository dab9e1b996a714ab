/** axe on every page and every state of overlay, in both themes; the frame of a page for assistive technology. */

import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type App, Client, context, faultySite, signIn, start, Watch } from "./support";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let app: App;
let site: { port: number; server: Server };
let scan: number;

beforeAll(async () => {
  app = await start();
});

afterAll(async () => {
  site?.server.close();
  await app?.stop();
});

interface Violation {
  id: string;
  help: string;
  nodes: { target: unknown; failureSummary?: string }[];
}

/** Injected as an evaluated string, which the page's CSP does not concern. */
async function axe(page: Page): Promise<string[]> {
  const source = await import("node:fs/promises").then((fs) => fs.readFile(AXE, "utf8"));
  await page.evaluate(source);
  const violations = (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations)",
  )) as Violation[];
  return violations.flatMap((violation) =>
    violation.nodes.map(
      (node) => `${violation.id}: ${JSON.stringify(node.target)} ${node.failureSummary ?? violation.help}`,
    ),
  );
}

type Visit = [name: string, path: () => string, act?: (page: Page) => Promise<void>];

const row = (page: Page) => page.locator("tbody tr[data-row]").first();

const PAGES: Visit[] = [
  ["overview", () => "/ui/"],
  ["findings", () => "/ui/findings", (page) => row(page).waitFor()],
  [
    "findings, nothing matches",
    () => "/ui/findings?q=no-such-thing",
    (page) => page.getByText("Nothing matches").waitFor(),
  ],
  [
    "finding in the drawer",
    () => "/ui/findings",
    async (page) => {
      await row(page).click();
      await page.locator("aside.drawer").getByText("Found for the first time").waitFor();
    },
  ],
  [
    "finding page",
    () => "/ui/findings",
    async (page) => {
      const href = await page.locator("a.cell-title").first().getAttribute("href");
      await page.goto(new URL(href ?? "", page.url()).href);
      await page.getByText("Found for the first time").waitFor();
    },
  ],
  [
    "bulk bar and its dialog",
    () => "/ui/findings",
    async (page) => {
      await row(page).waitFor();
      await page.getByLabel("Select all on this page").check();
      await page.locator(".bulkbar").getByRole("button", { name: "Change status" }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  [
    "filter menu",
    () => "/ui/findings",
    async (page) => {
      await row(page).waitFor();
      await page.getByRole("button", { name: "Severity" }).first().click();
      await page.getByLabel("Critical").waitFor();
    },
  ],
  [
    "menu of the columns",
    () => "/ui/findings",
    async (page) => {
      await row(page).waitFor();
      await page.getByRole("button", { name: "Columns", exact: true }).click();
      await page.getByRole("menuitemcheckbox").first().waitFor();
    },
  ],
  ["assets", () => "/ui/assets", (page) => row(page).waitFor()],
  ["add asset", () => "/ui/assets?do=add", (page) => page.getByRole("dialog").waitFor()],
  ["import", () => "/ui/assets?do=import", (page) => page.getByRole("dialog").waitFor()],
  [
    "asset in the drawer",
    () => "/ui/assets",
    async (page) => {
      await row(page).click();
      await page.locator("aside.drawer").getByText("Findings of this asset").waitFor();
    },
  ],
  ["scans", () => "/ui/scans", (page) => row(page).waitFor()],
  ["new scan", () => "/ui/scans/new", (page) => page.getByText("Local site").first().waitFor()],
  [
    "new scan with a choice of checks",
    () => "/ui/scans/new",
    async (page) => {
      await page.getByRole("radio", { name: /Custom/ }).check();
      await page.getByRole("button", { name: "tls.* TLS" }).click();
      await page.getByLabel("Skip tls.v10").check();
      await page.getByLabel("Other targets").fill("127.0.0.1:8443");
      await page.getByRole("button", { name: "Remove filter Skip tls.v10" }).waitFor();
    },
  ],
  [
    "evidence with a table",
    () => "/ui/findings?check_id=cookie.no_httponly",
    async (page) => {
      await row(page).click();
      await page.locator("aside.drawer").getByRole("table", { name: "Cookies" }).waitFor();
    },
  ],
  ["scan, progress", () => `/ui/scans/${scan}?tab=progress`],
  ["scan, results", () => `/ui/scans/${scan}?tab=results`, (page) => row(page).waitFor()],
  ["scan, findings", () => `/ui/scans/${scan}?tab=findings`, (page) => row(page).waitFor()],
  ["scan, plan", () => `/ui/scans/${scan}?tab=plan`, (page) => page.getByRole("table", { name: "Plan" }).waitFor()],
  ["scan, files", () => `/ui/scans/${scan}?tab=files`],
  ["schedules", () => "/ui/scans/schedules", (page) => row(page).waitFor()],
  [
    "schedule in the drawer",
    () => "/ui/scans/schedules",
    async (page) => {
      await row(page).click();
      await page.locator("aside.drawer").getByText("It has not run yet").waitFor();
    },
  ],
  ["new schedule", () => "/ui/scans/schedules?do=add", (page) => page.locator(".preview strong").waitFor()],
  ["settings", () => "/ui/settings", (page) => page.getByLabel("Allow private targets").waitFor()],
  [
    "settings, account",
    () => "/ui/settings/account",
    (page) => page.getByRole("table", { name: "Open sessions" }).waitFor(),
  ],
  [
    "second factor",
    () => "/ui/settings/account",
    async (page) => {
      await page.getByRole("button", { name: "Set up" }).click();
      await page.getByRole("dialog").getByLabel("Your password").fill(ADMIN.password);
      await page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
      await page.getByRole("dialog").locator("svg.qr").waitFor();
    },
  ],
  [
    "settings, team",
    () => "/ui/settings/team",
    (page) => page.getByRole("cell", { name: "admin@example.com" }).waitFor(),
  ],
  [
    "member in the drawer, with a link for a new password",
    () => "/ui/settings/team",
    async (page) => {
      await page.getByRole("button", { name: "Manage guest" }).click();
      await page.locator("aside.drawer").getByRole("button", { name: "Make a link" }).click();
      await page.locator("aside.drawer .copybox").waitFor();
    },
  ],
  [
    "change of a member",
    () => "/ui/settings/team",
    async (page) => {
      await page.getByRole("button", { name: "Manage guest" }).click();
      await page.locator("aside.drawer").getByRole("button", { name: "Change" }).click();
      await page.getByRole("dialog").getByLabel("E-mail").waitFor();
    },
  ],
  [
    "new member",
    () => "/ui/settings/team?do=add",
    async (page) => {
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Username").fill("guest two");
      await dialog.getByLabel("E-mail").fill("two@example.com");
      await dialog.getByLabel("Write one").check();
      await dialog.getByLabel("Password", { exact: true }).fill("password");
      await dialog.getByRole("button", { name: "Add", exact: true }).click();
      await dialog.getByText("among the most common").waitFor();
    },
  ],
  ["API keys of everybody", () => "/ui/settings/api-keys", (page) => row(page).waitFor()],
  [
    "API key in the drawer",
    () => "/ui/settings/api-keys",
    async (page) => {
      await page.getByText("pipeline").click();
      await page.locator("aside.drawer").getByText("See scans and their results").waitFor();
    },
  ],
  [
    "roles",
    () => "/ui/settings/roles",
    (page) => page.getByRole("button", { name: "Show what Admin may do" }).waitFor(),
  ],
  [
    "what a role may do",
    () => "/ui/settings/roles",
    async (page) => {
      await page.getByRole("button", { name: "Show what Admin may do" }).click();
      await page.getByRole("dialog").getByText("Without effect in this version").click();
    },
  ],
  [
    "new role",
    () => "/ui/settings/roles",
    async (page) => {
      await page.getByRole("button", { name: "New role", exact: true }).click();
      await page.getByRole("dialog").getByText("Without effect in this version").click();
      await page.getByRole("button", { name: "Create role" }).click();
      await page.getByText("Choose at least one thing it may do.").waitFor();
    },
  ],
  [
    "settings, sign-in",
    () => "/ui/settings/sign-in",
    async (page) => {
      await page.getByRole("button", { name: "Add a group" }).first().click();
      await page.getByLabel("Group 1", { exact: true }).waitFor();
    },
  ],
  ["settings, mail", () => "/ui/settings/mail", (page) => page.getByLabel("Sender's address").waitFor()],
  ["settings, branding", () => "/ui/settings/branding", (page) => page.getByText("Logo, dark theme").waitFor()],
  ["settings, system", () => "/ui/settings/system", (page) => row(page).waitFor()],
  [
    "kinds of jobs to choose from",
    () => "/ui/settings/system",
    async (page) => {
      await row(page).waitFor();
      await page.getByRole("button", { name: "Job", exact: true }).click();
      await page.getByLabel("Housekeeping").waitFor();
    },
  ],
  [
    "job in the drawer",
    () => "/ui/settings/system",
    async (page) => {
      await row(page).click();
      await page.locator("aside.drawer dl").waitFor();
    },
  ],
  ["audit log", () => "/ui/settings/audit", (page) => row(page).waitFor()],
  [
    "audit entry in the drawer",
    () => "/ui/settings/audit",
    async (page) => {
      await row(page).click();
      await page.locator("aside.drawer dl").waitFor();
    },
  ],
  [
    "menu of the theme",
    () => "/ui/",
    async (page) => {
      await page.getByRole("button", { name: "Theme", exact: true }).click();
      await page.getByRole("menuitemradio", { name: "Dark theme" }).waitFor();
    },
  ],
  [
    "palette",
    () => "/ui/",
    async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("option").first().waitFor();
    },
  ],
  [
    "help",
    () => "/ui/findings",
    async (page) => {
      await row(page).waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
    },
  ],
  ["no such page", () => "/ui/nowhere", (page) => page.getByText("There is no such page").waitFor()],
];

describe.each(["light", "dark"] as const)("before signing in, %s", (scheme) => {
  it("has no violation on setup, login and password reset", async () => {
    const page = await (await context(app, scheme)).newPage();
    if (scheme === "light") {
      await page.goto(`${app.base}/ui/setup`);
      await page.getByRole("heading", { name: "Set up Bartizan" }).waitFor();
      expect(await axe(page)).toEqual([]);
      const client = new Client(app.base);
      await client.setUp();
      site = await faultySite();
      scan = await client.scan([site.port]);
      await client.call("POST", "/api/users", {
        username: "guest",
        email: "guest@example.com",
        password: "a guest's long password",
        role: "analyst",
      });
      await client.call("POST", "/api/api-keys", { name: "pipeline", permissions: ["scans.view"] });
      await client.call("POST", "/api/schedules", {
        name: "Perimeter, weekly",
        cron: "0 2 * * 1",
        time_zone: "America/New_York",
        scan: { targets: ["127.0.0.1"] },
      });
    }
    await page.goto(`${app.base}/ui/login`);
    await page.getByLabel("Username").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.goto(`${app.base}/ui/forgot-password`);
    await page.getByLabel("E-mail").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.goto(`${app.base}/ui/reset-password#token=x`);
    await page.getByLabel("New password").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });
});

describe.each(["light", "dark"] as const)("signed in, %s", (scheme) => {
  let page: Page;
  let watch: Watch;

  beforeAll(async () => {
    page = await (await context(app, scheme)).newPage();
    watch = new Watch(page, app.base);
    await signIn(page, app.base);
  });

  afterAll(() => page.context().close());

  it.each(PAGES)("%s", async (_name, path, act) => {
    await page.goto(app.base + path());
    await page.locator("h1, h2").first().waitFor();
    await act?.(page);
    await page.waitForLoadState("networkidle").catch(() => undefined);
    expect(await axe(page)).toEqual([]);
  });

  it("obeys the theme of the system", async () => {
    const shown = await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    expect(shown).toBe(scheme);
  });

  it("keeps every control at 24 px or more", async () => {
    await page.goto(`${app.base}/ui/findings`);
    await row(page).waitFor();
    const small = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("button, select, input:not([type=checkbox]), .navlink, .pick label")]
        .filter((element) => element.offsetParent !== null && !element.closest("[aria-hidden=true]"))
        .map((element) => ({ box: element.getBoundingClientRect(), name: element.outerHTML.slice(0, 80) }))
        .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
        .map(({ box, name }) => `${Math.round(box.width)}×${Math.round(box.height)} ${name}`),
    );
    expect(small).toEqual([]);
  });

  // A phone, and a desktop at 200 % zoom (WCAG 2.2, 1.4.10 and 1.4.4).
  // Boxes do not depend on the theme.
  it.runIf(scheme === "light").each([390, 720])("fits a width of %i px", async (width) => {
    const before = page.viewportSize();
    await page.setViewportSize({ width, height: 800 });
    const paths = [
      "/ui/",
      "/ui/findings",
      "/ui/assets",
      "/ui/scans",
      "/ui/scans/new",
      `/ui/scans/${scan}`,
      "/ui/scans/schedules",
      "/ui/scans/schedules?do=add",
      "/ui/settings",
      "/ui/settings/account",
      "/ui/settings/team",
      "/ui/settings/team?do=add",
      "/ui/settings/api-keys",
      "/ui/settings/roles",
      "/ui/settings/sign-in",
      "/ui/settings/mail",
      "/ui/settings/branding",
      "/ui/settings/system",
      "/ui/settings/audit",
    ];
    for (const path of paths) {
      await page.goto(app.base + path);
      await page.locator("h1").first().waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(over, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
    }
    for (const path of ["/ui/findings", "/ui/assets"]) {
      await page.goto(app.base + path);
      await row(page).waitFor();
      const [head, first] = [await page.locator("thead").first().boundingBox(), await row(page).boundingBox()];
      expect(first?.y, `the header of ${path} covers its first row`).toBeGreaterThanOrEqual(
        (head?.y ?? 0) + (head?.height ?? 0) - 1,
      );
      const cell = await page.locator("thead th").first().boundingBox();
      expect(cell?.y, `the header cells of ${path} are out of place`).toBeCloseTo(head?.y ?? -1, 0);
    }
    if (before) await page.setViewportSize(before);
  });

  it("has its bars for maintenance and demo data in landmarks", async () => {
    const client = new Client(app.base);
    await client.logIn();
    await client.call("POST", "/api/demo");
    await client.call("PATCH", "/api/system/maintenance", { enabled: true, reason: "moving" });
    try {
      await page.goto(`${app.base}/ui/`);
      await page.locator(".demobar").nth(1).waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined);
      expect(await axe(page)).toEqual([]);
    } finally {
      await client.call("PATCH", "/api/system/maintenance", { enabled: false });
      await client.call("DELETE", "/api/demo");
    }
  });

  it("needs no exception from the content security policy", () => watch.check());
});
