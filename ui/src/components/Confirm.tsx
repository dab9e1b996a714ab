/** Asks before something that cannot be undone; names the effect and the count. */
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
}: {
  title: string;
  text: string;
  yes: string;
  no: string;
  busy?: boolean;
  onYes: () => void;
  onNo: () => void;
}) {
  return (
    <Dialog title={title} onClose={onNo}>
      <div className="form">
        <p>{text}</p>
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
