#!/usr/bin/env node
import { constants, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

import { createApp } from './app/app';
import { createShutdown, type Shutdown, toCopyWindowMs } from './app/shutdown';
import { toStartupHint } from './app/startup-hint';
import { toErrorMessage, toErrorTrace } from './base/error-message';
import { describeFileError } from './base/file-error';
import type { Logger } from './base/logger';
import { DAPR_VERSION, HOLDFAST_VERSION } from './base/version';
import { parseArguments } from './command-line/parse-arguments';
import type { RunOptions } from './command-line/run-options';
import { waitUntilReady } from './command-line/wait';
import { createDebugSwitch } from './observability/debug-switch';
import { logLibraryOutput } from './observability/library-output';
import { createBoundedWriter } from './observability/line-writer';
import { createLogger, type ProcessLogger } from './observability/logger';
import { toVisible } from './observability/visible-text';
import { keepHeapSmall } from './runtime/heap';

/**
 * The entry point: arguments in, exit code out. This is the only file that reads argv and the
 * environment, listens for signals, and ends the process. Resolves with true once a sidecar serves.
 */
async function main(): Promise<boolean> {
  const versions = { daprVersion: DAPR_VERSION, holdfastVersion: HOLDFAST_VERSION };
  const invocation = parseArguments(process.argv.slice(2), process.env, versions);
  switch (invocation.kind) {
    case 'print':
      process.stdout.write(invocation.text);
      break;
    case 'wait':
      await waitUntilReady(invocation);
      break;
    case 'invalid':
      process.stderr.write(toVisible(invocation.message));
      process.exitCode = invocation.exitCode;
      break;
    case 'run':
      return run(invocation.options);
  }
  return false;
}

/** Starts the sidecar, which runs until something ends it. Returns false if it could not start. */
async function run(options: RunOptions): Promise<boolean> {
  const startedAt = performance.now();
  const logger: ProcessLogger = createLogger({
    level: options.logLevel,
    asJson: options.logAsJson,
    appId: options.appId,
    instance: hostname(),
    daprVersion: DAPR_VERSION,
    now: () => new Date(),
    write: createLineWriter(options.logFile, (dropped) => {
      logger.warn(`${dropped} log lines were dropped because standard output was not read`);
    }),
  });
  logLibraryOutput(globalThis.console, logger);
  const app = createApp(options, {
    logger,
    environment: process.env,
    requestShutdown: (request) => {
      shutdown.request(request);
    },
  });
  const shutdown = createShutdown({
    stop: (grace) => app.stop(grace),
    graceMs: options.gracefulShutdownMs,
    exit: (code) => process.exit(code),
    logger,
    copyWindowMs: toCopyWindowMs(process.env),
  });
  listenToProcess(shutdown, { logger, reload: () => app.reload() });
  announce(options, logger);
  try {
    if (!(await app.start())) return false;
  } catch (error) {
    shutdown.fail(`Fatal error from runtime: ${toErrorMessage(error)}`);
    return false;
  }
  logger.info(`Internal gRPC server is running on :${options.internalGrpcPort}`);
  const elapsedMs = Math.round(performance.now() - startedAt);
  logger.info(`dapr initialized. Status: Running. Init Elapsed ${elapsedMs}ms`);
  keepHeapSmall({ leavesLittle: options.grpcServer === 'lean' });
  // For people only: a pipe or a file must contain nothing but log lines.
  const stream = process.stdout.isTTY ? process.stdout : process.stderr;
  if (!options.logAsJson) stream.write(toStartupHint(options, app.storeNames[0]));
  return true;
}

/**
 * Creates the writer of log lines. Lines are written at once, so that the last ones before the exit
 * are not lost.
 */
function createLineWriter(
  file: string | undefined,
  onTakenAgain: (dropped: number) => void,
): (line: string) => void {
  // A launcher that has exited, which closes the pipe, or a full disk is no reason
  // to stop serving locks.
  process.stdout.on('error', () => undefined);
  const writeOut = createBoundedWriter(process.stdout, onTakenAgain);
  if (file === undefined) return writeOut;
  const descriptor = openLogFile(file);
  return (line) => {
    try {
      writeSync(descriptor, line);
    } catch {
      writeOut(line);
    }
  };
}

/** Opens the log file for appending. A pipe without a reader is an error instead of a wait. */
const LOG_FILE_FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

function openLogFile(file: string): number {
  try {
    return openSync(file, LOG_FILE_FLAGS, 0o666);
  } catch (cause) {
    const reason = `${file}: ${describeFileError(cause)}`;
    throw new Error(`can't open the file of --log-file: ${reason}`, { cause });
  }
}

function listenToProcess(
  shutdown: Shutdown,
  { logger, reload }: { readonly logger: ProcessLogger; readonly reload: () => Promise<void> },
): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      shutdown.onSignal(signal);
    });
  }
  // daprd restarts its runtime. Here calls are not affected.
  process.on('SIGHUP', () => {
    logger.info("Received signal 'hangup'; reloading");
    void reload();
  });
  // Node would open its debugger. launcher.js covers the time before this line.
  process.on('SIGUSR1', createDebugSwitch(logger));
  // By default it ends the process. daprd, as a Go program, ignores it.
  process.on('SIGUSR2', () => undefined);
  // Node would print its warnings among the log lines, in its own format.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    logger.warn(`Warning of Node.js: ${name}: ${message}`);
  });
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      shutdown.fail(`Unexpected failure (${event}): ${toErrorTrace(error)}`);
    });
  }
}

/** Logs what an operator looks for first, in daprd's lines where it has them. */
function announce(options: RunOptions, logger: Logger): void {
  logger.info(
    `Starting Holdfast -- version ${HOLDFAST_VERSION} -- serving the lock API of Dapr ${DAPR_VERSION}`,
  );
  logger.info(`Log level set to: ${options.logLevel}`);
  for (const warning of options.warnings) logger.warn(warning);
  logger.info(`${options.mode} mode configured`);
  logger.info(`app id: ${options.appId}`);
  const limit = options.httpMaxBodyBytes ?? 'unlimited';
  logger.info(`The request body size parameter is: ${limit} bytes`);
  if (options.apiToken === undefined) return;
  logger.info('Enabled token authentication on HTTP server');
  logger.info('Enabled token authentication on gRPC server');
}

/** Whether a sidecar serves. The launcher keeps the compiled code of one that has. */
export const serving: Promise<boolean> = main().catch((error: unknown) => {
  process.stderr.write(toVisible(`${toErrorMessage(error)}\n`));
  process.exitCode = 1;
  return false;
});
