/** Adds somebody with an account at once. The first password is written here, or set by its owner behind a link. */
import { NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldProblem } from "../../api/errors";
import { createPasswordLink, createUser, type PasswordLink } from "../../api/people";
import { message } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { t } from "../../strings";
import { PasswordLinkMade, useGivenRoles } from "./parts";

const words = t.people;
const FIELDS = ["username", "email", "password", "role"];

type Way = "link" | "hand";

interface Made {
  username: string;
  email: string;
  /** How the password gets to its owner: told by hand, by a link, or not at all. */
  next: "told" | PasswordLink | "failed";
}

export function NewMember({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const roles = useGivenRoles();
  const [username, setUsername] = useState("");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("read_only");
  const [way, setWay] = useState<Way>("link");
  const [password, setPassword] = useState("");
  const create = useMutation({
    mutationFn: async (): Promise<Made> => {
      const user = await createUser({ username, email, role, ...(way === "hand" ? { password } : {}) });
      // The account is there, with or without its link.
      const next = way === "hand" ? "told" : await createPasswordLink(user.id).catch(() => "failed" as const);
      return { username: user.username, email: user.email, next };
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["members"] });
      void client.invalidateQueries({ queryKey: ["roles"] });
    },
  });
  const made = create.data;
  if (made) return <Added made={made} onClose={onClose} />;

  const problem = (name: string) => fieldProblem(create.error, name);
  const told = FIELDS.some((name) => problem(name) !== undefined);
  const ways: [Way, string, string][] = [
    ["link", words.byLink, words.byLinkText],
    ["hand", words.byHand, words.byHandText],
  ];
  return (
    <Dialog title={words.addTitle} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <p className="muted">{words.addText}</p>
        <div className="two">
          <TextInput
            label={words.username}
            description={words.usernameHint}
            required
            withAsterisk={false}
            maxLength={64}
            autoComplete="off"
            spellCheck={false}
            value={username}
            error={problem("username")}
            onChange={(event) => setUsername(event.target.value)}
          />
          <TextInput
            type="email"
            label={words.email}
            required
            withAsterisk={false}
            maxLength={254}
            autoComplete="off"
            value={email}
            error={problem("email")}
            onChange={(event) => setEmail(event.target.value)}
          />
        </div>
        <NativeSelect
          label={words.role}
          data={roles}
          value={role}
          error={problem("role")}
          onChange={(event) => setRole(event.target.value)}
        />
        <fieldset>
          <legend>{words.first}</legend>
          <div className="choices">
            {ways.map(([value, label, text]) => (
              <label key={value} className="choice">
                <input type="radio" name="way" value={value} checked={way === value} onChange={() => setWay(value)} />
                <strong>{label}</strong>
                <small>{text}</small>
              </label>
            ))}
          </div>
        </fieldset>
        {way === "hand" && (
          <PasswordInput
            label={words.password}
            description={words.passwordHint}
            required
            withAsterisk={false}
            autoComplete="new-password"
            maxLength={1024}
            value={password}
            error={problem("password")}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
        {create.isError && !told && <Notice kind="error">{message(create.error)}</Notice>}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={create.isPending}>
            {words.create}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Added({ made, onClose }: { made: Made; onClose: () => void }) {
  const { next } = made;
  return (
    <Dialog title={words.createdTitle(made.username)} onClose={onClose}>
      <div className="form">
        {typeof next === "object" && <PasswordLinkMade made={next} email={made.email} />}
        {next === "told" && <p>{words.createdText(made.username)}</p>}
        {next === "failed" && <Notice kind="warn">{words.noLink(made.username)}</Notice>}
        <div className="foot">
          <Button onClick={onClose}>{t.common.done}</Button>
        </div>
      </div>
    </Dialog>
  );
}
