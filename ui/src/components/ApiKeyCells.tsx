/** What tables and drawers tell of an API key alike, whoever looks at it. */
import { t } from "../strings";
import { Button } from "./Button";
import { Ago } from "./marks";

const words = t.keys;

export function KeyPrefix({ of }: { of: { prefix: string } }) {
  return <span className="mono small nowrap">{of.prefix}…</span>;
}

/** What it is narrowed to; `all` says that it is not. */
export function KeyMay({ of, all }: { of: { permissions: readonly string[] | null }; all: string }) {
  if (!of.permissions) return all;
  return (
    <span className="nowrap" title={of.permissions.join(", ")}>
      {words.mayOf(of.permissions.length)}
    </span>
  );
}

export function KeyEnds({ of }: { of: { expired: boolean; expires_at: string | null } }) {
  if (of.expired) return <span className="tag">{words.expired}</span>;
  return <Ago at={of.expires_at} otherwise={t.common.never} />;
}

export function KeyUsed({ of }: { of: { last_used_at: string | null; last_used_ip: string | null } }) {
  return (
    <>
      <Ago at={of.last_used_at} otherwise={t.common.never} />
      {of.last_used_ip && <div className="mono small muted">{of.last_used_ip}</div>}
    </>
  );
}

export function RevokeKey<Key extends { name: string }>({ of, ask }: { of: Key; ask: (key: Key) => void }) {
  return (
    <Button size="compact-sm" variant="default" aria-label={words.revokeOf(of.name)} onClick={() => ask(of)}>
      {words.revoke}
    </Button>
  );
}
