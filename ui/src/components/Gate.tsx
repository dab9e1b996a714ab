import type { ReactNode } from "react";
import { Brand } from "./Brand";

/** The frame of pages before one is signed in. */
export function Gate({ children, wide = false }: { children: ReactNode; wide?: boolean }) {
  return (
    <main className="gate">
      <span className="brand">
        <Brand />
      </span>
      <div className={wide ? "card wide" : "card"}>{children}</div>
    </main>
  );
}
