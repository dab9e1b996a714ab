/** Counts of background jobs by kind, from what the list of jobs tells: its total, and its oldest row. */
import { queryOptions } from "@tanstack/react-query";
import type { Part } from "../lib/queues";
import { api, data } from "./client";

/** How many jobs of a kind are in a state, and the one that is so for longest. */
export const queuePartQuery = (kind: string, status: Part["status"]) =>
  queryOptions({
    queryKey: ["jobs", "count", kind, status],
    queryFn: async ({ signal }): Promise<Part> => {
      const query = { kind, status: [status], page_size: 1, sort_dir: "asc" as const };
      const list = await data(api.GET("/api/jobs", { params: { query }, signal }));
      const first = list.data[0];
      return {
        kind,
        status,
        count: list.total,
        oldest: first ? { addedAt: first.created_at, dueAt: first.run_at } : null,
      };
    },
  });
