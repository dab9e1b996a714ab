/** Asks for a link to set a new password. The answer is the same whether or not there is such an account. */
import { TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { ApiError, fieldProblem } from "../api/errors";
import { forgotPassword } from "../api/queries";
import { usePageTitle } from "../app/brand";
import { message } from "../app/toasts";
import { Button } from "../components/Button";
import { Gate } from "../components/Gate";
import { Link } from "../components/Link";
import { Notice } from "../components/Notice";
import { t } from "../strings";

const words = t.reset;

export function ForgotPassword() {
  usePageTitle(words.forgotTitle);
  const [email, setEmail] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const ask = useMutation({ mutationFn: () => forgotPassword(email.trim()) });
  useEffect(() => field.current?.focus(), []);
  return (
    <Gate>
      <h1>{words.forgotTitle}</h1>
      {ask.isSuccess ? (
        <div role="status" style={{ marginTop: 12 }}>
          <Notice kind="ok">{words.sent}</Notice>
        </div>
      ) : (
        <>
          <p className="muted">{words.forgotText}</p>
          <form
            className="form"
            style={{ marginTop: 20 }}
            onSubmit={(event) => {
              event.preventDefault();
              ask.mutate();
            }}
          >
            {ask.isError && !fieldProblem(ask.error, "email") && (
              <Notice kind="error">
                {ask.error instanceof ApiError && ask.error.status === 429
                  ? t.auth.tooMany(ask.error.retryAfter ?? 60)
                  : message(ask.error)}
              </Notice>
            )}
            <TextInput
              ref={field}
              type="email"
              label={words.email}
              autoComplete="email"
              required
              withAsterisk={false}
              value={email}
              error={fieldProblem(ask.error, "email")}
              onChange={(event) => setEmail(event.target.value)}
            />
            <Button type="submit" fullWidth loading={ask.isPending}>
              {words.send}
            </Button>
          </form>
        </>
      )}
      <p style={{ marginTop: 16 }}>
        <Link to="/login">{words.back}</Link>
      </p>
    </Gate>
  );
}
