import type { ErrorComponentProps } from "@tanstack/react-router";
import { Button } from "../components/Button";
import { Link } from "../components/Link";
import { ErrorState } from "../components/states";
import { t } from "../strings";

/** Stands alone, without the frame: the address may belong to nobody who is signed in. */
export function NotFound() {
  return (
    <main className="gate">
      <div className="state">
        <h1>{t.notFound.title}</h1>
        <p>{t.notFound.text}</p>
        <Link to="/">{t.notFound.home}</Link>
      </div>
    </main>
  );
}

export function Crashed({ error, reset }: ErrorComponentProps) {
  return (
    <div>
      <ErrorState error={error} title={t.notFound.crashed} />
      <div className="state">
        <p>{t.notFound.crashedText}</p>
        <Button variant="default" onClick={reset}>
          {t.common.retry}
        </Button>
      </div>
    </div>
  );
}
