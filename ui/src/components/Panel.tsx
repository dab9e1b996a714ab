import { type ReactNode, useId } from "react";

/** A titled part of a page. */
export function Panel({
  title,
  text,
  aside,
  children,
}: {
  title: string;
  /** One sentence under the title's line. */
  text?: string;
  /** Stands at the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      <div className="body stack">
        {text && <p className="muted">{text}</p>}
        {children}
      </div>
    </section>
  );
}
