/** A short list that is read, not worked on: no filters, no selection. Long lists are `table/DataTable.tsx`. */
import { type ReactNode, useEffect, useRef, useState } from "react";

export interface PlainColumn<Row> {
  title: string;
  /** The title is read out only, as over a column of buttons. */
  quiet?: boolean;
  /** Left out where the page is narrow. */
  wide?: boolean;
  cell: (row: Row) => ReactNode;
}

function classOf<Row>(column: PlainColumn<Row>): string | undefined {
  return column.quiet ? "rowactions" : column.wide ? "wideonly" : undefined;
}

export function PlainTable<Row>({
  label,
  columns,
  rows,
  id,
}: {
  label: string;
  columns: readonly PlainColumn<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
}) {
  const wrap = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  // What scrolls must be reachable by keyboard, and what does not must not be a stop on the way.
  useEffect(() => {
    const element = wrap.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={wrap} className="tablewrap" tabIndex={scrolls ? 0 : undefined}>
      <table className="data plain" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={column.wide ? "wideonly" : undefined}>
                {column.quiet ? <span className="sr">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => (
                <td key={column.title} className={classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
