/** What the forms of the two outside ways to sign in share: saving, trying, and the answer of a trial. */
import { NativeSelect } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ComponentProps, ReactNode } from "react";
import { ApiError, fieldProblem } from "../../api/errors";
import {
  type AuthConfigUpdate,
  type AuthTest,
  authConfigQuery,
  testAuthConfig,
  updateAuthConfig,
} from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Certificates } from "../../components/Certificates";
import { Notice } from "../../components/Notice";
import { Panel } from "../../components/Panel";
import { type Mapping, RoleMapping } from "../../components/RoleMapping";
import { Steps } from "../../components/Steps";
import { t } from "../../strings";

const words = t.signIn;

/** `openid profile` and `openid, profile` alike. */
export function scopesOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

export function useMethod(update: () => AuthConfigUpdate, trial: () => AuthTest, etag: string | null) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => updateAuthConfig(update(), etag),
    onSuccess: () => toast.ok(t.settings.saved),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: authConfigQuery.queryKey });
      void client.invalidateQueries({ queryKey: ["providers"] });
    },
  });
  const test = useMutation({ mutationFn: () => testAuthConfig(trial()) });
  // What a trial refuses is wrong in the form as well.
  const problem = (name: string) => fieldProblem(save.error, name) ?? fieldProblem(test.error, name);
  return { save, test, problem };
}

/** Who becomes what, and whose certificates are believed: the same for both ways. */
export function RolesAndTrust({
  role,
  onRole,
  mapping,
  onMapping,
  roles,
  disabled,
  problem,
  certificates,
}: {
  role: string | null;
  onRole: (role: string | null) => void;
  mapping: Mapping[];
  onMapping: (mapping: Mapping[]) => void;
  roles: { value: string; label: string }[];
  disabled: boolean;
  problem: (name: string) => string | undefined;
  /** The field of the certificates. */
  certificates: ComponentProps<typeof Certificates>;
}) {
  return (
    <>
      <NativeSelect
        label={words.defaultRole}
        description={words.defaultRoleHint}
        data={[{ value: "", label: words.noRole }, ...roles]}
        value={role ?? ""}
        disabled={disabled}
        error={problem("default_role")}
        onChange={(event) => onRole(event.target.value || null)}
      />
      <RoleMapping
        value={mapping}
        roles={roles}
        disabled={disabled}
        error={problem("role_mapping") ?? problem("group") ?? problem("role")}
        onChange={onMapping}
      />
      <Certificates {...certificates} />
    </>
  );
}

export function MethodPanel({
  title,
  text,
  fromFile,
  canTest,
  method,
  names,
  known,
  tryout,
  children,
}: {
  title: string;
  text: string;
  fromFile: boolean;
  canTest: boolean;
  method: ReturnType<typeof useMethod>;
  /** Names of the steps of a test. */
  names: Record<string, string>;
  /** Fields that show their own problem. */
  known: readonly string[];
  /** Stands before the button of the test. */
  tryout?: ReactNode;
  children: ReactNode;
}) {
  const { save, test, problem } = method;
  const told = (error: unknown) =>
    error instanceof ApiError && error.fields.length > 0 && known.some((name) => problem(name) !== undefined);
  return (
    <Panel title={title} text={text}>
      {fromFile && <Notice kind="info">{t.mail.fromFile}</Notice>}
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          const by = (event.nativeEvent as SubmitEvent).submitter as HTMLButtonElement | null;
          if (by?.value === "test") test.mutate();
          else save.mutate();
        }}
      >
        {children}
        {save.isError && !told(save.error) && <Notice kind="error">{message(save.error)}</Notice>}
        {canTest && tryout}
        <div className="actions">
          {!fromFile && (
            <Button type="submit" value="save" loading={save.isPending}>
              {t.common.save}
            </Button>
          )}
          {canTest && (
            <Button type="submit" value="test" variant="default" loading={test.isPending}>
              {words.test}
            </Button>
          )}
        </div>
        {test.isError && !told(test.error) && <Notice kind="error">{message(test.error)}</Notice>}
        <div role="status">
          {test.data && (
            <div className="stack" style={{ gap: 8 }}>
              <strong>{test.data.ok ? words.testOk : words.testFailed}</strong>
              <Steps steps={test.data.steps} label={words.testSteps} names={names} />
            </div>
          )}
        </div>
      </form>
    </Panel>
  );
}
