import { Checkbox, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldProblem } from "../../api/errors";
import { apiKeysQuery, changePassword, sessionsQuery } from "../../api/queries";
import { toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Panel } from "../../components/Panel";
import { t } from "../../strings";

export function Password() {
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [revoke, setRevoke] = useState(false);
  const change = useMutation({
    mutationFn: () => changePassword(current, next, revoke ? "revoke" : "keep"),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      setRevoke(false);
      toast.ok(revoke ? t.password.changedAndKeys : t.password.changed);
    },
    onError: (error) => {
      if (!fieldProblem(error, "current_password") && !fieldProblem(error, "new_password")) toast.error(error);
    },
    onSettled: () => {
      for (const { queryKey } of [sessionsQuery, apiKeysQuery]) void client.invalidateQueries({ queryKey });
    },
  });
  return (
    <Panel title={t.password.title}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <div className="two">
          <PasswordInput
            label={t.password.current}
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={current}
            error={fieldProblem(change.error, "current_password")}
            onChange={(event) => setCurrent(event.target.value)}
          />
          <PasswordInput
            label={t.password.next}
            description={t.setup.passwordHint}
            autoComplete="new-password"
            required
            withAsterisk={false}
            value={next}
            error={fieldProblem(change.error, "new_password")}
            onChange={(event) => setNext(event.target.value)}
          />
        </div>
        <Checkbox
          label={t.password.alsoKeys}
          description={t.password.alsoKeysHint}
          checked={revoke}
          onChange={(event) => setRevoke(event.target.checked)}
        />
        <div>
          <Button type="submit" variant="default" loading={change.isPending}>
            {t.password.change}
          </Button>
        </div>
      </form>
    </Panel>
  );
}
