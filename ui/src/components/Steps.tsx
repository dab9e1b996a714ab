/** How a test went, step by step: what was tried, whether it went well, and what was seen. */
interface Step {
  name: string;
  ok: boolean;
  detail: string;
}

export function Steps({
  steps,
  label,
  names,
}: {
  steps: readonly Step[];
  label: string;
  names: Record<string, string>;
}) {
  return (
    <ol className="teststeps" aria-label={label}>
      {steps.map((step) => (
        <li key={step.name}>
          <span className={`st ${step.ok ? "st-pass" : "st-fail"}`}>
            <i aria-hidden>{step.ok ? "✓" : "✕"}</i>
            {names[step.name] ?? step.name}
          </span>
          <span className="muted">{step.detail}</span>
        </li>
      ))}
    </ol>
  );
}
