import { toGoJson } from '../go/go-json';
import { toVisible } from './visible-text';

/** A log entry: `time`, `level`, `msg` and further fields, all with scalar values. */
export type LogEntry = Readonly<Record<string, string | number | boolean>>;

/** The first fields of a text line. The others follow in alphabetical order. */
const LEADING = ['time', 'level', 'msg'];

/** Texts that logrus writes without quotes. */
const PLAIN = /^[\w\-./@^+]*$/;

/**
 * Formats a line as daprd's text log does (logrus' TextFormatter without a terminal): `key=value`,
 * quoted if necessary. Log shippers for daprd can parse it. No client can control the operator's
 * terminal through it: see {@link toVisible}.
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

/**
 * Formats a line as daprd's JSON log does (`--log-as-json`): keys in order, escaped as in Go, and
 * {@link toVisible}.
 */
export function toJsonLine(entry: LogEntry): string {
  const sorted = Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${toVisible(toGoJson(Object.fromEntries(sorted)))}\n`;
}
