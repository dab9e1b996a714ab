/** `?`: every key that works now, from the action registry. */
import { Dialog } from "../components/Dialog";
import { t } from "../strings";
import { type Action, singleKeys, useRegistered } from "./actions";
import { Keys } from "./Palette";

export function Help({ onClose }: { onClose: () => void }) {
  const actions = useRegistered().filter((action) => action.keys?.length);
  const sections: [Action["section"], string][] = [
    ["global", t.help.global],
    ["table", t.help.table],
    ["drawer", t.help.drawer],
  ];
  return (
    <Dialog title={t.help.title} onClose={onClose}>
      <div className="stack">
        {!singleKeys.on() && <p className="muted">{t.help.off}</p>}
        {sections.map(([section, title]) => {
          const list = actions.filter((action) => action.section === section);
          if (list.length === 0) return null;
          return (
            <section key={section}>
              <h3>{title}</h3>
              <dl className="facts" style={{ marginTop: 8, gridTemplateColumns: "minmax(0, 1fr) max-content" }}>
                {list.map((action) => (
                  <div key={action.id} style={{ display: "contents" }}>
                    <dt style={{ color: "inherit" }}>{action.title}</dt>
                    <dd style={{ display: "flex", gap: 6 }}>
                      {action.keys?.map((keys) => (
                        <Keys key={keys} keys={keys} />
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
    </Dialog>
  );
}
