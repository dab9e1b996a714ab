import type { MenuProps } from "@mantine/core";

/**
 * A menu of the top bar: inside its landmark, and with nothing but items in it, which is what assistive technology
 * expects of a menu.
 */
export const MENU: Omit<MenuProps, "children"> = {
  position: "bottom-end",
  withinPortal: false,
  withInitialFocusPlaceholder: false,
};
