/**
 * Keeps a running scan up to date: server-sent events first, polling when the stream cannot be had or breaks.
 * Everything lands in the query cache, so pages read progress like any other data.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Progress } from "../../api/model";
import { progressQuery } from "../../api/queries";
import { listen } from "../../api/sse";

export const POLL_SECONDS = 3;

export type Live = "off" | "stream" | "polling";

export function useLiveScan(id: number, active: boolean, onEnd: () => void): Live {
  const client = useQueryClient();
  const [live, setLive] = useState<Live>("off");
  // biome-ignore lint/correctness/useExhaustiveDependencies: onEnd is called once, with the render it ends in
  useEffect(() => {
    if (!active) {
      setLive("off");
      return undefined;
    }
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const take = (progress: Progress) => {
      client.setQueryData(progressQuery(id).queryKey, progress);
      if (!ended && isFinal(progress.status)) {
        ended = true;
        onEnd();
      }
    };
    const poll = async () => {
      if (stop.signal.aborted || ended) return;
      setLive("polling");
      try {
        take(await client.fetchQuery({ ...progressQuery(id), staleTime: 0 }));
      } catch {
        // The next round tries again; the page shows the age of what it has.
      }
      if (!stop.signal.aborted && !ended) timer = setTimeout(() => void poll(), POLL_SECONDS * 1000);
    };
    listen(`/api/scans/${id}/events`, stop.signal, (event) => {
      setLive("stream");
      if (event.event === "progress" || event.event === "message") {
        const progress = parse(event.data);
        if (progress) take(progress);
      }
    }).then(
      () => void poll(),
      () => void poll(),
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, active, client]);
  return live;
}

export function isFinal(status: string): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

function parse(text: string): Progress | null {
  try {
    const value = JSON.parse(text) as Progress;
    return typeof value.status === "string" ? value : null;
  } catch {
    return null;
  }
}
