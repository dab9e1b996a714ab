import { Button } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { Link } from "../components/Link";
import { ErrorState, State } from "../components/states";
import { t } from "../strings";

export function NotFound() {
  return (
    <State title={t.notFound.title} text={t.notFound.text}>
      <Link to="/">{t.notFound.home}</Link>
    </State>
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
