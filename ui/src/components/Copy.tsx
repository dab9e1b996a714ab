import { Check, Copy as CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { toast } from "../app/toasts";
import { t } from "../strings";

/** Copies also where the clipboard API is missing (plain HTTP on another host than loopback). */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function CopyButton({ text, label = t.common.copy }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button"
      className="iconbtn small"
      onClick={() => copyText(text).then(() => setDone(true), toast.error)}
    >
      {done ? <Check aria-hidden /> : <CopyIcon aria-hidden />}
      <span aria-live="polite">{done ? t.common.copied : label}</span>
    </button>
  );
}

/** Text to take along: a command, a configuration excerpt. */
export function CopyBox({
  label,
  text,
  copies = text,
  wrap = false,
}: {
  label: string;
  text: string;
  /** What is copied, where it differs from what is shown. */
  copies?: string;
  wrap?: boolean;
}) {
  return (
    <div className={wrap ? "copybox wrap" : "copybox"}>
      <header>
        <span>{label}</span>
        <CopyButton text={copies} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
