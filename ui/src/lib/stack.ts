/**
 * Paths of a stacked area: the first key lies at the bottom. `top` is the value at the upper edge.
 */
export function stack<Key extends string>(
  rows: readonly Record<Key, number>[],
  keys: readonly Key[],
  width: number,
  height: number,
  top: number,
): string[] {
  const x = (index: number) => round((index / Math.max(rows.length - 1, 1)) * width);
  const y = (value: number) => round(height - (value / top) * height);
  const base = rows.map(() => 0);
  return keys.map((key) => {
    const lower = [...base];
    rows.forEach((row, index) => {
      base[index] = (base[index] ?? 0) + row[key];
    });
    const up = base.map((value, index) => `${x(index)},${y(value)}`);
    const down = lower.map((value, index) => `${x(index)},${y(value)}`).reverse();
    return `M${[...up, ...down].join("L")}Z`;
  });
}

const round = (value: number) => Math.round(value * 10) / 10;
