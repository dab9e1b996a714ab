/** Short messages at the corner, read out by screen readers, with an optional undo. */
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { ApiError } from "../api/errors";
import { t } from "../strings";

interface Toast {
  id: number;
  text: string;
  kind: "ok" | "error";
  detail?: string | null;
  action?: { label: string; run: () => void };
  seconds: number;
}

let list: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function publish(changed: Toast[]): void {
  list = changed;
  for (const listener of listeners) listener();
}

export const toast = {
  ok(text: string, action?: Toast["action"]): void {
    publish([...list.slice(-3), { id: next++, text, kind: "ok", action, seconds: action ? 10 : 5 }]);
  },
  error(error: unknown): void {
    const detail = error instanceof ApiError && error.requestId ? t.common.requestId(error.requestId) : null;
    publish([...list.slice(-3), { id: next++, text: message(error), kind: "error", detail, seconds: 12 }]);
  },
  dismiss(id: number): void {
    publish(list.filter((toastItem) => toastItem.id !== id));
  },
};

/** What to tell people about an error: what the server said, or what they can do when it said nothing. */
export function message(error: unknown): string {
  if (!(error instanceof ApiError)) return t.common.failed;
  if (error.status === 0) return t.common.unreachable;
  if (error.status === 403) return error.message || t.common.forbidden;
  const fields = error.fields.map((problem) => problem.message).join(". ");
  return fields ? `${fields}` : error.message;
}

export function Toasts() {
  const items = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => list,
  );
  return (
    <div className="toasts" aria-live="polite">
      {items.map((item) => (
        <ToastItem key={item.id} item={item} />
      ))}
    </div>
  );
}

function ToastItem({ item }: { item: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => toast.dismiss(item.id), item.seconds * 1000);
    return () => clearTimeout(timer);
  }, [item.id, item.seconds]);
  const Icon = item.kind === "ok" ? CircleCheck : CircleAlert;
  return (
    <div className="toast">
      <Icon className={item.kind === "ok" ? "st-pass" : "st-failed"} aria-hidden />
      <div>
        {item.text}
        {item.detail && <div className="small muted mono">{item.detail}</div>}
      </div>
      {item.action && (
        <button
          type="button"
          className="linkbtn"
          onClick={() => {
            item.action?.run();
            toast.dismiss(item.id);
          }}
        >
          {item.action.label}
        </button>
      )}
      <button type="button" className="iconbtn" aria-label={t.common.dismiss} onClick={() => toast.dismiss(item.id)}>
        <X aria-hidden />
      </button>
    </div>
  );
}
