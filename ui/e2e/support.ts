/**
 * A real server and a real browser for the tests.
 *
 * `BARTIZAN_BIN` names the program; each test file gets a server of its own on a port of its own with an empty data
 * directory. `CHROMIUM` names the browser (default: Debian's).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

export const ADMIN = { username: "admin", email: "admin@example.com", password: "correct horse battery staple" };

export interface App {
  base: string;
  browser: Browser;
  stop: () => Promise<void>;
}

/** Starts server and browser; `more` are further arguments of the server. */
export async function start(more: readonly string[] = []): Promise<App> {
  const program = process.env.BARTIZAN_BIN;
  if (!program) throw new Error("BARTIZAN_BIN must name the bartizan program to test");
  const directory = mkdtempSync(join(tmpdir(), "bartizan-e2e-"));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const asked = ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", join(directory, "data"), ...more];
  const server = spawn(program, asked, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  server.stdout.on("data", (chunk) => (log += chunk));
  server.stderr.on("data", (chunk) => (log += chunk));
  await until("the server answers", async () => {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}:\n${log}`);
    return (await fetch(`${base}/health`).catch(() => null))?.ok ?? false;
  });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    base,
    browser,
    stop: async () => {
      await browser.close();
      await ended(server);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const exit = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  const force = setTimeout(() => server.kill("SIGKILL"), 10_000);
  await exit;
  clearTimeout(force);
}

export async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/** Waits for a condition, with the reason in the failure. */
export async function until(what: string, done: () => Promise<boolean>, seconds = 90): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** A web site with plain faults: no headers, a cookie without attributes, a version in its banner. */
export async function faultySite(): Promise<{ port: number; server: Server }> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/" ? 200 : 404;
    response.setHeader("server", "nginx/1.18.0");
    response.setHeader("set-cookie", "session=abcdef; Path=/");
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>Test site</title><p>${request.url === "/" ? "Hello" : "Not found"}</p>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

/** What a page did that it must not do: script errors, CSP violations, requests to other hosts. */
export class Watch {
  readonly problems: string[] = [];

  constructor(page: Page, base: string) {
    page.on("pageerror", (error) => this.problems.push(`script error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && /Content Security Policy|Refused to/i.test(message.text())) {
        this.problems.push(`policy: ${message.text()}`);
      }
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(base) && !url.startsWith("data:") && !url.startsWith("blob:")) {
        this.problems.push(`request to another host: ${url}`);
      }
    });
  }

  check(): void {
    expect(this.problems).toEqual([]);
  }
}

/** Calls the API as a program would. */
export class Client {
  private token = "";

  constructor(private readonly base: string) {}

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.base + path, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  async setUp(): Promise<void> {
    const answer = await this.call<{ access_token: string }>("POST", "/api/auth/setup", {
      ...ADMIN,
      organization_name: "Example Ltd",
      allow_private: true,
    });
    this.token = answer.access_token;
  }

  async logIn({ username, password }: Account = ADMIN, code?: string): Promise<void> {
    const asked = { username, password, ...(code ? { code } : {}) };
    const answer = await this.call<{ access_token: string }>("POST", "/api/auth/login", asked);
    this.token = answer.access_token;
  }

  /** An asset for the site and a finished scan of it. */
  async scan(ports: readonly number[]): Promise<number> {
    const asset = await this.call<{ id: string }>("POST", "/api/assets", {
      target_value: "127.0.0.1",
      name: "Local site",
      tags: ["lab"],
      risk_zone: "production",
    });
    const { id } = await this.call<{ id: number }>("POST", "/api/scans", {
      asset_ids: [asset.id],
      scan_type: "custom",
      ports: ports.join(","),
      timeout_seconds: 3,
    });
    await until(`scan ${id} is completed`, async () => {
      const { status } = await this.call<{ status: string }>("GET", `/api/scans/${id}`);
      if (status === "failed" || status === "cancelled") throw new Error(`scan ${id} ended ${status}`);
      return status === "completed";
    });
    return id;
  }
}

export interface Account {
  username: string;
  password: string;
}

/** Fills in the form to sign in with that the page shows, and sends it. */
export async function enter(page: Page, who: Account = ADMIN): Promise<void> {
  await page.getByLabel("Username").fill(who.username);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** Signs in through the page. */
export async function signIn(page: Page, base: string, who: Account = ADMIN): Promise<void> {
  await page.goto(`${base}/ui/login`);
  await enter(page, who);
  await page.locator(".side").waitFor();
}

export async function context(app: App, scheme: "light" | "dark" = "light"): Promise<BrowserContext> {
  const made = await app.browser.newContext({
    colorScheme: scheme,
    reducedMotion: "reduce",
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
  });
  made.setDefaultTimeout(10_000);
  return made;
}

/** A server that is set up, and a page on it that is watched and signed in; what most tests begin with. */
export interface Begun {
  app: App;
  client: Client;
  page: Page;
  watch: Watch;
}

export async function begin(more: readonly string[] = []): Promise<Begun> {
  const app = await start(more);
  const client = new Client(app.base);
  await client.setUp();
  const page = await (await context(app)).newPage();
  const watch = new Watch(page, app.base);
  await signIn(page, app.base);
  return { app, client, page, watch };
}

/** Waits for a passing message. */
export const said = (page: Page, text: string | RegExp) =>
  page.locator(".toast").filter({ hasText: text }).first().waitFor();
