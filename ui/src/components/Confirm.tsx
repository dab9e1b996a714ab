/** Asks before something that cannot be undone; names the effect and the count. */
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

export function Confirm({
  title,
  text,
  yes,
  no,
  busy = false,
  onYes,
  onNo,
  children,
}: {
  title: string;
  text: string;
  yes: string;
  no: string;
  busy?: boolean;
  onYes: () => void;
  onNo: () => void;
  /** A choice that goes with the yes. */
  children?: ReactNode;
}) {
  return (
    <Dialog title={title} onClose={onNo}>
      <div className="form">
        <p>{text}</p>
        {children}
        <div className="foot">
          <Button variant="default" onClick={onNo} data-autofocus>
            {no}
          </Button>
          <Button color="red" onClick={onYes} loading={busy}>
            {yes}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
