/** Who may do what, and where: roles of one's own, a second organisation, and what somebody with less sees. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, begin, type Client, context, enter, said, signIn, until, type Watch } from "./support";

let app: App;
let client: Client;
let page: Page;
let watch: Watch;

const GUEST = { username: "guest", email: "guest@example.com", password: "a guest's long password" };

beforeAll(async () => {
  ({ app, client, page, watch } = await begin());
});

afterAll(async () => {
  await app?.stop();
});

const dialog = () => page.getByRole("dialog");

describe("roles", () => {
  it("says in words what a built-in role may do, and leaves it as it is", async () => {
    await page.goto(`${app.base}/ui/settings/roles`);
    await page.getByRole("button", { name: "Show what Read only may do" }).click();
    await dialog().getByText("See findings with their evidence").waitFor();
    expect(await dialog().getByText("Start scans").count()).toBe(0);
    await page.keyboard.press("Escape");
    expect(await page.getByRole("button", { name: "Edit Read only" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Delete Read only" }).count()).toBe(0);
  });

  it("makes a role, by keyboard; doing something brings seeing it", async () => {
    await page.getByRole("button", { name: "New role", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type("Scan operator");
    await dialog().getByText("Programs call it scan_operator").waitFor();
    await page.keyboard.press("Enter");
    await dialog().getByText("Choose at least one thing it may do.").waitFor();
    await dialog().getByLabel("Start scans").focus();
    await page.keyboard.press("Space");
    expect(await dialog().getByLabel("See scans and their results").isChecked()).toBe(true);
    await dialog().getByLabel("What it is for").fill("Starts scans");
    await page.keyboard.press("Enter");
    await said(page, "The role Scan operator was created");
    const role = await client.call<{ permissions: string[] }>("GET", "/api/roles/scan_operator");
    expect(role.permissions.sort()).toEqual(["scans.run", "scans.view"]);
    // The focus is where it was.
    await until(
      "the focus is back on the button",
      () => page.evaluate(() => document.activeElement?.textContent === "New role"),
      5,
    );
  });

  it("refuses a name that is taken, at its field", async () => {
    await page.getByRole("button", { name: "Copy Scan operator into a new role" }).click();
    await dialog().getByLabel("Name", { exact: true }).fill("scan operator");
    await dialog().getByRole("button", { name: "Create role" }).click();
    await dialog().getByText("There is a role scan_operator already").waitFor();
    await page.keyboard.press("Escape");
  });

  it("acts at once on who has it, and shows that person only what the role allows", async () => {
    await client.call("POST", "/api/users", { ...GUEST, role: "scan_operator" });
    const other = await (await context(app)).newPage();
    await signIn(other, app.base, GUEST);
    await other.goto(`${app.base}/ui/scans`);
    await other.getByRole("button", { name: "New scan" }).first().waitFor();
    // Findings are not the role's to see: said, not failed.
    await other.goto(`${app.base}/ui/findings`);
    await other.getByText(/role does not/).waitFor();

    await page.reload();
    await page.getByRole("button", { name: "Edit Scan operator" }).click();
    await dialog().getByText("Acts at once on 1 member.").waitFor();
    await dialog().getByLabel("See findings with their evidence").check();
    await dialog().getByRole("button", { name: "Save" }).click();
    await said(page, "it acts at once");
    await other.reload();
    await other.getByText("No findings").first().waitFor();
    await other.context().close();
  });

  it("is deleted when nobody has it", async () => {
    expect(await page.getByRole("button", { name: "Delete Scan operator" }).isDisabled()).toBe(true);
    await page.goto(`${app.base}/ui/settings/team`);
    await page.getByLabel("Role of guest").selectOption({ label: "Read only" });
    await said(page, "Saved");
    await page.goto(`${app.base}/ui/settings/roles`);
    await page.getByRole("button", { name: "Delete Scan operator" }).click();
    await dialog().getByRole("button", { name: "Delete" }).click();
    await said(page, "The role Scan operator was deleted");
    await page.getByRole("cell", { name: "Scan operator", exact: true }).waitFor({ state: "detached" });
  });
});

describe("organisations", () => {
  it("are not spoken of while there is one", async () => {
    await page.goto(`${app.base}/ui/`);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.waitForLoadState("networkidle");
    expect(await page.getByRole("button", { name: /^Organisation/ }).count()).toBe(0);
  });

  it("are added and gone to, in every tab", async () => {
    await client.call("POST", "/api/assets", { target_value: "127.0.0.1", name: "Only in the first", tags: [] });
    const second = await page.context().newPage();
    await second.goto(`${app.base}/ui/assets`);
    await second.getByText("Only in the first").waitFor();

    await page.goto(`${app.base}/ui/settings`);
    await page.getByText("Add an organisation").click();
    await page.getByLabel("Name of the new one").fill("Subsidiary");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await said(page, "The organisation Subsidiary was added");
    await page.getByRole("button", { name: "Organisation Example Ltd" }).click();
    await page.getByRole("menuitemradio", { name: /Subsidiary/ }).click();
    await said(page, "You now work in Subsidiary");
    await page.getByRole("button", { name: "Organisation Subsidiary" }).waitFor();
    await page.goto(`${app.base}/ui/assets`);
    await page.getByText("No assets yet").first().waitFor();

    // The other tab went with it, and shows nothing of the first.
    await second.getByRole("button", { name: "Organisation Subsidiary" }).waitFor();
    expect(await second.getByText("Only in the first").count()).toBe(0);
    await second.close();

    // It lasts.
    await page.reload();
    await page.getByRole("button", { name: "Organisation Subsidiary" }).click();
    await page.getByRole("menuitemradio", { name: /Example Ltd/ }).click();
    await said(page, "You now work in Example Ltd");
    await page.goto(`${app.base}/ui/assets`);
    await page.getByText("Only in the first").waitFor();
  });

  it("are joined by an invitation to an address that has an account", async () => {
    await page.getByRole("button", { name: "Organisation Example Ltd" }).click();
    await page.getByRole("menuitemradio", { name: /Subsidiary/ }).click();
    await said(page, "You now work in Subsidiary");
    await page.goto(`${app.base}/ui/settings/team`);
    await page.getByLabel("E-mail").fill(GUEST.email);
    await page.getByRole("combobox", { name: "Role", exact: true }).selectOption("analyst");
    await page.getByRole("button", { name: "Invite" }).click();
    const link = (await page.locator(".copybox pre").textContent()) ?? "";

    const other = await (await context(app)).newPage();
    await other.goto(link);
    await other.getByText("There is an account with this address").waitFor();
    await other.getByRole("button", { name: "Sign in" }).click();
    await enter(other, GUEST);
    await other.getByText(`You are signed in as ${GUEST.username}`).waitFor();
    expect(other.url()).not.toContain("#");
    await other.getByRole("button", { name: "Join the organisation" }).click();
    await other.getByRole("button", { name: "Organisation Subsidiary" }).waitFor();
    await other.goto(`${app.base}/ui/settings/account`);
    await other.getByText("What your role lets you do").click();
    await other.getByText("Change the status of findings and accept risks").waitFor();
    await other.context().close();
  });

  it("says so to whom the invitation is not for", async () => {
    const other = await (await context(app)).newPage();
    await other.goto(`${app.base}/ui/invitation#not-a-token`);
    await other.getByText("This link is not good any more").waitFor();
    await other.context().close();
  });
});

it("needs no exception from the content security policy", () => watch.check());
