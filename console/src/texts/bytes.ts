/** Amounts of bytes, in words. */

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** `812 B`, `4.7 MiB`. */
export function bytes(count: number): string {
  let [value, unit]: [number, string] = [count, 'B'];
  for (const next of UNITS) {
    if (value < 1024) {
      break;
    }
    [value, unit] = [value / 1024, next];
  }
  return unit === 'B' ? `${value} B` : `${value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
