/** Texts of tables. */
export const tableTexts = {
  matches: (count: number) => (count === 1 ? '1 match' : `${count} matches`),
  noMatch: 'No matches',
  clear: 'Clear filter',
  selection: 'Selection',
  select: (row: string) => `Select ${row}`,
  resizer: 'Resize column',
  refresh: 'Refresh',
} as const;
