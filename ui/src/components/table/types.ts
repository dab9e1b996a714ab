import type { ReactNode } from "react";

export interface Column<Row> {
  id: string;
  title: string;
  cell: (row: Row) => ReactNode;
  /** The server's name of the sort column; left out: not sortable. */
  sort?: string;
  /** First click sorts descending (times, severity, counts). */
  descFirst?: boolean;
  numeric?: boolean;
  /** Hidden until chosen. */
  extra?: boolean;
  /** Cannot be hidden. */
  fixed?: boolean;
  width?: number | string;
  /** The title is read out only, as over a column of buttons. */
  quiet?: boolean;
  /** Left out while a drawer stands beside the table. */
  wide?: boolean;
}

export interface FilterOption {
  value: string;
  label: string;
}

export interface Filter {
  name: string;
  label: string;
  /** Fixed choices; left out: any text (typed query only). */
  options?: readonly FilterOption[];
  /** Shown as a button in the bar. */
  button?: boolean;
  /** The server takes one value of it at a time. */
  single?: boolean;
}
