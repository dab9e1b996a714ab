import { ChevronLeft, ChevronRight } from "lucide-react";
import { t } from "../strings";

/** Turns the pages of a plain list; nothing while there is one page only. */
export function Pages({ page, pages, go }: { page: number; pages: number; go: (page: number) => void }) {
  if (pages <= 1) return null;
  return (
    <span className="pager">
      <button
        type="button"
        className="iconbtn"
        aria-label={t.table.previous}
        disabled={page <= 1}
        onClick={() => go(page - 1)}
      >
        <ChevronLeft aria-hidden />
      </button>
      <span className="muted small">{t.table.page(page, pages)}</span>
      <button
        type="button"
        className="iconbtn"
        aria-label={t.table.next}
        disabled={page >= pages}
        onClick={() => go(page + 1)}
      >
        <ChevronRight aria-hidden />
      </button>
    </span>
  );
}
