import { NativeSelect } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { logLevelQuery, setLogLevel } from "../../api/queries";
import { toast } from "../../app/toasts";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { t } from "../../strings";

type Level = Parameters<typeof setLogLevel>[0];

export function LogLevel() {
  const client = useQueryClient();
  const level = useQuery(logLevelQuery);
  const change = useMutation({
    mutationFn: setLogLevel,
    onSuccess: (answer) => {
      client.setQueryData(logLevelQuery.queryKey, answer);
      toast.ok(t.system.levelSet(t.system.levels[answer.level] ?? answer.level));
    },
    onError: toast.error,
  });
  return (
    <Panel title={t.system.logLevel} text={t.system.logLevelText}>
      <QueryState query={level} lines={1}>
        {(answer) => (
          <NativeSelect
            aria-label={t.system.logLevel}
            data={Object.entries(t.system.levels).map(([value, label]) => ({ value, label }))}
            value={change.isPending ? change.variables : answer.level}
            disabled={change.isPending}
            onChange={(event) => change.mutate(event.target.value as Level)}
          />
        )}
      </QueryState>
    </Panel>
  );
}
