/** One member: who it is, and what an administrator can do for them or about them. */
import { Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ApiError, fieldProblem } from "../../api/errors";
import {
  type Book,
  changePlace,
  createPasswordLink,
  deleteMember,
  endSessionsOf,
  personQuery,
  removeFactorOf,
  updateUser,
} from "../../api/people";
import { useDo } from "../../app/do";
import { message, toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { useConfirmed } from "../../components/confirmed";
import { Dialog } from "../../components/Dialog";
import { Drawer } from "../../components/Drawer";
import { Link } from "../../components/Link";
import { Ago } from "../../components/marks";
import { Notice } from "../../components/Notice";
import { ErrorState, SkeletonLines } from "../../components/states";
import { type Person, type Verdict, verdicts } from "../../lib/people";
import { roleName } from "../../lib/role-name";
import { exact } from "../../lib/time";
import { t } from "../../strings";
import { PasswordLinkMade, type Reader, useGivenRoles, useRoles } from "./parts";

const words = t.people;
const KEYS = [["members"], ["api-keys"], ["roles"]];

export function MemberDrawer({
  id,
  reader,
  book,
  onClose,
  onMove,
}: {
  id: string;
  reader: Reader;
  book: Book;
  onClose: () => void;
  onMove: (step: 1 | -1) => void;
}) {
  const query = useQuery(personQuery(book, id));
  const roles = useRoles();
  const [editing, setEditing] = useState(false);
  const person = query.data;
  const activate = useDo(
    () => changePlace(book, id, { is_active: true }),
    ({ username }) => words.isActive(username),
    [["members"]],
  );
  const [askDeactivate, deactivating] = useConfirmed(
    (who: Person) => changePlace(book, who.id, { is_active: false }),
    (who) => ({
      title: words.deactivateTitle(who.username),
      text: words.deactivateAsk,
      yes: words.deactivate,
      done: words.isDeactivated(who.username),
    }),
    KEYS,
  );
  const [askRemove, removing] = useConfirmed(
    (who: Person) => deleteMember(who.id),
    (who) => ({
      title: t.team.removeTitle(who.username),
      text: t.team.removeText,
      yes: t.team.remove,
      done: t.team.removed(who.username),
    }),
    [["members", book], ["api-keys"], ["roles"]],
    onClose,
  );
  const may = person ? verdicts(person, reader, roles) : null;
  const edits = may && (may.email === "yes" || may.role === "yes");
  return (
    <Drawer
      id={id}
      label={person?.username ?? words.one}
      onClose={onClose}
      onMove={onMove}
      head={
        person ? (
          <>
            <h2>
              {person.username} {person.id === reader.id && <span className="tag">{t.team.you}</span>}
            </h2>
            <span className="small muted">{roleName(person.role)}</span>
          </>
        ) : null
      }
      footer={
        person && may && (edits || may.active === "yes" || may.remove === "yes") ? (
          <div className="actions">
            {edits && (
              <Button variant="default" onClick={() => setEditing(true)}>
                {words.edit}
              </Button>
            )}
            {may.active === "yes" &&
              (person.active ? (
                <Button variant="default" onClick={() => askDeactivate(person)}>
                  {words.deactivate}
                </Button>
              ) : (
                <Button loading={activate.isPending} onClick={() => activate.mutate()}>
                  {words.activate}
                </Button>
              ))}
            {may.remove === "yes" && (
              <Button variant="default" onClick={() => askRemove(person)}>
                {words.remove}
              </Button>
            )}
          </div>
        ) : undefined
      }
    >
      {query.isError && (
        <ErrorState error={query.error} retry={() => void query.refetch()} title={t.notFound.missing(words.one)} />
      )}
      {!person && !query.isError && <SkeletonLines />}
      {person && may && (
        <>
          <section className="stack">
            <Facts person={person} book={book} />
            {may.role === "self" && (
              <p className="small muted">
                {words.self} <Link to="/settings/account">{t.settings.accountTab}</Link>
              </p>
            )}
            {may.role === "beyond" && <Notice kind="info">{words.beyond}</Notice>}
          </section>
          <Deed title={words.newPassword} verdict={may.password} person={person}>
            <NewPassword key={person.id} person={person} />
          </Deed>
          <Deed title={words.factor} verdict={may.factor} person={person}>
            <Factor person={person} />
          </Deed>
          <Deed title={t.sessions.title} verdict={may.sessions} person={person}>
            <Sessions key={person.id} person={person} />
          </Deed>
        </>
      )}
      {editing && person && may && (
        <Edit
          person={person}
          book={book}
          email={may.email === "yes"}
          role={may.role === "yes"}
          onClose={() => setEditing(false)}
        />
      )}
      {deactivating}
      {removing}
    </Drawer>
  );
}

function Facts({ person, book }: { person: Person; book: Book }) {
  return (
    <dl className="facts">
      <dt>{words.state}</dt>
      <dd>
        <StateOf person={person} />
      </dd>
      <dt>{words.email}</dt>
      <dd>{person.email}</dd>
      <dt>{t.settings.signsIn}</dt>
      <dd>{t.settings.providers[person.provider] ?? person.provider}</dd>
      <dt>{t.team.columns.seen}</dt>
      <dd>
        <Ago at={person.lastLogin} otherwise={t.common.never} />
      </dd>
      <dt>{book === "members" ? words.since : words.addedAt}</dt>
      <dd>{exact(person.since)}</dd>
    </dl>
  );
}

function StateOf({ person }: { person: Person }) {
  return (
    <span className={person.active ? "st" : "st st-muted"}>
      <i aria-hidden>{person.active ? "●" : "–"}</i>
      {person.active ? words.active : words.deactivated}
    </span>
  );
}

/** A part of the drawer for one thing to do; where it cannot be done, the reason stands there instead. */
function Deed({
  title,
  verdict,
  person,
  children,
}: {
  title: string;
  verdict: Verdict;
  person: Person;
  children: ReactNode;
}) {
  if (verdict === "never" || verdict === "self" || verdict === "beyond") return null;
  return (
    <section>
      <h3>{title}</h3>
      {verdict === "yes" ? (
        <div className="stack">{children}</div>
      ) : (
        <p className="muted">
          {verdict === "elsewhere"
            ? words.keptElsewhere(t.settings.providers[person.provider] ?? person.provider)
            : words.inactive}
        </p>
      )}
    </section>
  );
}

function NewPassword({ person }: { person: Person }) {
  const link = useMutation({ mutationFn: () => createPasswordLink(person.id) });
  return (
    <>
      <p className="muted">{words.linkText}</p>
      <div className="actions">
        <Button variant="default" loading={link.isPending} onClick={() => link.mutate()}>
          {words.makeLink}
        </Button>
      </div>
      {link.error && <Notice kind="error">{message(link.error)}</Notice>}
      <div role="status" className="stack">
        {link.data && <PasswordLinkMade made={link.data} email={person.email} />}
      </div>
    </>
  );
}

function Sessions({ person }: { person: Person }) {
  const [asking, setAsking] = useState(false);
  const [keys, setKeys] = useState(false);
  const end = useDo(
    () => endSessionsOf(person.id, keys ? "revoke" : "keep"),
    () => words.sessionsEnded(person.username),
    [["api-keys"]],
  );
  return (
    <>
      <p className="muted">{words.sessionsText}</p>
      <div className="actions">
        <Button variant="default" onClick={() => setAsking(true)}>
          {words.endSessions}
        </Button>
      </div>
      {asking && (
        <Confirm
          title={words.sessionsTitle(person.username)}
          text={words.sessionsAsk}
          yes={words.endSessions}
          no={t.common.cancel}
          busy={end.isPending}
          onYes={() => end.mutate(undefined, { onSettled: () => setAsking(false) })}
          onNo={() => setAsking(false)}
        >
          <Checkbox
            label={words.alsoKeys}
            description={words.alsoKeysHint}
            checked={keys}
            onChange={(event) => setKeys(event.target.checked)}
          />
        </Confirm>
      )}
    </>
  );
}

function Factor({ person }: { person: Person }) {
  const [ask, dialog] = useConfirmed(
    (who: Person) => removeFactorOf(who.id),
    (who) => ({
      title: words.factorTitle(who.username),
      text: words.factorAsk,
      yes: words.removeFactor,
      done: words.factorRemoved(who.username),
    }),
    [],
  );
  return (
    <>
      <p className="muted">{words.factorText}</p>
      <div className="actions">
        <Button variant="default" onClick={() => ask(person)}>
          {words.removeFactor}
        </Button>
      </div>
      {dialog}
    </>
  );
}

function Edit({
  person,
  book,
  email: mayEmail,
  role: mayRole,
  onClose,
}: {
  person: Person;
  book: Book;
  email: boolean;
  role: boolean;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const roles = useGivenRoles();
  const [email, setEmail] = useState(person.email);
  const [role, setRole] = useState(person.role);
  const save = useMutation({
    mutationFn: async () => {
      const mail = mayEmail && email !== person.email ? { email } : {};
      const place = mayRole && role !== person.role ? { role } : {};
      // One change where the address is of it: all of it, or nothing.
      if ("email" in mail) await updateUser(person.id, { ...mail, ...place });
      else if ("role" in place) await changePlace(book, person.id, place);
    },
    onSuccess: () => {
      toast.ok(words.edited(person.username));
      onClose();
    },
    onSettled: () => {
      for (const queryKey of [["members"], ["roles"], ["me"]]) void client.invalidateQueries({ queryKey });
    },
  });
  // An address that somebody else has, or that is not to be changed here: said at the address.
  const refused = save.error instanceof ApiError && save.error.status === 409 && email !== person.email;
  const emailProblem = fieldProblem(save.error, "email") ?? (refused ? message(save.error) : undefined);
  const roleProblem = fieldProblem(save.error, "role");
  return (
    <Dialog title={words.editTitle(person.username)} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {mayEmail && (
          <TextInput
            type="email"
            label={words.email}
            description={words.emailHint}
            required
            withAsterisk={false}
            maxLength={254}
            autoComplete="off"
            value={email}
            error={emailProblem}
            onChange={(event) => {
              setEmail(event.target.value);
              save.reset();
            }}
          />
        )}
        {mayRole && (
          <NativeSelect
            label={words.role}
            data={roles}
            value={role}
            error={roleProblem}
            onChange={(event) => setRole(event.target.value)}
          />
        )}
        {save.isError && !emailProblem && !roleProblem && <Notice kind="error">{message(save.error)}</Notice>}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t.common.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
