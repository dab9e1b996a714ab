/** A native modal dialog: the browser keeps focus inside, closes on Esc and gives focus back. */
import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { t } from "../strings";

export function Dialog({
  title,
  onClose,
  children,
  wide = false,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const label = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    // The browser would focus the close button; the first thing to fill in or to press is what one came for.
    dialog
      ?.querySelector<HTMLElement>(".body :is(input, select, textarea, button):not([disabled], [tabindex='-1'])")
      ?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className={wide ? "modal wide" : "modal"}
      aria-labelledby={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={label}>{title}</h2>
        <button type="button" className="iconbtn" aria-label={t.common.close} onClick={onClose}>
          <X aria-hidden />
        </button>
      </header>
      <div className="body">{children}</div>
    </dialog>
  );
}
