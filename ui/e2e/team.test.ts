/** What administrators do for the people of the organisation, their keys, and the queues of the server. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Account,
  ADMIN,
  type App,
  begin,
  Client,
  context,
  freePort,
  said,
  signIn,
  until,
  type Watch,
} from "./support";
import { totp } from "./totp";

let app: App;
let client: Client;
let page: Page;
let watch: Watch;

const GUEST = { username: "guest", email: "guest@example.com", password: "a guest's long password" };

beforeAll(async () => {
  ({ app, client, page, watch } = await begin(["--sign-ins-per-minute", "100"]));
});

afterAll(async () => {
  await app?.stop();
});

const dialog = () => page.getByRole("dialog");
const drawer = () => page.locator("aside.drawer");
const manage = async (name: string) => {
  await page.goto(`${app.base}/ui/settings/team`);
  await page.getByRole("button", { name: `Manage ${name}` }).click();
  await drawer().getByRole("heading", { name, exact: false, level: 2 }).waitFor();
};

/** Signs in beside the pages; the code is asked of whom has a second factor. */
async function logIn(who: Account, code?: string): Promise<Client> {
  const other = new Client(app.base);
  await other.logIn(who, code);
  return other;
}

const signedOut = (who: Client) => expect(who.call("GET", "/api/auth/me")).rejects.toThrow("401");

/** An API key of somebody's, and the status that a program with it is answered. */
async function program(owner: Client): Promise<() => Promise<number>> {
  const { key } = await owner.call<{ key: string }>("POST", "/api/api-keys", {
    name: "pipeline",
    permissions: ["scans.view"],
  });
  return () => fetch(`${app.base}/api/scans`, { headers: { "X-API-Key": key } }).then(({ status }) => status);
}

/** Sets a password behind a link, as the person it was handed to. */
async function setPassword(link: string, password: string): Promise<void> {
  const other = await (await context(app)).newPage();
  await other.goto(link);
  await other.getByLabel("New password").fill(password);
  await other.getByLabel("Once more").fill(password);
  await other.getByRole("button", { name: "Set the password" }).click();
  await other.getByText("The password is set").waitFor();
  await other.context().close();
}

describe("a new member", () => {
  it("is refused with what is wrong at its field, and keeps what was written", async () => {
    await page.goto(`${app.base}/ui/settings/team`);
    await page.getByRole("button", { name: "Add a member" }).click();
    await dialog().getByLabel("Username").fill("gu est");
    await dialog().getByLabel("E-mail").fill(GUEST.email);
    await dialog().getByLabel("Write one").check();
    await dialog().getByLabel("Password", { exact: true }).fill("password");
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await dialog().getByText("must not contain spaces").waitFor();
    await dialog().getByText("among the most common").waitFor();
    expect(await dialog().getByLabel("Username").getAttribute("aria-invalid")).toBe("true");
    await dialog().getByLabel("Username").fill(ADMIN.username);
    await dialog().getByLabel("Password", { exact: true }).fill(GUEST.password);
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await dialog().getByText("The user name or the e-mail address is taken").waitFor();
    expect(await dialog().getByLabel("E-mail").inputValue()).toBe(GUEST.email);
  });

  it("is added with a link to set a password, shown once", async () => {
    await dialog().getByLabel("Username").fill(GUEST.username);
    await dialog().getByLabel("Role").selectOption("analyst");
    await dialog().getByLabel("By a link").check();
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("dialog", { name: "guest was added" }).waitFor();
    await dialog().getByText("Good once, until").getByText("60 minutes").waitFor();
    const link = (await dialog().locator(".copybox pre").textContent()) ?? "";
    await dialog().getByRole("button", { name: "Done" }).click();
    await page.getByLabel("Role of guest").waitFor();
    expect(await page.locator(".copybox").count()).toBe(0);
    await setPassword(link, GUEST.password);
    await logIn(GUEST);
    // The focus is where the dialog was opened.
    await until(
      "the focus is back on the button",
      () => page.evaluate(() => document.activeElement?.textContent === "Add a member"),
      5,
    );
  });
});

describe("a list of members", () => {
  it("is found through by text, role and state, in its address", async () => {
    await page.getByLabel("Filter this table").fill("guest@");
    await page.locator(".tablefoot", { hasText: "1 member" }).waitFor();
    expect(new URL(page.url()).searchParams.get("q")).toBe("guest@");
    await page.goto(`${app.base}/ui/settings/team`);
    await page.getByRole("button", { name: "Role", exact: true }).click();
    await page.getByRole("radio", { name: "Admin" }).check();
    await page.locator(".tablefoot", { hasText: "1 member" }).waitFor();
    await page.getByRole("radio", { name: "Analyst" }).check();
    expect(await page.locator(".chip").count()).toBe(1);
    await page.getByLabel("Role of guest").waitFor();
    await page.keyboard.press("Escape");
    await page.goto(`${app.base}/ui/settings/team?is_active=false`);
    await page.getByText("Nothing matches these filters").waitFor();
  });

  it("is opened and left by keyboard", async () => {
    await page.goto(`${app.base}/ui/settings/team`);
    await page.getByLabel("Role of guest").waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await drawer().getByText(GUEST.email).waitFor();
    await page.keyboard.press("Escape");
    await drawer().waitFor({ state: "detached" });
    await until(
      "the row has the focus",
      () => page.evaluate(() => document.activeElement?.textContent?.includes("guest@example.com") ?? false),
      5,
    );
  });
});

describe("an account", () => {
  it("gets another address; one that is taken is said at its field", async () => {
    await manage("guest");
    await drawer().getByRole("button", { name: "Change" }).click();
    await dialog().getByLabel("E-mail").fill(ADMIN.email);
    await dialog().getByRole("button", { name: "Save" }).click();
    await dialog().getByText("is taken").waitFor();
    expect(await dialog().getByLabel("E-mail").getAttribute("aria-invalid")).toBe("true");
    await dialog().getByLabel("E-mail").fill("new@example.com");
    await dialog().getByLabel("Role").selectOption("auditor");
    await dialog().getByRole("button", { name: "Save" }).click();
    await said(page, "guest was changed");
    await drawer().getByText("new@example.com").waitFor();
    // Escape leaves the dialog, not what is behind it.
    await drawer().getByRole("button", { name: "Change" }).click();
    await dialog().getByLabel("E-mail").waitFor();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    expect(await drawer().count()).toBe(1);
    const users = await client.call<{ data: { email: string; role: string }[] }>("GET", "/api/users?search=guest");
    expect(users.data).toMatchObject([{ email: "new@example.com", role: "auditor" }]);
  });

  it("gets a link for a new password, and its sessions and keys end when it is used", async () => {
    const guest = await logIn(GUEST);
    const ask = await program(guest);
    expect(await ask()).toBe(200);
    await manage("guest");
    await drawer().getByRole("button", { name: "Make a link" }).click();
    await drawer().getByText("Good once, until").waitFor();
    const link = (await drawer().locator(".copybox pre").textContent()) ?? "";
    expect(link.startsWith(`${app.base}/ui/reset-password#token=`)).toBe(true);
    GUEST.password = "another long password";
    await setPassword(link, GUEST.password);
    await signedOut(guest);
    expect(await ask()).toBe(401);
    await logIn(GUEST);
    // It was shown once.
    await page.reload();
    await drawer().getByRole("button", { name: "Make a link" }).waitFor();
    expect(await page.locator(".copybox").count()).toBe(0);
  });

  it("is signed out everywhere, with a question, and its keys end if so wished", async () => {
    const guest = await logIn(GUEST);
    const ask = await program(guest);
    await manage("guest");
    const asked = async (keys: boolean) => {
      await drawer().getByRole("button", { name: "End all sessions" }).click();
      await page.getByRole("dialog", { name: "End all sessions of guest?" }).waitFor();
      expect(await dialog().getByLabel("Revoke the API keys as well").isChecked()).toBe(false);
      if (keys) await dialog().getByLabel("Revoke the API keys as well").check();
      await dialog().getByRole("button", { name: "End all sessions" }).click();
      await said(page, "The sessions of guest have ended");
      await dialog().waitFor({ state: "detached" });
    };
    await asked(false);
    await signedOut(guest);
    expect(await ask()).toBe(200);
    const again = await logIn(GUEST);
    await asked(true);
    await signedOut(again);
    expect(await ask()).toBe(401);
  });

  it("loses its second factor when that is lost", async () => {
    const guest = await logIn(GUEST);
    const { secret } = await guest.call<{ secret: string }>("POST", "/api/auth/second-factor", {
      current_password: GUEST.password,
    });
    await guest.call("POST", "/api/auth/second-factor/confirm", { code: totp(secret, Date.now()) });
    await expect(logIn(GUEST)).rejects.toThrow("401");
    await manage("guest");
    await drawer().getByRole("button", { name: "Remove the second factor" }).click();
    await dialog().getByText("Be sure that it is really they").waitFor();
    await dialog().getByRole("button", { name: "Remove the second factor" }).click();
    await said(page, "The second factor of guest is removed");
    await logIn(GUEST);
    // Without one there is nothing to remove, and the page says so.
    await drawer().getByRole("button", { name: "Remove the second factor" }).click();
    await dialog().getByRole("button", { name: "Remove the second factor" }).click();
    await said(page, "There is no second factor");
  });

  it("is kept out for a while, with a question, and let in again", async () => {
    const guest = await logIn(GUEST);
    await manage("guest");
    await drawer().getByRole("button", { name: "Deactivate" }).click();
    await dialog().getByText("signed out at once").waitFor();
    await dialog().getByRole("button", { name: "Deactivate" }).click();
    await said(page, "guest is deactivated");
    await signedOut(guest);
    await expect(logIn(GUEST)).rejects.toThrow("401");
    await drawer().getByText("Activate first").first().waitFor();
    await drawer().getByRole("button", { name: "Activate" }).click();
    await said(page, "guest is active again");
    await logIn(GUEST);
  });

  it("of one's own is left to its own page", async () => {
    await manage(ADMIN.username);
    await drawer().getByText("your own account is under").waitFor();
    for (const name of ["Deactivate", "Remove", "Make a link", "Remove the second factor", "End all sessions"]) {
      expect(await drawer().getByRole("button", { name, exact: true }).count(), name).toBe(0);
    }
  });

  it("of somebody who may do more is nobody's to change who may do less", async () => {
    await client.call("POST", "/api/roles", {
      name: "desk",
      description: "Helps with accounts",
      permissions: ["users.manage", "dashboard.view"],
    });
    const desk = { username: "desk", email: "desk@example.com", password: "a desk's long password" };
    await client.call("POST", "/api/users", { ...desk, role: "desk" });
    const other = await (await context(app)).newPage();
    await signIn(other, app.base, desk);
    await other.goto(`${app.base}/ui/settings/team`);
    await other.getByRole("button", { name: "Manage admin" }).waitFor();
    // Neither invitations nor anybody's API keys are this role's.
    expect(await other.getByRole("heading", { name: "Invitations" }).count()).toBe(0);
    expect(await other.getByRole("link", { name: "API keys" }).count()).toBe(0);
    await other.getByRole("button", { name: "Manage admin" }).click();
    await other.locator("aside.drawer").getByRole("button", { name: "Make a link" }).click();
    await other.locator("aside.drawer").getByRole("alert").waitFor();
    expect(await other.locator(".copybox").count()).toBe(0);
    await other.context().close();
  });
});

describe("API keys of everybody", () => {
  it("are listed with whose they are, say what they may, and are revoked", async () => {
    const ask = await program(await logIn(GUEST));
    await page.goto(`${app.base}/ui/settings/api-keys`);
    await page.getByRole("row", { name: /pipeline guest/ }).waitFor();
    expect(await page.getByRole("row", { name: /pipeline guest/ }).textContent()).toContain("1 permission");
    expect(await ask()).toBe(200);
    await page.reload();
    await page.getByText("pipeline").click();
    await drawer().getByText("See scans and their results").waitFor();
    await drawer().getByText("127.0.0.1").waitFor();
    await drawer().getByRole("button", { name: "Revoke" }).click();
    await dialog().getByText("Programs of guest that use it").waitFor();
    await dialog().getByRole("button", { name: "Revoke" }).click();
    await said(page, "The key pipeline is revoked");
    await page.getByText("Nobody has an API key").waitFor();
    expect(await ask()).toBe(401);
  });
});

describe("where letters are sent", () => {
  it("mails the link in place of showing it", async () => {
    await client.call("PATCH", "/api/config/mail", {
      enabled: true,
      host: "127.0.0.1",
      port: await freePort(),
      security: "none",
      from_address: "bartizan@example.com",
      base_url: app.base,
    });
    await manage("guest");
    await drawer().getByRole("button", { name: "Make a link" }).click();
    await drawer().getByText("on its way to new@example.com").waitFor();
    expect(await page.locator(".copybox").count()).toBe(0);
    await page.goto(`${app.base}/ui/settings/team?do=add`);
    await dialog().getByLabel("Username").fill("third");
    await dialog().getByLabel("E-mail").fill("third@example.com");
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await dialog().getByText("on its way to third@example.com").waitFor();
  });

  it("counts what waits by kind, and shows it in the list", async () => {
    // Nobody takes letters at that port: they wait to be tried again.
    await page.goto(`${app.base}/ui/settings/system`);
    const queues = page.getByRole("table", { name: "Queues by kind" });
    const mail = queues.getByRole("row", { name: /^Mail/ });
    await mail.getByRole("link", { name: "2 waiting: show Mail" }).click();
    const rows = page.locator("#jobs tbody tr[data-row]");
    await until("only waiting letters are listed", async () => (await rows.count()) === 2, 10);
    const asked = new URL(page.url()).searchParams;
    expect([asked.get("kind"), asked.get("status")]).toEqual(["mail", "queued"]);
    expect(await mail.textContent()).toMatch(/now|ago/);
    expect(await queues.getByRole("row", { name: /^Scan/ }).textContent()).toBe("Scan000–");
  });

  it("filters jobs by one kind", async () => {
    await page.goto(`${app.base}/ui/settings/system`);
    await page.locator("#jobs tbody tr[data-row]").first().waitFor();
    await page.locator("#jobs").getByRole("button", { name: "Job", exact: true }).click();
    await page.getByRole("radio", { name: "Housekeeping" }).check();
    await page.locator("#jobs .chip").getByText("Housekeeping").waitFor();
    await until(
      "only housekeeping is listed",
      async () => {
        const rows = await page.locator("#jobs tbody tr[data-row]").allTextContents();
        return rows.length > 0 && rows.every((text) => text.includes("Housekeeping"));
      },
      10,
    );
    await page.getByRole("radio", { name: "Any" }).check();
    await page.locator("#jobs .chip").waitFor({ state: "detached" });
  });
});

it("needs no exception from the content security policy", () => watch.check());
