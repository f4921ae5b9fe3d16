/** Reading audit records, of which nothing is taken for granted. */

/** The members of a record; none of one that cannot be read. */
export function parsed(record: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return object(JSON.parse(record ?? ''));
  } catch {
    return {};
  }
}

/** The members of a value; none of one that is no object. */
export function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
