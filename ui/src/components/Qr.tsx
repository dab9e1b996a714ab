/** A QR code drawn here: what it says is a secret and goes to nobody else. */
import { encode } from "uqr";

const QUIET = 4;

export default function Qr({ text, label }: { text: string; label: string }) {
  const code = encode(text, { ecc: "M", border: 0 });
  const path = code.data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")))
    .join("");
  const size = code.size + 2 * QUIET;
  return (
    // Dark on light in both themes: many readers do not know it the other way round.
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path d={`M0 0h${size}v${size}h-${size}z`} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
