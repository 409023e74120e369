/** Further facts of a log line, by name. Tokens and passwords have no place here at any level. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/**
 * Writes log lines. The rooms get this instead of a logging library; `observability/` makes it.
 * Resources and owners may appear at debug only.
 */
export interface Logger {
  /** False where debug lines go nowhere: their fields need not be made then. */
  readonly isDebug: boolean;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /**
   * The same log under another scope, for example `dapr.runtime.http`; with a level, at that one
   * whatever the log's own is.
   */
  scoped(scope: string, options?: { readonly level: 'info' }): Logger;
}
