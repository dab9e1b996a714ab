/** CSV import: choose or paste, look at the rows, import; what was left out is named row by row. */
import { Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ImportResult } from "../../api/model";
import { importAssets } from "../../api/queries";
import { message } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { firstRows } from "../../lib/csv";
import { t } from "../../strings";

const SHOWN = 8;
const LIMIT = 10_000;
const EXAMPLE = "name,target_type,target_value,tags\nShop,domain,shop.example.com,pci;web";

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [file, setFile] = useState<Blob | null>(null);
  const [rows, setRows] = useState<string[][]>([]);

  const write = useMutation({
    mutationFn: (source: Blob) => importAssets(source),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["assets"] });
      void client.invalidateQueries({ queryKey: ["summary"] });
    },
  });

  const take = async (source: Blob) => {
    write.reset();
    setFile(source);
    setRows(firstRows(await source.text(), LIMIT + 2));
  };
  const head = rows[0]?.map((name) => name.trim().toLowerCase()) ?? [];
  const count = Math.max(rows.length - 1, 0);
  const problem =
    rows.length === 0
      ? null
      : !head.includes("target_value") || !head.includes("target_type")
        ? t.assets.importer.header
        : count > LIMIT
          ? t.assets.importer.tooMany
          : null;

  return (
    <Dialog title={t.assets.importer.title} onClose={onClose} wide>
      <div className="form">
        <p className="muted">{t.assets.importer.text}</p>
        <div className="two">
          <label className="choice" style={{ gridTemplateColumns: "minmax(0, 1fr)", alignSelf: "start" }}>
            <strong>{t.assets.importer.choose}</strong>
            <input
              type="file"
              accept=".csv,text/csv"
              style={{ width: "auto", height: "auto" }}
              onChange={(event) => event.target.files?.[0] && void take(event.target.files[0])}
            />
          </label>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (text.trim()) void take(new Blob([text], { type: "text/csv" }));
            }}
          >
            <Textarea
              label={t.assets.importer.paste}
              rows={4}
              value={text}
              placeholder={EXAMPLE}
              spellCheck={false}
              onChange={(event) => setText(event.target.value)}
            />
            <Button type="submit" variant="default" mt={8} disabled={!text.trim()}>
              {t.assets.importer.check}
            </Button>
          </form>
        </div>
        {problem && <Notice kind="error">{problem}</Notice>}
        {write.error && <Notice kind="error">{message(write.error)}</Notice>}
        {write.data ? <Outcome result={write.data} /> : <Preview rows={rows} count={count} />}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {write.data ? t.common.close : t.common.cancel}
          </Button>
          {!write.data && (
            <Button
              disabled={!file || count === 0 || problem !== null}
              loading={write.isPending}
              onClick={() => file && write.mutate(file)}
            >
              {count > 0 ? t.assets.importer.submit(count) : t.assets.import}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Preview({ rows: all, count }: { rows: string[][]; count: number }) {
  const [head, ...rest] = all;
  if (!head) return null;
  const rows = rest.slice(0, SHOWN);
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="tablewrap">
        <table className="data plain" data-density="compact" aria-label={t.assets.importer.previewLabel}>
          <thead>
            <tr>
              <th scope="col" className="num">
                {t.assets.importer.row}
              </th>
              {head.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file have no other identity
              <tr key={index}>
                <td className="num muted">{index + 2}</td>
                {head.map((name, column) => (
                  <td key={name} className="mono small">
                    {row[column]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {count > rows.length && <p className="small muted">{t.assets.importer.shown(rows.length, count)}</p>}
    </div>
  );
}

function Outcome({ result }: { result: ImportResult }) {
  return (
    <div className="stack" aria-live="polite">
      <Notice kind={result.errors.length > 0 ? "warn" : "ok"}>
        {t.assets.importer.result(result.created, result.duplicates, result.invalid)}
      </Notice>
      {result.errors.length > 0 && (
        <div className="tablewrap" style={{ maxHeight: 220, overflowY: "auto" }}>
          <table className="data plain" data-density="compact" aria-label={t.assets.importer.errorsLabel}>
            <thead>
              <tr>
                <th scope="col" className="num" style={{ width: 64 }}>
                  {t.assets.importer.row}
                </th>
                <th scope="col">{t.assets.importer.field}</th>
                <th scope="col">{t.assets.importer.problem}</th>
              </tr>
            </thead>
            <tbody>
              {result.errors.map((problem) => (
                <tr key={`${problem.row}-${problem.field}-${problem.message}`}>
                  <td className="num">{problem.row}</td>
                  <td className="mono small">{problem.field}</td>
                  <td>{problem.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
