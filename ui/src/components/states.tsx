/** Empty, failed and missing: what happened, what to do, and the request id to quote. */

import type { ReactNode } from "react";
import { ApiError } from "../api/errors";
import { message } from "../app/toasts";
import { t } from "../strings";
import { Button } from "./Button";

export function State({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {children && <div className="actions">{children}</div>}
    </div>
  );
}

export function ErrorState({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const id = error instanceof ApiError ? error.requestId : null;
  return (
    <div className="state" role="alert">
      <h2>{title ?? t.table.error}</h2>
      <p>{message(error)}</p>
      {id && <p className="small mono">{t.common.requestId(id)}</p>}
      {retry && (
        <div className="actions">
          <Button variant="default" onClick={retry}>
            {t.common.retry}
          </Button>
        </div>
      )}
    </div>
  );
}

export function SkeletonLines({ lines = 6 }: { lines?: number }) {
  return (
    <div role="status" aria-label={t.common.loading} style={{ display: "grid", gap: 14, padding: "8px 0" }}>
      {Array.from({ length: lines }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <span key={index} className="skel" style={{ width: `${[92, 64, 78, 48, 86, 58][index % 6]}%` }} />
      ))}
    </div>
  );
}
