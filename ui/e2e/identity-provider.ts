/** An OpenID provider with one person in it, who is always signed in and agrees to everything. */
import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export const CLIENT = { id: "bartizan", secret: "a client's long secret" };
const KEY = "one";

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

export class IdentityProvider {
  issuer = "";
  /** What the person is said to be; a test changes it. */
  claims: Record<string, unknown> = {
    sub: "1017",
    preferred_username: "ada",
    email: "ada@example.com",
    email_verified: true,
    groups: ["security"],
  };
  /** Set: the next sign-in is refused with this error. */
  refuses: string | null = null;
  private readonly keys: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
  });
  private readonly codes = new Map<string, string>();
  private readonly server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", this.issuer);
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const json = (status: number, value: unknown) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(value));
      };
      if (url.pathname === "/.well-known/openid-configuration") json(200, this.discovery());
      else if (url.pathname === "/keys") {
        json(200, { keys: [{ ...this.keys.publicKey.export({ format: "jwk" }), kid: KEY, alg: "RS256", use: "sig" }] });
      } else if (url.pathname === "/authorize") {
        response.writeHead(302, { location: this.agree(url.searchParams) }).end();
      } else if (url.pathname === "/token") {
        const nonce = this.codes.get(new URLSearchParams(body).get("code") ?? "");
        if (nonce === undefined) json(400, { error: "invalid_grant" });
        else json(200, { access_token: "a", token_type: "Bearer", expires_in: 60, id_token: this.token(nonce) });
      } else json(404, {});
    });
  });

  static async start(): Promise<IdentityProvider> {
    const provider = new IdentityProvider();
    await new Promise<void>((resolve) => provider.server.listen(0, "127.0.0.1", resolve));
    provider.issuer = `http://127.0.0.1:${(provider.server.address() as AddressInfo).port}`;
    return provider;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private discovery() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    };
  }

  private agree(asked: URLSearchParams): string {
    const back = new URL(asked.get("redirect_uri") ?? "");
    back.searchParams.set("state", asked.get("state") ?? "");
    if (this.refuses) {
      back.searchParams.set("error", this.refuses);
      this.refuses = null;
    } else {
      const code = randomBytes(16).toString("hex");
      this.codes.set(code, asked.get("nonce") ?? "");
      back.searchParams.set("code", code);
    }
    return back.href;
  }

  private token(nonce: string): string {
    const now = Math.floor(Date.now() / 1000);
    const head = encoded({ alg: "RS256", kid: KEY, typ: "JWT" });
    const payload = encoded({ iss: this.issuer, aud: CLIENT.id, iat: now, exp: now + 300, nonce, ...this.claims });
    const signature = createSign("RSA-SHA256").update(`${head}.${payload}`).sign(this.keys.privateKey, "base64url");
    return `${head}.${payload}.${signature}`;
  }
}
