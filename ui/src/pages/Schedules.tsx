/** Schedules: what runs again and again, when next, and how it went. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { may, type Schedule } from "../api/model";
import { meQuery, runSchedule, schedulesQuery } from "../api/queries";
import { SCANS } from "../app/places";
import { toast } from "../app/toasts";
import { Button } from "../components/Button";
import { Section } from "../components/Section";
import { DataTable } from "../components/table/DataTable";
import { listQuery, useOpenRow, useTableState } from "../components/table/state";
import type { Column, Filter } from "../components/table/types";
import type { SortKey } from "../lib/url-state";
import { t } from "../strings";
import { LastRun, NextRun, StateMark, What } from "./schedules/parts";
import { ScheduleDrawer } from "./schedules/ScheduleDrawer";
import { ScheduleForm } from "./schedules/ScheduleForm";

const FILTERS: readonly Filter[] = [
  {
    name: "enabled",
    label: t.schedules.columns.state,
    options: [
      { value: "true", label: t.schedules.active },
      { value: "false", label: t.schedules.stopped },
    ],
    button: true,
  },
];
const KNOWN = FILTERS.map((filter) => filter.name);
const KEEP = ["do", "edit", "assets", "targets", "profile"] as const;
const SORT: SortKey = { id: "next_run_at", desc: false };

const idOf = (schedule: Schedule) => schedule.id;
const labelOf = (schedule: Schedule) => schedule.name;

function columns(run: ((schedule: Schedule) => void) | null): readonly Column<Schedule>[] {
  return [
    {
      id: "name",
      title: t.schedules.columns.name,
      sort: "name",
      fixed: true,
      cell: (schedule) => (
        <>
          <span className="cell-title">{schedule.name}</span>
          <StateMark schedule={schedule} />
        </>
      ),
    },
    {
      id: "when",
      title: t.schedules.columns.when,
      cell: (schedule) => (
        <>
          {schedule.cadence}
          <div className="small muted nowrap">
            <span className="mono">{schedule.cron}</span>
          </div>
        </>
      ),
    },
    {
      id: "next",
      title: t.schedules.columns.next,
      sort: "next_run_at",
      cell: (schedule) => <NextRun at={schedule.next_run_at} zone={schedule.time_zone} />,
    },
    { id: "what", title: t.schedules.columns.what, wide: true, cell: (schedule) => <What scan={schedule.scan} /> },
    {
      id: "last",
      title: t.schedules.columns.last,
      sort: "last_run_at",
      descFirst: true,
      wide: true,
      cell: (schedule) => <LastRun schedule={schedule} />,
    },
    ...(run
      ? [
          {
            id: "run",
            title: t.schedules.runNow,
            wide: true,
            fixed: true,
            quiet: true,
            cell: (schedule: Schedule) => (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={t.schedules.runNowOf(schedule.name)}
                onClick={() => run(schedule)}
              >
                {t.schedules.runNow}
              </Button>
            ),
          },
        ]
      : []),
  ];
}

/** Launches the scan of a schedule, and says which it is. */
export function useRunNow(): (schedule: Schedule) => void {
  const client = useQueryClient();
  const navigate = useNavigate();
  const run = useMutation({
    mutationFn: (schedule: Schedule) => runSchedule(schedule.id),
    onSuccess: ({ scan_id }) =>
      toast.ok(t.schedules.launched(scan_id), {
        label: t.schedules.openScan,
        run: () => void navigate({ to: `/scans/${scan_id}` as never }),
      }),
    onError: toast.error,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["schedules"] });
      void client.invalidateQueries({ queryKey: ["scans"] });
    },
  });
  return run.mutate;
}

export function Schedules() {
  const me = useQuery(meQuery);
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { do?: string };
  const table = useTableState(KNOWN, KEEP);
  const [state, setState] = table;
  const manage = may(me.data, "schedules.manage");
  const asked = listQuery(state, SORT);
  // Both choices are no choice; the server knows one or the other.
  if (state.filters.enabled?.length === 2) delete asked.enabled;
  const schedules = useQuery({ ...schedulesQuery(asked), enabled: may(me.data, "schedules.view") });
  const rows = schedules.data?.data ?? [];
  const run = useRunNow();
  const mayRun = may(me.data, "scans.run");
  const shown = useMemo(() => columns(mayRun ? run : null), [mayRun, run]);
  const { open, close, move } = useOpenRow(rows, table);
  const say = (what: string | undefined) =>
    void navigate({
      to: ".",
      search: ((old: Record<string, string>) => ({ ...old, do: what })) as never,
      resetScroll: false,
    } as never);
  const add = <Button onClick={() => say("add")}>{t.schedules.new}</Button>;

  return (
    <div className={state.open ? "has-drawer" : undefined}>
      <Section title={t.scans.title} label={t.schedules.sections} places={SCANS} actions={manage && add}>
        <DataTable
          name="schedules"
          label={t.schedules.title}
          columns={shown}
          filters={FILTERS}
          query={schedules}
          state={state}
          onState={setState}
          defaultSort={SORT}
          id={idOf}
          rowLabel={labelOf}
          noun={[t.schedules.one, t.schedules.many]}
          onOpen={open}
          empty={{ title: t.schedules.empty, text: t.schedules.emptyText, action: manage ? add : undefined }}
        />
      </Section>
      {state.open && (
        <ScheduleDrawer id={state.open} canManage={manage} canRun={mayRun} onRun={run} onClose={close} onMove={move} />
      )}
      {search.do === "add" && manage && <ScheduleForm onClose={() => say(undefined)} />}
    </div>
  );
}
