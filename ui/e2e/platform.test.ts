/** People, keys, second factor, schedules, the server itself: each page does what it says, seen by the API as well. */

import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type App, begin, type Client, context, enter, said, signIn, until, type Watch } from "./support";
import { totp } from "./totp";

let app: App;
let client: Client;
let page: Page;
let watch: Watch;

const PASSWORD = "a guest's long password";

beforeAll(async () => {
  ({ app, client, page, watch } = await begin());
});

afterAll(async () => {
  await app?.stop();
});

describe("team", () => {
  it("invites somebody, who joins and is listed", async () => {
    await page.goto(`${app.base}/ui/settings/team`);
    await page.getByLabel("E-mail").fill("guest@example.com");
    await page.getByRole("combobox", { name: "Role", exact: true }).selectOption("read_only");
    await page.getByRole("button", { name: "Invite" }).click();
    const link = await page.locator(".copybox pre").textContent();
    expect(link).toContain("/ui/invitation#");

    const other = await (await context(app)).newPage();
    await other.goto(link ?? "");
    await other.getByRole("heading", { name: "Join Example Ltd" }).waitFor();
    await other.getByLabel("Username").fill("guest");
    await other.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await other.getByRole("button", { name: "Create the account and sign in" }).click();
    await other.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    expect(other.url()).not.toContain("#");

    // What the role may not see is not offered, and not shown to who knows the address.
    await other.goto(`${app.base}/ui/settings`);
    const tabs = other.getByRole("navigation", { name: "Settings sections" });
    await tabs.getByRole("link", { name: "Account" }).waitFor();
    expect(await tabs.getByRole("link", { name: "Team" }).count()).toBe(0);
    await other.goto(`${app.base}/ui/settings/team`);
    await other.getByText("Your role does not show this page").waitFor();
    await other.context().close();
  });

  it("changes a role at once, and removes with a question", async () => {
    await page.reload();
    await page.getByLabel("Role of guest").selectOption("analyst");
    await said(page, "Saved");
    const members = await client.call<{ data: { username: string; role: string }[] }>("GET", "/api/members");
    expect(members.data.find((member) => member.username === "guest")?.role).toBe("analyst");
    await page.getByRole("button", { name: "Manage guest" }).click();
    await page.locator("aside.drawer").getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await said(page, "guest was removed");
    await page.locator("aside.drawer").waitFor({ state: "detached" });
    await page.getByLabel("Role of guest").waitFor({ state: "detached" });
  });
});

describe("API keys", () => {
  it("shows a key once; it works narrowed, and stops when it is revoked", async () => {
    await page.goto(`${app.base}/ui/settings/account`);
    await page.getByLabel("Name", { exact: true }).fill("pipeline");
    await page.getByLabel("May do").selectOption("read");
    await page.getByRole("button", { name: "Make a key" }).click();
    const key = (await page.locator(".copybox pre").textContent()) ?? "";
    const ask = (method: string, path: string) =>
      fetch(app.base + path, { method, headers: { "X-API-Key": key } }).then((answer) => answer.status);
    expect(await ask("GET", "/api/assets")).toBe(200);
    expect(await ask("DELETE", "/api/demo")).toBe(403);
    await page.getByRole("button", { name: "Revoke pipeline" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await said(page, "is revoked");
    expect(await ask("GET", "/api/assets")).toBe(401);
  });
});

describe("second factor", () => {
  let recovery: string[] = [];

  it("is set up with a code, and gives recovery codes once", async () => {
    await page.goto(`${app.base}/ui/settings/account`);
    await page.getByRole("button", { name: "Set up" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Your password").fill("not the password");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Your password").fill(ADMIN.password);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByRole("img", { name: "QR code for an authenticator app" }).waitFor();
    const secret = (await dialog.locator(".copybox pre").textContent()) ?? "";
    await dialog.getByLabel("Code the app shows").fill("000000");
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Code the app shows").fill(totp(secret, Date.now()));
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("dialog", { name: "Recovery codes" }).waitFor();
    recovery = await dialog.locator("li").allTextContents();
    expect(recovery.length).toBeGreaterThanOrEqual(8);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      dialog.getByRole("button", { name: "Download" }).click(),
    ]);
    expect((await readFile(await download.path(), "utf8")).trim().split("\n")).toEqual(recovery);
    // Closed by nothing but the word that they are kept.
    await page.keyboard.press("Escape");
    expect(await dialog.getByRole("button", { name: "Done" }).isDisabled()).toBe(true);
    await dialog.getByLabel("I have kept the codes").check();
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByText("Recovery codes left").waitFor();
  });

  it("asks for a code at sign-in, and takes a recovery code", async () => {
    await page.getByRole("button", { name: `Account ${ADMIN.username}` }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await enter(page);
    const code = page.getByLabel("Code of your second factor");
    await code.waitFor();
    await until("the field has the focus", () => code.evaluate((field) => field === document.activeElement), 5);
    await code.fill(recovery[0] ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".side").waitFor();
  });

  it("is switched off with the password", async () => {
    await page.goto(`${app.base}/ui/settings/account`);
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.getByRole("dialog").getByLabel("Your password").fill(ADMIN.password);
    await page.getByRole("dialog").getByRole("button", { name: "Switch off" }).click();
    await said(page, "The second factor is off");
    await page.getByRole("button", { name: "Set up" }).waitFor();
  });
});

describe("the session of a page", () => {
  it("goes on when a page is left before the answer to its refresh came", async () => {
    const other = await (await context(app)).newPage();
    await signIn(other, app.base);
    expect(await other.evaluate(() => [Object.keys(sessionStorage), Object.keys(localStorage)].flat())).not.toContain(
      "bartizan.access",
    );
    // The server has exchanged the token, and the browser never hears of it.
    let lost = 0;
    await other.route("**/api/auth/refresh", async (route) => {
      await route.fetch();
      lost += 1;
      await route.abort();
    });
    await other.reload();
    await until("an answer was lost", async () => lost > 0, 10);
    await other.unroute("**/api/auth/refresh");
    await other.reload();
    await other.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    // And again after an ordinary exchange.
    await other.reload();
    await other.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await other.context().close();
  });
});

describe("schedules", () => {
  it("previews while one types, and says what is wrong", async () => {
    await page.goto(`${app.base}/ui/scans/schedules`);
    await page.getByText("No schedules yet").waitFor();
    await page.getByRole("button", { name: "New schedule" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New schedule" });
    await dialog.getByLabel("How often").selectOption("0 2 * * 1");
    await dialog.getByLabel("Time zone").fill("Europe/Berlin");
    await dialog.locator(".preview").getByText("Monday").waitFor();
    expect(await dialog.locator(".preview li").count()).toBe(5);
    await dialog.getByLabel("Cron expression").fill("0 2 * * 9");
    await dialog.locator(".preview").getByText("is not a cron expression").waitFor();
    await dialog.getByLabel("Cron expression").fill("0 2 1 * 1");
    await dialog.getByLabel("Day of the month and day of the week").waitFor();
    await dialog.getByLabel("Cron expression").fill("0 2 * * 1");
  });

  it("is created, run now, and keeps a history", async () => {
    const dialog = page.getByRole("dialog", { name: "New schedule" });
    await dialog.getByLabel("Name", { exact: true }).fill("Perimeter");
    await dialog.getByRole("button", { name: "Create schedule" }).click();
    await dialog.getByText("Choose at least one asset or write a target.").waitFor();
    await dialog.getByLabel("Other targets").fill("127.0.0.1");
    await dialog.getByLabel("I am allowed to scan these targets").check();
    await dialog.getByRole("button", { name: "Create schedule" }).click();
    const drawer = page.locator("aside.drawer");
    await drawer.getByRole("heading", { name: "Perimeter" }).waitFor();
    await drawer.getByRole("button", { name: "Run now" }).click();
    await said(page, /Scan #\d+ was queued/);
    await drawer.getByRole("table", { name: "History" }).getByText("by hand").waitFor();
  });

  it("is edited, paused and deleted", async () => {
    const drawer = page.locator("aside.drawer");
    await drawer.getByRole("button", { name: "Edit" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit schedule" });
    await dialog.getByLabel("Name", { exact: true }).fill("Perimeter, weekly");
    await dialog.getByLabel("While the scan before still runs").selectOption("queue");
    await dialog.getByRole("button", { name: "Save" }).click();
    await said(page, "was saved");
    await drawer.getByText("wait, then run once").waitFor();
    await drawer.getByRole("button", { name: "Pause" }).click();
    await said(page, "is paused");
    await page.locator("tbody tr[data-row]").getByText("Paused").first().waitFor();
    await drawer.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No schedules yet").waitFor();
  });
});

describe("system", () => {
  it("shows health and jobs", async () => {
    await page.goto(`${app.base}/ui/settings/system`);
    await page.getByText("Everything works").waitFor();
    await page.getByRole("button", { name: "State" }).click();
    await page.getByRole("dialog").or(page.locator("[data-popover]")).getByLabel("Done").check();
    await page.keyboard.press("Escape");
    await page.locator("tbody tr[data-row]").first().click();
    await page.locator("aside.drawer").getByText("Attempts").waitFor();
    await page.keyboard.press("Escape");
  });

  it("lists the processes that do the work", async () => {
    const workers = page.getByRole("table", { name: "Processes" });
    await workers.getByText("Server").waitFor();
    await workers.getByText("alive").waitFor();
  });

  it("changes the log level", async () => {
    await page.getByRole("combobox", { name: "Log level" }).selectOption("debug");
    await said(page, "Log level: Debug");
    await page.getByRole("combobox", { name: "Log level" }).selectOption("info");
    await said(page, "Log level: Info");
  });

  it("says on every page that maintenance is on, and why a change is refused", async () => {
    await page.goto(`${app.base}/ui/settings/system`);
    await page.getByLabel("Reason").fill("moving the database");
    await page.getByRole("button", { name: "Switch on" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Switch on" }).click();
    await page.locator(".demobar").getByText("moving the database").waitFor();
    await page.goto(`${app.base}/ui/settings`);
    await page.locator(".demobar").getByText("moving the database").waitFor();
    await page.getByRole("button", { name: "Load demo data" }).click();
    await said(page, "moving the database");
    await page.goto(`${app.base}/ui/settings/system`);
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.locator(".demobar").waitFor({ state: "detached" });
  });
});

/** One pixel, by the letter of the format. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("branding", () => {
  it("changes name, accent and logo where they are seen", async () => {
    await page.goto(`${app.base}/ui/settings/branding`);
    await page.getByLabel("Name", { exact: true }).fill("Watchtower");
    await page.getByLabel("Accent, light theme", { exact: true }).fill("#ffee00");
    await page.getByText("is too little").waitFor();
    await page.getByLabel("Accent, light theme", { exact: true }).fill("#7a1fa2");
    await page.getByRole("button", { name: "Save" }).click();
    await said(page, "Saved");
    await page.locator(".side").getByText("Watchtower").waitFor();
    await until(
      "the accent is used",
      async () =>
        (await page.evaluate(() => document.documentElement.style.getPropertyValue("--accent"))) === "#7a1fa2",
      5,
    );
    expect(await page.title()).toBe("Branding · Watchtower");
    const [chooser] = await Promise.all([
      page.waitForEvent("filechooser"),
      page.getByRole("button", { name: "Upload: Logo, light theme" }).click(),
    ]);
    await chooser.setFiles({ name: "logo.png", mimeType: "image/png", buffer: PNG });
    await page.locator(".side").getByRole("img", { name: "Watchtower" }).waitFor();
    const other = await (await context(app)).newPage();
    await other.goto(`${app.base}/ui/login`);
    await other.getByRole("img", { name: "Watchtower" }).waitFor();
    await other.context().close();
    await page.getByRole("button", { name: "Remove: Logo, light theme" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.locator(".side").getByText("Watchtower").waitFor();
  });
});

describe("audit log", () => {
  it("lists what was done here, filtered by the address, and is intact", async () => {
    await page.goto(`${app.base}/ui/settings/audit?action=schedule.`);
    await page.getByText(/The chain of .* is intact/).waitFor();
    await page.getByText("schedule.create").waitFor();
    expect(await page.getByText("auth.login").count()).toBe(0);
    await page.getByRole("cell", { name: "schedule.update" }).first().click();
    await page.locator("aside.drawer").getByRole("heading", { name: "After" }).waitFor();
    await page.keyboard.press("Escape");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export as CSV" }).click(),
    ]);
    const text = await readFile(await download.path(), "utf8");
    expect(text).toContain("schedule.create");
    expect(text).not.toContain("auth.login");
  });
});

it("needs no exception from the content security policy", () => watch.check());
