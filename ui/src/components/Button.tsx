/** Mantine's button, which keeps the focus while it is busy: a button that is disabled under one's hands loses it. */
import { Button as Base, type ButtonProps } from "@mantine/core";
import { type ComponentPropsWithoutRef, useEffect, useRef } from "react";

type Props = ButtonProps & Omit<ComponentPropsWithoutRef<"button">, keyof ButtonProps>;

export function Button({ loading, ...rest }: Props) {
  const element = useRef<HTMLButtonElement>(null);
  const had = useRef(false);
  useEffect(() => {
    if (loading) had.current = document.activeElement === element.current;
    else if (had.current) {
      had.current = false;
      // Only if nothing else took it meanwhile, such as a dialog or a field with a problem.
      if (document.activeElement === document.body) element.current?.focus();
    }
  }, [loading]);
  return <Base ref={element} loading={loading} {...rest} />;
}
