/** Where an OpenID provider sends the browser back to: finishes the sign-in, or says why it cannot be finished. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../api/errors";
import { finishOidc } from "../api/queries";
import { usePageTitle } from "../app/brand";
import { message } from "../app/toasts";
import { Gate } from "../components/Gate";
import { Link } from "../components/Link";
import { Notice } from "../components/Notice";
import { SkeletonLines } from "../components/states";
import { safeReturn } from "../lib/safe-return";
import { t } from "../strings";
import { signIn } from "./Login";

const words = t.signIn.back;

export function LoginOidc() {
  usePageTitle(t.auth.signIn);
  const navigate = useNavigate();
  const [back] = useState(() => new URLSearchParams(location.search));
  const code = back.get("code");
  const state = back.get("state");
  const finish = useMutation({
    mutationFn: () => finishOidc({ code: code ?? "", state: state ?? "" }),
    onSuccess: (answer) => {
      signIn(answer);
      const { to, search } = safeReturn(answer.return_to);
      void navigate({ to: to as never, search: search as never, replace: true });
    },
  });
  // A code is good once: asked for once also where effects run twice.
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current) return;
    asked.current = true;
    history.replaceState(history.state, "", location.pathname);
    if (code && state) finish.mutate();
  }, [code, state, finish.mutate]);

  const problem = back.get("error")
    ? refused(back.get("error") ?? "", back.get("error_description"))
    : !code || !state
      ? words.incomplete
      : finish.isError
        ? failed(finish.error)
        : null;
  return (
    <Gate>
      <h1>{t.auth.signIn}</h1>
      {problem ? (
        <div className="stack" style={{ marginTop: 12 }}>
          <Notice kind="error">{problem}</Notice>
          <Link to="/login">{words.again}</Link>
        </div>
      ) : (
        <div style={{ marginTop: 12 }}>
          <p className="muted">{words.working}</p>
          <SkeletonLines lines={2} />
        </div>
      )}
    </Gate>
  );
}

/** What the provider says itself; its words are shown as text, and only in part. */
function refused(error: string, description: string | null): string {
  if (error === "access_denied") return words.denied;
  return words.refused((description ?? error).slice(0, 200));
}

function failed(error: unknown): string {
  if (!(error instanceof ApiError)) return message(error);
  if (error.status === 401) return words.stale;
  if (error.status === 409) return error.message || words.conflict;
  if (error.status === 502 || error.status === 503) return words.unreachable;
  if (error.status === 429) return t.auth.tooMany(error.retryAfter ?? 60);
  return message(error);
}
