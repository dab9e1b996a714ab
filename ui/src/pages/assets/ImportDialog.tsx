/** CSV import: choose, see what would happen (the server's own dry run, row by row), then do it. */
import { Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ImportResult } from "../../api/model";
import { importAssets } from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { firstRows } from "../../lib/csv";
import { t } from "../../strings";

const SHOWN = 8;
const EXAMPLE = "name,target_type,target_value,tags\nShop,domain,shop.example.com,pci;web";

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [file, setFile] = useState<Blob | null>(null);
  const [sample, setSample] = useState<string[][]>([]);

  const preview = useMutation({
    mutationFn: async (source: Blob) => {
      // Only the beginning is read here; the server reads all of it.
      setSample(firstRows(await source.slice(0, 64_000).text(), SHOWN + 1));
      return importAssets(source, true);
    },
  });
  const write = useMutation({
    mutationFn: (source: Blob) => importAssets(source, false),
    onSuccess: (result) => {
      void client.invalidateQueries({ queryKey: ["assets"] });
      void client.invalidateQueries({ queryKey: ["summary"] });
      toast.ok(t.assets.importer.result(result.created, result.duplicates, result.errors.length));
      onClose();
    },
  });

  const take = (source: Blob) => {
    setFile(source);
    preview.mutate(source);
  };
  const result = preview.data;
  const error = preview.error ?? write.error;

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
              onChange={(event) => event.target.files?.[0] && take(event.target.files[0])}
            />
          </label>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (text.trim()) take(new Blob([text], { type: "text/csv" }));
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
            <Button type="submit" variant="default" mt={8} disabled={!text.trim()} loading={preview.isPending}>
              {t.assets.importer.check}
            </Button>
          </form>
        </div>
        {error !== null && <Notice kind="error">{message(error)}</Notice>}
        {result && <Preview result={result} sample={sample} />}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button
            disabled={!file || !result || result.created === 0}
            loading={write.isPending}
            onClick={() => file && write.mutate(file)}
          >
            {result ? t.assets.importer.submit(result.created) : t.assets.import}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Preview({ result, sample }: { result: ImportResult; sample: string[][] }) {
  const [head, ...rows] = sample;
  return (
    <div className="stack" aria-live="polite">
      <Notice kind={result.errors.length > 0 ? "warn" : "ok"}>
        {t.assets.importer.preview(result.created, result.duplicates, result.errors.length)}
      </Notice>
      {head && (
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
      )}
      {result.rows > rows.length && <p className="small muted">{t.assets.importer.shown(rows.length, result.rows)}</p>}
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
