/** The mail server of the tests (Debian's aiosmtpd), without protection: it keeps the letters it is sent. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ended, until } from "./support";

const PROGRAM = fileURLToPath(new URL("../../crates/test-support/src/smtp_sink.py", import.meta.url));

interface Letter {
  to: string[];
  text: string;
}

export class MailSink {
  readonly letters: Letter[] = [];
  port = 0;

  private constructor(private readonly process: ChildProcess) {}

  static async start(): Promise<MailSink> {
    const asked = JSON.stringify({ port: 0, security: "none", user: "", password: "" });
    const child = spawn("/usr/bin/python3", [PROGRAM, asked], { stdio: ["ignore", "pipe", "inherit"] });
    const sink = new MailSink(child);
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as { port: number } | Letter;
      if ("port" in said) sink.port = said.port;
      else sink.letters.push(said);
    });
    await until("the mail server listens", async () => {
      if (child.exitCode !== null) throw new Error("the mail server ended: is python3-aiosmtpd installed?");
      return sink.port !== 0;
    });
    return sink;
  }

  async stop(): Promise<void> {
    await ended(this.process);
  }

  /** The link in the newest letter to somebody, once it is there. */
  async link(to: string, part = "/ui/"): Promise<string> {
    let found: string | undefined;
    await until(
      `a letter to ${to} holds a link with ${part}`,
      async () => {
        const links = this.letters
          .filter((letter) => letter.to.includes(to))
          .flatMap((letter) => letter.text.match(/http:\/\/\S+/g) ?? []);
        found = links.findLast((link) => link.includes(part));
        return found !== undefined;
      },
      30,
    );
    return found ?? "";
  }
}
