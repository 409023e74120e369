import { pino, type Logger as PinoLogger } from 'pino';

import type { LogFields, Logger } from '../lock/logger';
import { type LogEntry, toJsonLine, toTextLine } from './log-line';
import { toLocalTimestamp } from './local-timestamp';

/** The levels of `--log-level`, most talkative first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Where log lines go and what stands in each of them. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** JSON lines instead of text (`--log-as-json`). */
  readonly asJson: boolean;
  readonly appId: string;
  /** The machine's name, as daprd logs it. */
  readonly instance: string;
  /** The Dapr version that is served: daprd's log has it in `ver`. */
  readonly daprVersion: string;
  readonly now: () => Date;
  /** Gets whole lines, each with its line break. */
  readonly write: (line: string) => void;
}

/** The scope of lines that no room claims. */
const ROOT_SCOPE = 'dapr.runtime';

/**
 * Makes the log of the process: pino's levels and children, in daprd's two line formats. pino
 * writes JSON by itself; its lines are reshaped here because tools know daprd's.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { appId, instance, daprVersion, now } = options;
  const format = options.asJson ? toJsonLine : toTextLine;
  const root = pino(
    {
      level: options.level,
      base: { app_id: appId, instance, type: 'log', ver: daprVersion },
      timestamp: () => `,"time":"${toLocalTimestamp(now())}"`,
      // daprd spells it out (logrus).
      formatters: { level: (label) => ({ level: label === 'warn' ? 'warning' : label }) },
    },
    {
      write: (line: string) => {
        options.write(format(JSON.parse(line) as LogEntry));
      },
    },
  );
  return toLogger(root, ROOT_SCOPE);
}

function toLogger(root: PinoLogger, scope: string, options?: { readonly level: 'info' }): Logger {
  const scopedLog = root.child({ scope }, options);
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      scopedLog[level](fields, message);
    };
  return {
    isDebug: scopedLog.isLevelEnabled('debug'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    scoped: (name, own) => toLogger(root, name, own),
  };
}
