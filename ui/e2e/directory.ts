/** The directory of the tests (Debian's `slapd`): people and a group, StartTLS by an authority of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ended, freePort, until } from "./support";

const SUFFIX = "dc=lab,dc=test";
export const SERVICE = { dn: `cn=service,${SUFFIX}`, password: "only the server may search" };
export const PEOPLE = `ou=people,${SUFFIX}`;
export const GROUPS = `ou=groups,${SUFFIX}`;
/** Grace is in the group `security`, linus in none. */
export const PASSWORD = "a person of the directory";

const ENTRIES = `dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
o: Lab

dn: ${PEOPLE}
objectClass: organizationalUnit

dn: ${GROUPS}
objectClass: organizationalUnit

dn: ${SERVICE.dn}
objectClass: person
sn: service
userPassword: ${SERVICE.password}
${["grace", "linus"]
  .map(
    (uid) => `
dn: uid=${uid},${PEOPLE}
objectClass: inetOrgPerson
cn: ${uid}
sn: ${uid}
mail: ${uid}@corp.example
userPassword: ${PASSWORD}
`,
  )
  .join("")}
dn: cn=security,${GROUPS}
objectClass: groupOfNames
cn: security
member: uid=grace,${PEOPLE}
`;

const SBIN = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

export class Directory {
  private constructor(
    readonly url: string,
    /** The authority of its certificate, in PEM. */
    readonly authority: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Directory> {
    const folder = mkdtempSync(join(tmpdir(), "bartizan-directory-"));
    const file = (name: string) => join(folder, name);
    const openssl = (...given: string[]) => execFileSync("openssl", given, { cwd: folder, stdio: "pipe" });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Lab", "-days", "2");
    openssl("req", ...key, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=localhost");
    writeFileSync(file("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl("x509", "-req", "-in", "own.csr", ...by, "-out", "own.pem");
    mkdirSync(file("data"));
    const schemas = ["core", "cosine", "inetorgperson"].map((name) => `include /etc/ldap/schema/${name}.schema`);
    const settings = [
      ...schemas,
      `pidfile ${file("pid")}`,
      `TLSCertificateFile ${file("own.pem")}`,
      `TLSCertificateKeyFile ${file("own.key")}`,
      "security simple_bind=128",
      "database ldif",
      `suffix "${SUFFIX}"`,
      `rootdn "cn=root,${SUFFIX}"`,
      `directory ${file("data")}`,
      "access to attrs=userPassword by anonymous auth by * none",
      `access to * by dn.exact="${SERVICE.dn}" read by * none`,
    ];
    writeFileSync(file("slapd.conf"), `${settings.join("\n")}\n`);
    writeFileSync(file("entries"), ENTRIES);
    execFileSync("slapadd", ["-f", file("slapd.conf"), "-l", file("entries")], { env: SBIN, stdio: "pipe" });
    const port = await freePort();
    const url = `ldap://127.0.0.1:${port}`;
    const child = spawn("slapd", ["-f", file("slapd.conf"), "-h", `${url}/`, "-d", "0"], {
      env: SBIN,
      stdio: "ignore",
    });
    await until("the directory listens", async () => {
      if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}`);
      return await new Promise<boolean>((resolve) => {
        const socket = connect(port, "127.0.0.1");
        socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
        socket.once("connect", () => socket.end());
      });
    });
    return new Directory(url, readFileSync(file("ca.pem"), "utf8"), child, folder);
  }

  async stop(): Promise<void> {
    await ended(this.process);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
