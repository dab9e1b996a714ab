/** Triage and launch without a mouse. */
import type { Server } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, Client, context, faultySite, signIn, start, until } from "./support";

let app: App;
let page: Page;
let sites: { port: number; server: Server }[] = [];

beforeAll(async () => {
  app = await start();
  sites = await Promise.all([faultySite(), faultySite()]);
  const client = new Client(app.base);
  await client.setUp();
  await client.scan(sites.map((site) => site.port));
  page = await (await context(app)).newPage();
  await signIn(page, app.base);
});

afterAll(async () => {
  for (const site of sites) site.server.close();
  await app?.stop();
});

const focusedRow = () => page.evaluate(() => document.activeElement?.closest("tr")?.getAttribute("data-row") ?? null);
const press = (...keys: string[]) =>
  keys.reduce((chain, key) => chain.then(() => page.keyboard.press(key)), Promise.resolve());

describe("keyboard", () => {
  it("goes to a page by a sequence and says which keys there are", async () => {
    await press("g", "f");
    await page.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
    await page.locator("tbody tr[data-row]").first().waitFor();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await help.getByText("Next row").waitFor();
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
  });

  it("walks the rows, opens one, walks on in the drawer, and gives focus back on Esc", async () => {
    await page.keyboard.press("j");
    const first = await focusedRow();
    expect(first).not.toBeNull();
    await page.keyboard.press("j");
    const second = await focusedRow();
    expect(second).not.toBe(first);
    await page.keyboard.press("Enter");
    const drawer = page.locator("aside.drawer");
    await drawer.getByRole("heading", { name: "Evidence" }).waitFor();
    expect(page.url()).toContain(`open=${second}`);
    await page.keyboard.press("k");
    await until("the drawer shows the row above", async () => page.url().includes(`open=${first}`));
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(await focusedRow()).toBe(first);
  });

  it("triages several findings: select, change, done", async () => {
    const rows = await page.locator("tbody tr[data-row]").count();
    const wanted = Math.min(rows, 10);
    for (let row = 0; row < wanted; row++) {
      if (row > 0) await page.keyboard.press("j");
      await page.keyboard.press("x");
    }
    await page.getByText(`${wanted} selected`).first().waitFor();
    await page.keyboard.press("e");
    const dialog = page.getByRole("dialog", { name: `Change ${wanted} findings` });
    await dialog.waitFor();
    // Focus stands on the status; a letter chooses, Tab leads to the note and the button.
    await press("i", "Tab");
    await page.keyboard.type("Ticket OPS-17");
    await press("Tab", "Tab", "Enter");
    await dialog.waitFor({ state: "detached" });
    await until(
      "all chosen findings are in progress",
      async () => (await page.locator("tbody tr[data-row]", { hasText: "In progress" }).count()) >= wanted,
    );
  });

  it("filters from the keyboard and leaves keys alone while typing", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("status:in_progress jjx");
    expect(await page.getByLabel("Filter this table").inputValue()).toBe("status:in_progress jjx");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing matches these filters").waitFor();
    expect(page.url()).toContain("status=in_progress");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Clear filters" }).first().click();
    await page.locator("tbody tr[data-row]").first().waitFor();
  });

  it("acts from the palette", async () => {
    await page.keyboard.press("Control+k");
    await page.keyboard.type("new scan");
    await page.getByRole("option", { name: /New scan/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "New scan" }).waitFor();
  });

  it("launches a scan with the keyboard alone", async () => {
    await page.getByLabel("Other targets").focus();
    await page.keyboard.type(`127.0.0.1:${sites[0]?.port}`);
    await page.getByLabel("I am allowed to scan these targets").focus();
    await press("Space", "Tab", "Enter");
    await page.getByRole("heading", { level: 1, name: /Scan #\d+/ }).waitFor();
  });

  it("can switch single keys off", async () => {
    await page.goto(`${app.base}/ui/settings`);
    // What loads above it moves it.
    await page.waitForLoadState("networkidle");
    await page.getByLabel("Single-key shortcuts").uncheck();
    await page.locator("h1").click();
    await press("g", "a");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog", { name: "Commands and search" }).waitFor();
    expect(page.url()).toContain("/ui/settings");
  });
});
