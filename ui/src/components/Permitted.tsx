/** What somebody may do, in words. */
import { grouped } from "../lib/permissions";
import { t } from "../strings";

const words = t.roles;

function Words({ of }: { of: readonly string[] }) {
  return (
    <ul>
      {of.map((permission) => (
        <li key={permission} title={permission}>
          {words.permissions[permission] ?? <span className="mono">{permission}</span>}
        </li>
      ))}
    </ul>
  );
}

export function Permitted({ permissions }: { permissions: readonly string[] }) {
  return (
    <div className="permitted">
      {grouped(permissions).map(({ id, permissions: held }) =>
        id === "unused" ? (
          <details key={id}>
            <summary>{words.groups[id]}</summary>
            <p className="small muted">{words.unusedText}</p>
            <Words of={held} />
          </details>
        ) : (
          <section key={id}>
            <h3>{words.groups[id]}</h3>
            <Words of={held} />
          </section>
        ),
      )}
    </div>
  );
}
