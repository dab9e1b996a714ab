/** Evidence of a finding, drawn by its shape. Everything is text: evidence comes from outside. */
import { type ReactNode, useId, useState } from "react";
import { CopyButton } from "../../components/Copy";
import { PlainTable } from "../../components/PlainTable";
import { FIRST, FIRST_CHARACTERS, factName, isWide, MAX_DEPTH, shapeOf } from "../../lib/evidence";
import { exact } from "../../lib/time";
import { t } from "../../strings";

export function Evidence({ value }: { value: unknown }) {
  const shape = shapeOf(value);
  if (shape.kind === "none" || shape.kind === "unknown") return <p className="muted">{t.findings.noEvidence}</p>;
  return (
    <div className="stack" style={{ gap: 6 }}>
      <div className="evidence">
        {shape.kind === "facts" ? (
          <Fact value={value} name="" depth={0} />
        ) : (
          <div className="sole">
            <Fact value={value} name="" depth={1} />
          </div>
        )}
      </div>
      <div>
        <CopyButton label={t.evidence.copyJson} text={JSON.stringify(value, null, 2)} />
      </div>
    </div>
  );
}

interface Row {
  id: string;
  row: Record<string, unknown>;
}

function Fact({ value, name, depth }: { value: unknown; name: string; depth: number }): ReactNode {
  const shape = shapeOf(value, name);
  switch (shape.kind) {
    case "unknown":
      return <span className="muted">{t.evidence.unknown}</span>;
    case "none":
      return <span className="muted">{t.common.none}</span>;
    case "yes":
      return t.common.yes;
    case "no":
      return t.common.no;
    case "number":
      return <span className="raw">{shape.text}</span>;
    case "instant":
      return (
        <time dateTime={shape.text} title={shape.text}>
          {exact(shape.text)}
        </time>
      );
    case "text":
      return <Text text={shape.text} />;
    case "list":
    case "table":
    case "facts":
      if (depth >= MAX_DEPTH) return <Text text={JSON.stringify(value)} />;
  }
  if (shape.kind === "facts") {
    return (
      <Part of={shape.entries}>
        {(entries) => (
          <dl>
            {entries.map(([key, fact]) => (
              <div key={key} style={{ display: "contents" }}>
                <dt className={isWide(fact) ? "wide" : undefined}>{factName(key)}</dt>
                <dd className={isWide(fact) ? "wide" : undefined}>
                  <Fact value={fact} name={key} depth={depth + 1} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Part>
    );
  }
  if (shape.kind === "table") {
    return (
      <Part of={shape.rows}>
        {(rows) => (
          <PlainTable
            label={factName(name)}
            rows={rows.map((row, index): Row => ({ row, id: String(index) }))}
            id={(entry) => entry.id}
            columns={shape.columns.map((column) => ({
              title: factName(column),
              cell: (entry: Row) => <Fact value={entry.row[column] ?? null} name={column} depth={depth + 1} />,
            }))}
          />
        )}
      </Part>
    );
  }
  return (
    <Part of={shape.items}>
      {(items) => (
        <ul>
          {items.map((item, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: evidence never changes, and values may repeat
            <li key={index}>
              <Fact value={item} name={name} depth={depth + 1} />
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

/** The first of many, and the rest when asked for. */
function Part<T>({ of, children }: { of: readonly T[]; children: (shown: readonly T[]) => ReactNode }) {
  const [all, setAll] = useState(false);
  return (
    <>
      {children(all ? of : of.slice(0, FIRST))}
      {!all && of.length > FIRST && (
        <button type="button" className="linkbtn" onClick={() => setAll(true)}>
          {t.evidence.all(of.length)}
        </button>
      )}
    </>
  );
}

function Text({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const id = useId();
  const long = text.length > FIRST_CHARACTERS;
  return (
    <>
      <span className="raw" id={id}>
        {long && !all ? `${text.slice(0, FIRST_CHARACTERS)}…` : text}
      </span>
      {long && !all && (
        <button type="button" className="linkbtn" aria-describedby={id} onClick={() => setAll(true)}>
          {t.evidence.rest(text.length - FIRST_CHARACTERS)}
        </button>
      )}
    </>
  );
}
