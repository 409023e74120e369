/** Additional fields of a log line, by name. Never put tokens or passwords here, at any level. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/**
 * Writes log lines. The rooms use this interface instead of a logging library; `observability/`
 * implements it. Resources and owners may appear at debug level only.
 */
export interface Logger {
  /** False if debug lines are dropped. Callers can then skip creating their fields. */
  readonly isDebug: boolean;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /**
   * The same log under another scope, for example `dapr.runtime.http`. If a level is given, it
   * replaces the level of the log.
   */
  scoped(scope: string, options?: { readonly level: 'info' }): Logger;
}
