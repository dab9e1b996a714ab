/** A link to a page of this interface with typed-free search: addresses are strings in one place, `to` and `search`. */
import { Link as RouterLink } from "@tanstack/react-router";
import type { CSSProperties, MouseEventHandler, ReactNode } from "react";
import type { Search } from "../lib/url-state";

export function Link({
  to,
  search,
  hash,
  children,
  className,
  onClick,
  current,
  label,
  style,
}: {
  to: string;
  search?: Search;
  /** Id of the part of the page that is brought in sight. */
  hash?: string;
  children: ReactNode;
  className?: string;
  onClick?: MouseEventHandler;
  /** Marks the link as the page one is on. */
  current?: boolean;
  label?: string;
  style?: CSSProperties;
}) {
  return (
    <RouterLink
      to={to as never}
      search={(search ?? {}) as never}
      hash={hash}
      className={className}
      onClick={onClick}
      aria-current={current ? "page" : undefined}
      aria-label={label}
      style={style}
      // The router marks a link by itself wherever its address begins like the present one: a parent is not its child.
      activeOptions={{ exact: true }}
      activeProps={{ "aria-current": current ? "page" : undefined }}
    >
      {children}
    </RouterLink>
  );
}
