/** Maintenance mode: refuses changes for everybody, with a reason. */
import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { setMaintenance, systemQuery } from "../../api/queries";
import { useDo } from "../../app/do";
import { Button } from "../../components/Button";
import { useConfirmed } from "../../components/confirmed";
import { Ago } from "../../components/marks";
import { Notice } from "../../components/Notice";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { t } from "../../strings";

const words = t.system.maintenance;

export function Maintenance({ canManage }: { canManage: boolean }) {
  const system = useQuery(systemQuery);
  const [reason, setReason] = useState("");
  const off = useDo(
    () => setMaintenance({ enabled: false }),
    () => words.isOff,
    [systemQuery.queryKey],
  );
  const [ask, dialog] = useConfirmed(
    (why: string) => setMaintenance({ enabled: true, reason: why.trim() || null }),
    () => ({ title: words.askTitle, text: words.askText, yes: words.switchOn, done: words.isOn }),
    [systemQuery.queryKey],
    () => setReason(""),
  );
  return (
    <Panel title={words.title}>
      <QueryState query={system} lines={2}>
        {({ maintenance }) =>
          maintenance.enabled ? (
            <>
              <Notice kind="warn">{words.on(maintenance.by)}</Notice>
              <dl className="facts">
                <dt>{words.reason}</dt>
                <dd>{maintenance.reason ?? t.common.none}</dd>
                <dt>{words.since}</dt>
                <dd>
                  <Ago at={maintenance.since} />
                </dd>
              </dl>
              {canManage && (
                <div>
                  <Button loading={off.isPending} onClick={() => off.mutate()}>
                    {words.switchOff}
                  </Button>
                </div>
              )}
            </>
          ) : (
            <>
              <p className="muted">{words.off}</p>
              {canManage && (
                <form
                  className="formrow"
                  onSubmit={(event) => {
                    event.preventDefault();
                    ask(reason);
                  }}
                >
                  <TextInput
                    label={words.reason}
                    description={words.reasonHint}
                    maxLength={500}
                    value={reason}
                    onChange={(event) => setReason(event.target.value)}
                  />
                  <Button type="submit" variant="default">
                    {words.switchOn}
                  </Button>
                </form>
              )}
            </>
          )
        }
      </QueryState>
      {dialog}
    </Panel>
  );
}
