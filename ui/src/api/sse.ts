/**
 * Server-sent events over `fetch`, because `EventSource` cannot send the token.
 * `listen` resolves when the stream ends and rejects when it breaks; the caller decides about polling.
 */
import { authorizedFetch } from "./client";
import { toApiError } from "./errors";

export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
}

/** Cuts a growing text into events. Feed chunks; complete events come back. */
export class EventParser {
  private rest = "";

  push(chunk: string): ServerEvent[] {
    this.rest += chunk;
    const blocks = this.rest.replace(/\r\n?/g, "\n").split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(parseBlock).filter((event) => event !== null);
  }
}

function parseBlock(block: string): ServerEvent | null {
  let event = "message";
  let id: string | null = null;
  const lines: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith(":") || line === "") continue;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "data") lines.push(value);
    else if (name === "id") id = value;
  }
  return lines.length > 0 ? { event, data: lines.join("\n"), id } : null;
}

export async function listen(path: string, signal: AbortSignal, on: (event: ServerEvent) => void): Promise<void> {
  const request = new Request(new URL(path, location.origin), { headers: { accept: "text/event-stream" }, signal });
  const response = await authorizedFetch(request);
  if (!response.ok || !response.body) throw toApiError(response, await response.json().catch(() => null));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const event of parser.push(value)) on(event);
  }
}
