import { toGoJson } from '../go/go-json';
import { toVisible } from './visible-text';

/** A log entry: `time`, `level`, `msg` and further fields, every value a scalar. */
export type LogEntry = Readonly<Record<string, string | number | boolean>>;

/** The fields that lead a text line; the others follow in order of their names. */
const LEADING = ['time', 'level', 'msg'];

/** What logrus writes without quotes. */
const PLAIN = /^[\w\-./@^+]*$/;

/**
 * A line in daprd's text form (logrus' TextFormatter without a terminal): `key=value`, quoted
 * only where needed. Log shippers that are set up for daprd parse it. No client can write to the
 * operator's terminal by it: see {@link toVisible}.
 */
export function toTextLine(entry: LogEntry): string {
  const names = [
    ...LEADING.filter((name) => name in entry),
    ...Object.keys(entry)
      .filter((name) => !LEADING.includes(name))
      .sort(),
  ];
  return `${names.map((name) => `${name}=${toTextValue(entry[name])}`).join(' ')}\n`;
}

function toTextValue(value: LogEntry[string] | undefined): string {
  const text = String(value);
  return PLAIN.test(text) ? text : toVisible(JSON.stringify(text));
}

/** A line in daprd's JSON form (`--log-as-json`): keys in order, escaped as Go does, and {@link toVisible}. */
export function toJsonLine(entry: LogEntry): string {
  const sorted = Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${toVisible(toGoJson(Object.fromEntries(sorted)))}\n`;
}
