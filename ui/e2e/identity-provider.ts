/** The OpenID provider of the tests (npm's `oidc-provider`), and how a person goes through its pages. */
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { ended, freePort, until } from "./support";

const PROGRAM = fileURLToPath(new URL("../../crates/test-support/identity-provider/server.mjs", import.meta.url));
/** Where `scripts/install-test-deps.sh` puts the package. */
const PACKAGES = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "bartizan/identity-provider/node_modules",
);

export const CLIENT = { id: "bartizan", secret: "a client's long secret" };

const ACCOUNTS = {
  ada: { preferred_username: "ada", email: "ada@example.com", email_verified: true, groups: ["security"] },
  /** Somebody in none of the groups. */
  eve: { preferred_username: "eve", email: "eve@example.com", email_verified: true, groups: [] },
};

export class IdentityProvider {
  private constructor(
    readonly issuer: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Starts one that sends people back to the server at `base`. */
  static async start(base: string): Promise<IdentityProvider> {
    if (!existsSync(PACKAGES)) throw new Error("no oidc-provider: run scripts/install-test-deps.sh");
    const folder = mkdtempSync(join(tmpdir(), "bartizan-provider-"));
    // Node looks for packages beside the program.
    symlinkSync(PACKAGES, join(folder, "node_modules"));
    copyFileSync(PROGRAM, join(folder, "server.mjs"));
    const client = {
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [`${base}/ui/login/oidc`],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    };
    const settings = join(folder, "settings.json");
    writeFileSync(settings, JSON.stringify({ client, claims_in_token: true, accounts: ACCOUNTS }));
    const port = await freePort();
    const child = spawn("node", [join(folder, "server.mjs"), String(port), settings], { stdio: "ignore" });
    const provider = new IdentityProvider(`http://127.0.0.1:${port}`, child, folder);
    await until("the provider answers", async () => {
      if (child.exitCode !== null) throw new Error(`the provider ended with ${child.exitCode}`);
      const discovery = `${provider.issuer}/.well-known/openid-configuration`;
      return (await fetch(discovery).catch(() => null))?.ok ?? false;
    });
    return provider;
  }

  async stop(): Promise<void> {
    await ended(this.process);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Signs in at the provider, where the page has been sent, and agrees. */
  async agree(page: Page, login: keyof typeof ACCOUNTS): Promise<void> {
    await page.locator("input[name=login]").fill(login);
    await page.locator("input[name=password]").fill("any is good");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click();
  }

  /** Goes away from the provider's page. */
  async refuse(page: Page): Promise<void> {
    await page.getByRole("link", { name: "Cancel" }).click();
  }
}
