/** Ways to sign in, set and tried in the pages, and used: a provider that agrees, one that refuses, a directory that is away and one that answers. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Directory, GROUPS, PASSWORD, PEOPLE, SERVICE } from "./directory";
import { CLIENT, IdentityProvider } from "./identity-provider";
import { type App, begin, context, enter, freePort, said } from "./support";

let app: App;
let page: Page;
let provider: IdentityProvider;
let directory: Directory;

beforeAll(async () => {
  ({ app, page } = await begin(["--sign-ins-per-minute", "100"]));
  provider = await IdentityProvider.start(app.base);
  directory = await Directory.start();
});

afterAll(async () => {
  await provider?.stop();
  await directory?.stop();
  await app?.stop();
});

const panel = (title: string) =>
  page.locator("section.panel").filter({ has: page.getByRole("heading", { name: title, exact: true }) });

describe("OpenID Connect", () => {
  it("is tried before it is saved, step by step", async () => {
    await page.goto(`${app.base}/ui/settings/sign-in`);
    const form = panel("OpenID Connect");
    await form.getByLabel("Issuer").fill(`http://127.0.0.1:${await freePort()}`);
    await form.getByLabel("Client", { exact: true }).fill(CLIENT.id);
    await form.getByLabel("Client secret").fill(CLIENT.secret);
    await form.getByLabel("Scopes").fill("profile email groups");
    await form.getByRole("button", { name: "Test" }).click();
    await form.getByText("It does not work yet").waitFor();
    await form.getByLabel("Issuer").fill(provider.issuer);
    await form.getByRole("button", { name: "Test" }).click();
    await form.getByText("It works", { exact: true }).waitFor();
    expect(await form.getByRole("list", { name: "Steps of the test" }).locator("li").count()).toBe(3);
  });

  it("is saved with roles for groups", async () => {
    const form = panel("OpenID Connect");
    await form.getByLabel("Shown as").fill("Example login");
    await form.getByLabel("Role of everybody else").selectOption("");
    await form.getByRole("button", { name: "Add a group" }).click();
    await form.getByLabel("Group 1", { exact: true }).fill("security");
    await form.getByLabel("Role of group 1").selectOption("analyst");
    await form.getByLabel("Sign in with OpenID Connect").check();
    await form.getByRole("button", { name: "Save" }).click();
    await said(page, "Saved");
    await form.getByText("One is stored; write to replace it").waitFor();
    // The way one came in by is not switched off under one's feet.
    await page.getByText("You came in this way").waitFor();
  });

  it("signs in, and goes on where one wanted to go", async () => {
    const other = await (await context(app)).newPage();
    await other.goto(`${app.base}/ui/findings?severity=high`);
    await other.getByRole("button", { name: "Sign in with Example login" }).click();
    await provider.agree(other, "ada");
    await other.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
    expect(other.url()).toBe(`${app.base}/ui/findings?severity=high`);
    await other.goto(`${app.base}/ui/settings/account`);
    await other.getByText("single sign-on").waitFor();
    await other.getByText("Analyst").waitFor();
    expect(await other.getByRole("heading", { name: "Second factor" }).count()).toBe(0);
    await other.context().close();
  });

  it("says why a sign-in did not happen", async () => {
    const other = await (await context(app)).newPage();
    await other.goto(`${app.base}/ui/login`);
    await other.getByRole("button", { name: "Sign in with Example login" }).click();
    await provider.refuse(other);
    await other.getByText("The provider did not allow the sign-in.").waitFor();
    expect(other.url()).toBe(`${app.base}/ui/login/oidc`);
    await other.goto(`${app.base}/ui/login/oidc?code=forged&state=forged`);
    await other.getByText("began in another browser").waitFor();
    await other.goto(`${app.base}/ui/login/oidc`);
    await other.getByText("holds no answer of a provider").waitFor();
    await other.getByRole("link", { name: "Sign in again" }).click();

    await other.getByRole("button", { name: "Sign in with Example login" }).click();
    await provider.agree(other, "eve");
    await other.getByRole("alert").waitFor();
    expect(other.url()).toBe(`${app.base}/ui/login/oidc`);
    await other.context().close();
  });
});

describe("LDAP", () => {
  it("says at which step a directory does not answer", async () => {
    await page.goto(`${app.base}/ui/settings/sign-in`);
    const form = panel("LDAP");
    await form.getByLabel("Address").fill(`ldap://127.0.0.1:${await freePort()}`);
    await form.getByLabel("Where people are").fill("ou=people,dc=example,dc=com");
    await form.getByRole("button", { name: "Test" }).click();
    await form.getByText("It does not work yet").waitFor();
    expect(await form.getByRole("list", { name: "Steps of the test" }).locator("li").last().textContent()).toContain(
      "Connect",
    );
  });

  it("names the field that is wrong", async () => {
    const form = panel("LDAP");
    await form.getByLabel("Address").fill("http://ldap.example.com");
    await form.getByRole("button", { name: "Save" }).click();
    await form.locator("[aria-invalid=true]").first().waitFor();
  });

  it("asks whose password it is when there are two, and says that the directory is away", async () => {
    const form = panel("LDAP");
    await form.getByLabel("Address").fill(`ldap://127.0.0.1:${await freePort()}`);
    await form.getByText("StartTLS before anything else is sent").waitFor();
    await form.getByLabel("Shown as").fill("Example directory");
    await form.getByLabel("Sign in with the directory").check();
    await form.getByRole("button", { name: "Save" }).click();
    await said(page, "Saved");
    const other = await (await context(app)).newPage();
    await other.goto(`${app.base}/ui/login`);
    await other.getByLabel("Account").selectOption({ label: "Example directory" });
    await enter(other, { username: "somebody", password: "whatever it is" });
    await other.getByRole("alert").waitFor();
    await other.getByLabel("Account").selectOption({ label: "Of this program" });
    await enter(other);
    await other.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await other.context().close();
  });

  it("tries somebody's sign-in on a directory that answers, step by step", async () => {
    await page.goto(`${app.base}/ui/settings/sign-in`);
    const form = panel("LDAP");
    await form.getByLabel("Address").fill(directory.url);
    await form.getByLabel("Search as").fill(SERVICE.dn);
    await form.getByLabel("Password for searching").fill(SERVICE.password);
    await form.getByLabel("Where people are").fill(PEOPLE);
    await form.getByLabel("Where groups are").fill(GROUPS);
    await form.getByLabel("Username").fill("grace");
    await form.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await form.getByRole("button", { name: "Test" }).click();
    // Its authority is nobody's but its own.
    await form.getByText("It does not work yet").waitFor();
    await form.getByText("Private certificate authority").click();
    await form.getByLabel(/certificates/i).fill(directory.authority);
    await form.getByRole("button", { name: "Test" }).click();
    await form.getByText("It works", { exact: true }).waitFor();
    expect(await form.getByRole("list", { name: "Steps of the test" }).locator("li").count()).toBe(5);
  });

  it("signs in with a password of the directory, with the role of the group", async () => {
    const form = panel("LDAP");
    await form.getByLabel("Role of everybody else").selectOption("");
    await form.getByRole("button", { name: "Add a group" }).click();
    await form.getByLabel("Group 1", { exact: true }).fill(`cn=security,${GROUPS}`);
    await form.getByLabel("Role of group 1").selectOption("analyst");
    await form.getByRole("button", { name: "Save" }).click();
    await said(page, "Saved");
    const other = await (await context(app)).newPage();
    const tryAs = async (username: string, password: string) => {
      await other.getByLabel("Account").selectOption({ label: "Example directory" });
      await enter(other, { username, password });
    };
    await other.goto(`${app.base}/ui/findings?severity=high`);
    await tryAs("grace", "not her password");
    await other.getByRole("alert").waitFor();
    await tryAs("linus", PASSWORD);
    await other.getByRole("alert").waitFor();
    await tryAs("grace", PASSWORD);
    await other.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
    expect(other.url()).toBe(`${app.base}/ui/findings?severity=high`);
    await other.goto(`${app.base}/ui/settings/account`);
    await other.getByText("Analyst").waitFor();
    expect(await other.getByRole("heading", { name: "Password", exact: true }).count()).toBe(0);
    await other.context().close();
  });
});
