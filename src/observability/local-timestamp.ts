/**
 * Formats a time as RFC 3339 in the machine's time zone, in milliseconds. This is the form of
 * daprd's log times (Go's RFC3339Nano, whose further digits Node's clock does not have).
 */
export function toLocalTimestamp(moment: Date): string {
  const offsetMinutes = -moment.getTimezoneOffset();
  const local = new Date(moment.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
  return local + toOffset(offsetMinutes);
}

function toOffset(minutes: number): string {
  if (minutes === 0) return 'Z';
  const [sign, absolute] = [minutes < 0 ? '-' : '+', Math.abs(minutes)];
  return `${sign}${twoDigits(absolute / 60)}:${twoDigits(absolute % 60)}`;
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
