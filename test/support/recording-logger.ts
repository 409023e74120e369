import type { LogFields, Logger } from '../../src/base/logger';

/** A line that was logged, with the scope it was logged under. */
export interface RecordedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
  readonly scope: string;
}

/** A Logger that keeps what it is told, for tests that read the log. */
export class RecordingLogger implements Logger {
  readonly isDebug = true;
  readonly lines: RecordedLine[];
  readonly #scope: string;

  constructor(scope = 'root', lines: RecordedLine[] = []) {
    this.#scope = scope;
    this.lines = lines;
  }

  debug(message: string, fields?: LogFields): void {
    this.#record('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#record('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#record('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#record('error', message, fields);
  }

  fatal(message: string, fields?: LogFields): void {
    this.#record('fatal', message, fields);
  }

  scoped(scope: string): Logger {
    return new RecordingLogger(scope, this.lines);
  }

  /** The messages of one level, in order. */
  messages(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  #record(level: string, message: string, fields: LogFields = {}): void {
    this.lines.push({ level, message, fields, scope: this.#scope });
  }
}
