/** The mail server set in the pages, a test of it, and a forgotten password that comes back by mail. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MailSink } from "./mail-sink";
import { ADMIN, type App, begin, enter, freePort, said, type Watch } from "./support";

let app: App;
let page: Page;
let sink: MailSink;
let watch: Watch;

beforeAll(async () => {
  ({ app, page, watch } = await begin());
  sink = await MailSink.start();
});

afterAll(async () => {
  await sink?.stop();
  await app?.stop();
});

describe("mail settings", () => {
  it("says at which step a test ends", async () => {
    await page.goto(`${app.base}/ui/settings/mail`);
    expect(await page.getByRole("button", { name: "Send a test" }).isDisabled()).toBe(true);
    await page.getByLabel("Server", { exact: true }).fill("127.0.0.1");
    await page.getByLabel("Protection").selectOption("none");
    await page.getByText("Without protection everybody on the way reads the letters").waitFor();
    await page.getByLabel("Port").fill(String(await freePort()));
    await page.getByLabel("Sender's address").fill("bartizan@example.com");
    await page.getByRole("button", { name: "Save" }).click();
    await said(page, "Saved");
    await page.getByRole("button", { name: "Send a test" }).click();
    await page.getByText("The letter could not be sent").waitFor();
    const steps = page.getByRole("list", { name: "Steps of the test" }).locator("li");
    expect(await steps.last().textContent()).toContain("Connect");
    expect(sink.letters).toEqual([]);
  });

  it("sends a test with the settings that are saved", async () => {
    await page.getByLabel("Port").fill(String(sink.port));
    await page.getByLabel("Send mail").check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Send a test" }).click();
    await page.getByText("The mail server took the letter").waitFor();
    expect(sink.letters.at(-1)?.to).toEqual([ADMIN.email]);
  });

  it("mails an invitation, and makes a link instead when asked", async () => {
    await page.goto(`${app.base}/ui/settings/team`);
    await page.getByLabel("E-mail").fill("guest@example.com");
    await page.getByRole("button", { name: "Invite" }).click();
    await page
      .getByRole("cell", { name: /guest@example.com/ })
      .first()
      .waitFor();
    expect(await page.locator(".copybox").count()).toBe(0);
    expect(await sink.link("guest@example.com")).toContain(`${app.base}/ui/invitation#`);
    await page.getByRole("button", { name: "Make a link: guest@example.com" }).click();
    expect(await page.locator(".copybox pre").textContent()).toContain("/ui/invitation#");
  });
});

describe("a forgotten password", () => {
  const next = "another battery staple";

  it("answers alike for an address that nobody has", async () => {
    await page.getByRole("button", { name: `Account ${ADMIN.username}` }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Forgot the password?" }).click();
    await page.getByLabel("E-mail").fill("nobody@example.com");
    await page.getByRole("button", { name: "Mail a link" }).click();
    await page.getByText("If there is an account with this address").waitFor();
  });

  it("is set anew by the link, which leaves the address bar at once and works once", async () => {
    await page.goto(`${app.base}/ui/forgot-password`);
    await page.getByLabel("E-mail").fill(ADMIN.email);
    await page.getByRole("button", { name: "Mail a link" }).click();
    const link = await sink.link(ADMIN.email, "/ui/reset-password#token=");
    await page.goto(link);
    await page.getByRole("heading", { name: "Set a new password" }).waitFor();
    expect(page.url()).toBe(`${app.base}/ui/reset-password`);
    await page.getByLabel("New password").fill(next);
    await page.getByLabel("Once more").fill("something else");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("The two are not the same.").waitFor();
    await page.getByLabel("Once more").fill(next);
    await page.getByRole("button", { name: "Set the password" }).click();
    await enter(page, { ...ADMIN, password: next });
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();

    await page.goto("about:blank");
    await page.goto(link);
    await page.getByLabel("New password").fill("a third battery staple");
    await page.getByLabel("Once more").fill("a third battery staple");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("This link is not good any more").waitFor();
  });

  it("says so when a link holds no token", async () => {
    await page.goto(`${app.base}/ui/reset-password`);
    await page.getByText("This link is not good any more").waitFor();
    await page.getByRole("link", { name: "Ask for a new link" }).click();
    await page.getByRole("heading", { name: "Forgot the password" }).waitFor();
  });
});

it("needs no exception from the content security policy", () => watch.check());
