import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import { download } from "../../api/client";
import type { Scan } from "../../api/model";
import { toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Notice } from "../../components/Notice";
import { t } from "../../strings";
import { isFinal } from "./live";

const FORMATS = ["html", "json", "jsonl", "csv", "sarif"] as const;

export function FilesTab({ scan }: { scan: Scan }) {
  const get = useMutation({
    mutationFn: (format: string) =>
      download(`/api/scans/${scan.id}/download?format=${format}`, `scan-${scan.id}.${format}`),
    onError: toast.error,
  });
  const prefix = useId();
  return (
    <div className="stack">
      {!isFinal(scan.status) && <Notice kind="info">{t.scan.filesRunning}</Notice>}
      <p className="muted">{t.scan.filesText}</p>
      <div className="tablewrap">
        <table className="data plain" aria-label={t.scan.tabs.files}>
          <tbody>
            {FORMATS.map((format) => (
              <tr key={format}>
                <td id={`${prefix}-${format}`} style={{ width: 180, fontWeight: 500 }}>
                  {t.scan.files[format]?.[0]}
                </td>
                <td className="muted">{t.scan.files[format]?.[1]}</td>
                <td className="num">
                  <Button
                    variant="default"
                    loading={get.isPending && get.variables === format}
                    aria-describedby={`${prefix}-${format}`}
                    onClick={() => get.mutate(format)}
                  >
                    {t.scan.download}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
