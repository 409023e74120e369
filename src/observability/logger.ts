import { pino, type Logger as PinoLogger } from 'pino';

import type { LogFields, Logger } from '../base/logger';
import { toLocalTimestamp } from './local-timestamp';
import { type LogEntry, toJsonLine, toTextLine } from './log-line';

/** The levels of `--log-level`, the most verbose first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** The options of a logger. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** JSON lines instead of text (`--log-as-json`). */
  readonly asJson: boolean;
  readonly appId: string;
  /** The name of the machine, as daprd logs it. */
  readonly instance: string;
  /** The Dapr version, which daprd logs as `ver`. */
  readonly daprVersion: string;
  readonly now: () => Date;
  /** Receives complete lines with their line breaks. */
  readonly write: (line: string) => void;
}

/** The log of the process. Its level can change while it runs. */
export interface ProcessLogger extends Logger {
  /** The level of all scopes that have no level of their own. */
  level: LogLevel;
}

/** The scope of lines without a scope of their own. */
const ROOT_SCOPE = 'dapr.runtime';

/**
 * Creates the log of the process: pino with daprd's two line formats. pino itself writes JSON. Its
 * lines are converted here, because tools know daprd's format.
 */
export function createLogger(options: LoggerOptions): ProcessLogger {
  const root = createPino(options, options.level);
  const atInfo = createPino(options, 'info');
  const scoped: Logger['scoped'] = (scope, own) =>
    new ScopedLogger(own === undefined ? root : atInfo, scope, scoped);
  return new RootLogger(root, ROOT_SCOPE, scoped);
}

function createPino(options: LoggerOptions, level: LogLevel): PinoLogger {
  const { appId, instance, daprVersion, now } = options;
  const format = options.asJson ? toJsonLine : toTextLine;
  return pino(
    {
      level,
      base: { app_id: appId, instance, type: 'log', ver: daprVersion },
      timestamp: () => `,"time":"${toLocalTimestamp(now())}"`,
      // daprd (logrus) writes `warning`.
      formatters: { level: (label) => ({ level: label === 'warn' ? 'warning' : label }) },
    },
    {
      write: (line: string) => {
        options.write(format(JSON.parse(line) as LogEntry));
      },
    },
  );
}

/** Not a child logger of pino, because a child keeps the level that it had at its creation. */
class ScopedLogger implements Logger {
  protected readonly pino: PinoLogger;
  readonly #scope: string;
  readonly scoped: Logger['scoped'];

  constructor(pino: PinoLogger, scope: string, scoped: Logger['scoped']) {
    this.pino = pino;
    this.#scope = scope;
    this.scoped = scoped;
  }

  get isDebug(): boolean {
    return this.pino.isLevelEnabled('debug');
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  fatal(message: string, fields?: LogFields): void {
    this.#write('fatal', message, fields);
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (this.pino.isLevelEnabled(level))
      this.pino[level]({ scope: this.#scope, ...fields }, message);
  }
}

class RootLogger extends ScopedLogger implements ProcessLogger {
  get level(): LogLevel {
    return this.pino.level as LogLevel;
  }

  set level(level: LogLevel) {
    this.pino.level = level;
  }
}
