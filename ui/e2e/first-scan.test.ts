/** The first ten minutes: set up, add an asset, scan it, watch, read a finding, download, sign out and in. */

import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, type App, context, enter, faultySite, start, Watch } from "./support";

let app: App;
let page: Page;
let watch: Watch;
let site: { port: number; server: Server };

beforeAll(async () => {
  app = await start();
  site = await faultySite();
  page = await (await context(app)).newPage();
  watch = new Watch(page, app.base);
});

afterAll(async () => {
  site?.server.close();
  await app?.stop();
});

describe("first scan", () => {
  it("goes to the setup page and makes the administrator", async () => {
    await page.goto(app.base);
    await page.getByRole("heading", { name: "Set up Bartizan" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/ui/setup");
    // Bound to loopback: private targets are preselected.
    expect(await page.getByLabel("Allow private targets").isChecked()).toBe(true);

    await page.getByLabel("Organisation").fill("Example Ltd");
    await page.getByLabel("E-mail").fill(ADMIN.email);
    await page.getByLabel("Password", { exact: true }).fill("password");
    await page.getByRole("button", { name: "Create and continue" }).click();
    // A common password is refused at its field.
    await page.locator("[aria-invalid=true]").first().waitFor();

    await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
    await page.getByRole("button", { name: "Create and continue" }).click();
    await page.getByRole("dialog", { name: "Add asset" }).waitFor();
  });

  it("says in New scan that there is no asset yet, and adds one there", async () => {
    await page.goto(`${app.base}/ui/scans/new`);
    await page.getByText("No assets yet").waitFor();
    await page.getByRole("button", { name: "Add asset" }).click();
    await page.getByRole("dialog", { name: "Add asset" }).waitFor();
    await page.goto(`${app.base}/ui/assets?do=add`);
    await page.getByRole("dialog", { name: "Add asset" }).waitFor();
  });

  it("says what is wrong with a target and adds a right one", async () => {
    const dialog = page.getByRole("dialog", { name: "Add asset" });
    await dialog.getByLabel("Target", { exact: true }).fill("not a target!");
    await dialog.getByLabel("I am allowed to scan this target").check();
    await dialog.getByRole("button", { name: "Add asset" }).click();
    await dialog.locator("[aria-invalid=true]").waitFor();

    await dialog.getByLabel("Target", { exact: true }).fill("127.0.0.1");
    await dialog.getByLabel("Name", { exact: true }).fill("Local site");
    await dialog.getByRole("button", { name: "Add and scan" }).click();
    await page.getByRole("heading", { name: "New scan" }).waitFor();
    await page.getByRole("button", { name: "Remove filter Assets Local site" }).waitFor();
  });

  it("offers a command only for a target, and says where the ports come from", async () => {
    const summary = page.getByRole("complementary", { name: "Summary" });
    await page.getByText("bartizan scan 127.0.0.1 --profile quick").waitFor();
    await summary.getByText("top:100").waitFor();
    await page.getByRole("button", { name: "Remove filter Assets Local site" }).click();
    await page.getByText("The commands appear here once there is a target.").waitFor();
    await page.getByLabel("Other targets").fill("127.0.0.1:8443\n127.0.0.2:22");
    await summary.getByText("from the targets: 8443, 22").waitFor();
    await page.getByLabel("Other targets").fill("");
    await page.getByLabel("Local site").check();
  });

  it("chooses checks of a custom scan by keyboard", async () => {
    await page.getByRole("radio", { name: /Custom/ }).check();
    const list = page.getByRole("region", { name: "Checks" });
    await list.getByRole("button", { name: "svc.* Service" }).focus();
    await page.keyboard.press("ArrowDown");
    await list.getByRole("button", { name: "tls.* TLS" }).press("Enter");
    await list.getByLabel("Run only tls.*").press("Space");
    await list.getByLabel("Run only tls.*").press("ArrowDown");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toMatch(/^Run only tls\./);
    await list.getByLabel("Skip tls.v10").check();
    await page.getByLabel("UDP ports").fill("53");
    await page.getByText("--udp-ports 53 --checks 'tls.*' --skip tls.v10").waitFor();
    await page.getByText('"udp_ports":"53","checks":["tls.*"],"skip":["tls.v10"]').waitFor();

    await page.getByLabel("Find checks by id, title or subject").fill("cookie.same");
    await list.getByLabel("Skip cookie.samesite").waitFor();
    expect(await list.getByLabel("Skip tls.v10").count()).toBe(0);
    await page.getByLabel("Find checks by id, title or subject").fill("");
    await list.getByLabel("Skip tls.*").check();
    await page.getByText("No check is left to run").waitFor();
    await page.getByRole("button", { name: "Clear the choice" }).click();
    await page.getByLabel("UDP ports").fill("");
  });

  it("says why Launch is disabled, and launches", async () => {
    const launch = page.getByRole("button", { name: "Launch scan" });
    await page.getByLabel("I am allowed to scan these targets").uncheck();
    expect(await launch.isDisabled()).toBe(true);
    await page.getByText("Confirm that you may scan these targets.").waitFor();
    await page.getByLabel("I am allowed to scan these targets").check();

    await page.getByRole("radio", { name: /Custom/ }).check();
    await page.getByLabel("Ports", { exact: true }).fill(String(site.port));
    await page.getByLabel("Time-out").fill("3");
    await launch.click();
    await page.getByRole("heading", { level: 1, name: /Scan #\d+/ }).waitFor();
  });

  it("shows the scan finishing without a reload", async () => {
    await page.getByRole("heading", { level: 1, name: /Completed/ }).waitFor({ timeout: 90_000 });
  });

  it("lists the open port and the verdicts", async () => {
    await page
      .getByRole("navigation", { name: /Scan #/ })
      .getByRole("link", { name: "Results" })
      .click();
    await page.getByText(`tcp/${site.port}`).waitFor();
    await page.getByText(/^1 of (at least )?1 port open$/).waitFor();
    await page
      .getByRole("navigation", { name: /Scan #/ })
      .getByRole("link", { name: "Plan" })
      .click();
    await page.getByRole("table", { name: "Plan" }).getByText("Fail").first().waitFor();
  });

  it("downloads every format", async () => {
    await page
      .getByRole("navigation", { name: /Scan #/ })
      .getByRole("link", { name: "Files" })
      .click();
    for (const [name, sign] of [
      ["HTML report", "<!doctype html"],
      ["JSON", "bartizan.scan/1"],
      ["JSON Lines", "{"],
      ["CSV", "check_id"],
      ["SARIF 2.1.0", "2.1.0"],
    ] as const) {
      const row = page.getByRole("row").filter({ has: page.getByRole("cell", { name, exact: true }) });
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        row.getByRole("button", { name: "Download" }).click(),
      ]);
      const text = await readFile(await download.path(), "utf8");
      expect(text.toLowerCase(), name).toContain(sign.toLowerCase());
    }
  });

  it("opens a finding with evidence and fix, at an address of its own", async () => {
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Findings" }).click();
    await page.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
    await page.locator("tbody tr[data-row]").first().click();
    const drawer = page.locator("aside.drawer");
    await drawer.getByRole("heading", { name: "Evidence" }).waitFor();
    await drawer.getByRole("heading", { name: "What is checked" }).waitFor();
    await drawer.getByRole("heading", { name: "How to fix it" }).waitFor();
    await drawer.getByText("Found for the first time").waitFor();
    const address = page.url();
    expect(address).toContain("open=");
    await page.goto(address);
    await drawer.getByRole("heading", { name: "Evidence" }).waitFor();
  });

  it("shows evidence as a table with names", async () => {
    await page.goto(`${app.base}/ui/findings?check_id=cookie.no_httponly`);
    await page.locator("tbody tr[data-row]").first().click();
    const cookies = page.locator("aside.drawer").getByRole("table", { name: "Cookies" });
    await cookies.getByRole("columnheader", { name: "Name" }).waitFor();
    await cookies.getByRole("cell", { name: "session", exact: true }).waitFor();
    expect(await page.locator("aside.drawer .evidence").textContent()).not.toMatch(/[{}[\]]/);
  });

  it("keeps the list's state on Back", async () => {
    await page.goto(`${app.base}/ui/findings?category=web&sort=title`);
    await page.getByText("Category", { exact: true }).first().waitFor();
    await page.locator("tbody tr[data-row]").first().click();
    await page.locator("aside.drawer").waitFor();
    await page.goBack();
    await page.locator("aside.drawer").waitFor({ state: "detached" });
    expect(page.url()).toContain("category=web&sort=title");
    expect(await page.locator("th[aria-sort=ascending]").textContent()).toBe("Finding");
  });

  it("accepts a risk only with a reason, and keeps the history", async () => {
    await page.goto(`${app.base}/ui/findings`);
    await page.locator("tbody tr[data-row]").first().click();
    const drawer = page.locator("aside.drawer");
    await drawer.getByLabel("Status", { exact: true }).selectOption("accepted_risk");
    await drawer.getByRole("button", { name: "Change status" }).click();
    await drawer.getByText("Say why the risk is accepted.").waitFor();
    await drawer.getByLabel("Note").fill("Test bench, no real data");
    await drawer.getByRole("button", { name: "Change status" }).click();
    await drawer.getByText("Open → Accepted risk").waitFor();
    await drawer.getByText("“Test bench, no real data”").waitFor();
  });

  it("imports assets from CSV with a preview and errors by row", async () => {
    await page.goto(`${app.base}/ui/assets?do=import`);
    const dialog = page.getByRole("dialog", { name: "Import assets from CSV" });
    await dialog
      .getByLabel("or paste the rows")
      .fill(
        "name,target_type,target_value,tags\nOne,ip,127.0.0.2,lab;a\nTwo,ip,300.1.1.1,\nThree,domain,three.example,\n",
      );
    await dialog.getByRole("button", { name: "Show the rows" }).click();
    await dialog.getByRole("table", { name: "First rows of the file" }).waitFor();
    await dialog.getByRole("button", { name: "Import 3 rows" }).click();
    const left = dialog.getByRole("table", { name: "Rows left out" });
    await left.waitFor();
    expect(await left.locator("tbody tr").count()).toBe(1);
    await dialog.locator(".foot").getByRole("button", { name: "Close" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("three.example").first().waitFor();
  });

  it("changes tags and zone of several assets at once", async () => {
    await page.goto(`${app.base}/ui/assets`);
    await page.locator("tbody tr[data-row]").first().waitFor();
    await page.getByLabel("Select all on this page").check();
    await page.getByRole("button", { name: "Tags and zone" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Risk zone").selectOption("dmz");
    await dialog.getByRole("button", { name: /^Change \d+ assets$/ }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("cell", { name: "DMZ" }).first().waitFor();
  });

  it("signs out, refuses a wrong password, and comes back to where one was", async () => {
    await page.goto(`${app.base}/ui/scans`);
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(`${app.base}/ui/scans`);
    await enter(page, { ...ADMIN, password: "wrong password" });
    await page.getByText("Username or password is wrong.").waitFor();
    await enter(page);
    await page.getByRole("heading", { level: 1, name: "Scans" }).waitFor();
  });

  it("stays signed in over a reload and in a second tab", async () => {
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Scans" }).waitFor();
    const second = await page.context().newPage();
    await second.goto(`${app.base}/ui/assets`);
    await second.getByRole("heading", { level: 1, name: "Assets" }).waitFor();
    await second.close();
  });

  it("did nothing a strict policy forbids and asked no other host", () => watch.check());
});
