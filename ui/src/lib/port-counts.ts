/** How many ports of a host were asked, and in which state they are. */
import type { HostResult } from "../api/model";

export interface PortCounts {
  open: number;
  total: number;
  /** Whether every port asked is counted; older results do not count those they do not list. */
  exact: boolean;
  /** Those that are not open, most first. */
  rest: { protocol: string; state: string; count: number }[];
}

export function portCounts(host: Pick<HostResult, "ports"> & Partial<Pick<HostResult, "summarised">>): PortCounts {
  const sums = new Map<string, PortCounts["rest"][number]>();
  const add = (protocol: string, state: string, count: number) => {
    const key = `${protocol} ${state}`;
    const sum = sums.get(key) ?? { protocol, state, count: 0 };
    sum.count += count;
    sums.set(key, sum);
  };
  for (const port of host.ports) add(port.protocol, port.state, 1);
  for (const sum of host.summarised ?? []) add(sum.protocol, sum.state, sum.count);
  const all = [...sums.values()].filter((sum) => sum.count > 0);
  const count = (list: PortCounts["rest"]) => list.reduce((total, sum) => total + sum.count, 0);
  return {
    open: count(all.filter((sum) => sum.state === "open")),
    total: count(all),
    exact: Array.isArray(host.summarised),
    rest: all.filter((sum) => sum.state !== "open").sort((a, b) => b.count - a.count),
  };
}
