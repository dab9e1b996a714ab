/** Open findings by day as a stacked area, drawn as plain SVG; a table says the same to screen readers. */
import { SEVERITIES, type Severity } from "../../api/model";
import { stack } from "../../lib/stack";
import { t } from "../../strings";

export type Day = Record<Severity, number> & { date: string; total: number };

const WIDTH = 600;
const HEIGHT = 120;

export function TrendArea({ days }: { days: readonly Day[] }) {
  const top = Math.max(1, ...days.map((day) => day.total));
  if (days.length < 2) return <p className="muted">{t.overview.trendShort}</p>;
  // The most severe lies at the bottom, where its own size can be read.
  const layers = stack(days, SEVERITIES, WIDTH, HEIGHT, top);
  return (
    <>
      <svg className="trend" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
        {SEVERITIES.map((severity, index) => (
          <path
            key={severity}
            d={layers[index]}
            style={{ fill: `var(--fill-${severity})`, stroke: "var(--surface)", strokeWidth: 1 }}
            vectorEffect="non-scaling-stroke"
          />
        ))}
      </svg>
      <div className="trendaxis" aria-hidden>
        <span>{day(days[0]?.date)}</span>
        <span>{t.overview.trendTop(top)}</span>
        <span>{day(days[days.length - 1]?.date)}</span>
      </div>
      <div className="sr">
        <table>
          <caption>{t.overview.trend}</caption>
          <thead>
            <tr>
              <th scope="col">{t.overview.day}</th>
              {SEVERITIES.map((severity) => (
                <th key={severity} scope="col">
                  {t.severity[severity]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.map((entry) => (
              <tr key={entry.date}>
                <th scope="row">{entry.date}</th>
                {SEVERITIES.map((severity) => (
                  <td key={severity}>{entry[severity]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

const format = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const day = (date: string | undefined) => (date ? format.format(Date.parse(date)) : "");
