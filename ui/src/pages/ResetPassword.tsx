/** Sets a new password with the token of a mailed link, which stands behind the hash sign and leaves it at once. */
import { Checkbox, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { ApiError, fieldProblem } from "../api/errors";
import { resetPassword } from "../api/queries";
import { session } from "../api/session";
import { usePageTitle } from "../app/brand";
import { message, toast } from "../app/toasts";
import { Button } from "../components/Button";
import { Gate } from "../components/Gate";
import { Link } from "../components/Link";
import { Notice } from "../components/Notice";
import { fragmentToken } from "../lib/fragment";
import { t } from "../strings";

const words = t.reset;

export function ResetPassword() {
  usePageTitle(words.resetTitle);
  const navigate = useNavigate();
  const [token] = useState(() => fragmentToken(location.hash));
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  // Whoever had the account until now may have made some, so they go unless their owner knows better.
  const [revoke, setRevoke] = useState(true);
  const [differ, setDiffer] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Neither the history of the browser nor whoever looks over a shoulder keeps it.
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
    field.current?.focus();
  }, []);
  const reset = useMutation({
    mutationFn: () => resetPassword(token, password, revoke ? "revoke" : "keep"),
    onSuccess: () => {
      // Every session ended with it, this browser's as well.
      session.clear();
      toast.ok(words.done);
      void navigate({ to: "/login" as never });
    },
  });
  const badLink = token === "" || fieldProblem(reset.error, "token") !== undefined;
  return (
    <Gate>
      <h1>{words.resetTitle}</h1>
      {badLink ? (
        <div className="stack" style={{ marginTop: 12 }}>
          <Notice kind="error">{words.bad}</Notice>
          <Link to="/forgot-password">{words.askAgain}</Link>
        </div>
      ) : (
        <form
          className="form"
          style={{ marginTop: 20 }}
          onSubmit={(event) => {
            event.preventDefault();
            setDiffer(password !== again);
            if (password === again) reset.mutate();
          }}
        >
          {reset.isError && !fieldProblem(reset.error, "new_password") && (
            <Notice kind="error">
              {reset.error instanceof ApiError && reset.error.status === 429
                ? t.auth.tooMany(reset.error.retryAfter ?? 60)
                : message(reset.error)}
            </Notice>
          )}
          <PasswordInput
            ref={field}
            label={t.password.next}
            description={t.setup.passwordHint}
            autoComplete="new-password"
            required
            withAsterisk={false}
            value={password}
            error={fieldProblem(reset.error, "new_password")}
            onChange={(event) => setPassword(event.target.value)}
          />
          <PasswordInput
            label={words.again}
            autoComplete="new-password"
            required
            withAsterisk={false}
            value={again}
            error={differ ? words.differ : undefined}
            onChange={(event) => setAgain(event.target.value)}
          />
          <Checkbox
            label={t.password.alsoKeys}
            description={words.keysHint}
            checked={revoke}
            onChange={(event) => setRevoke(event.target.checked)}
          />
          <Button type="submit" fullWidth loading={reset.isPending}>
            {words.set}
          </Button>
        </form>
      )}
    </Gate>
  );
}
