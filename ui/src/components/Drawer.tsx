/**
 * A panel beside a table for one of its rows. It has an address, it does not trap focus (the table stays usable and
 * `j`/`k` walk on), and Esc closes it and gives focus back to the row.
 */
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useActions } from "../app/actions";
import { t } from "../strings";

export function Drawer({
  id,
  label,
  head,
  children,
  footer,
  onClose,
  onMove,
}: {
  /** Changes when another row is shown. */
  id: string;
  label: string;
  head: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  onClose: () => void;
  onMove?: (step: 1 | -1) => void;
}) {
  const panel = useRef<HTMLElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  useActions([{ id: "close", title: t.actions.close, keys: ["Esc"], section: "drawer", run: onClose }]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another row starts at its top
  useEffect(() => {
    scroll.current?.scrollTo(0, 0);
  }, [id]);
  useEffect(() => {
    // Coming by link there is no focused row: then the panel gets the focus.
    if (document.activeElement === document.body) panel.current?.focus();
  }, []);
  return (
    <aside ref={panel} className="drawer" aria-label={label} tabIndex={-1}>
      <header>
        <div>{head}</div>
        <span className="pager">
          {onMove && (
            <>
              <button type="button" className="iconbtn" aria-label={t.findings.previous} onClick={() => onMove(-1)}>
                <ChevronUp aria-hidden />
              </button>
              <button type="button" className="iconbtn" aria-label={t.findings.next} onClick={() => onMove(1)}>
                <ChevronDown aria-hidden />
              </button>
            </>
          )}
          <button type="button" className="iconbtn" aria-label={t.common.close} onClick={onClose}>
            <X aria-hidden />
          </button>
        </span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <div className="scroll" ref={scroll} tabIndex={0}>
        {children}
      </div>
      {footer && <footer>{footer}</footer>}
    </aside>
  );
}
