/** A time as the reader's clock shows it; UTC on hovering. */

interface Props {
  /** Seconds since the epoch, as the API has them. */
  readonly seconds: number | undefined;
  /** What stands there if there is none. */
  readonly absent: string;
}

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function Time({ seconds, absent }: Props) {
  if (seconds === undefined) {
    return absent;
  }
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) {
    return absent;
  }
  const utc = date.toISOString();
  return (
    <time dateTime={utc} title={utc}>
      {LOCAL.format(date)}
    </time>
  );
}
