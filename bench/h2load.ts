import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { HEADERS, bodyOf, pathOf, type LockRequest, type Transport } from './lock-requests';
import { runCommand } from './run-command';

/** Calls at full speed: one is sent as soon as another is answered. All are the same TryLock. */
export interface FullSpeedLoad {
  readonly transport: Transport;
  readonly port: number;
  readonly request: LockRequest;
  /** How many calls are open at a time: streams of one connection, or HTTP/1.1 connections. */
  readonly inFlight: number;
  readonly calls: number;
  /** The expected answer. h2load reports only the sizes of answers. */
  readonly answerBytes: number;
}

/** The output of h2load. */
export interface H2loadReport {
  readonly succeeded: number;
  /** Bytes of all bodies together. */
  readonly bodyBytes: number;
  readonly tookMs: number;
  readonly meanMs: number;
}

/** The result of a run of load. */
export interface FullSpeedResult {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly meanMs: number;
}

/** A generator that takes longer than this hangs. */
const WITHIN_MS = 120_000;

/** How long HTTP/1.1 connections have to open before the first call is sent. */
const HEAD_START_MS = 300;

/** A time apart that no client is fast enough for, so that it only waits for answers. */
const NEXT_CALL_MS = 0.001;

/**
 * Runs h2load (nghttp2). Over gRPC all calls go over one connection, as an app's channel does; over
 * HTTP/1.1, which has one call at a time on a connection, over as many connections as are in flight.
 * It rejects where an answer is missing, has another status than 2xx, or the bodies have not the size
 * that right answers have: an error over gRPC has status 200 too, and an empty body.
 */
export async function runH2load(
  tools: { readonly h2load: string; readonly folder: string },
  load: FullSpeedLoad,
): Promise<FullSpeedResult> {
  const { transport, request } = load;
  const file = path.join(tools.folder, `body-${transport}`);
  await writeFile(file, bodyOf(transport, 'lock', request));
  const headers = Object.entries(HEADERS[transport]).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
  const { args, calls, headStartMs } = await (transport === 'grpc'
    ? openStreams(load)
    : openConnections(load, tools.folder));
  const all = ['-t', '1', '-d', file, ...headers, ...args];
  const report = parseH2load(await runCommand(tools.h2load, all, { withinMs: WITHIN_MS }));
  assertAnswers(report, calls, load.answerBytes);
  const seconds = (report.tookMs - headStartMs) / 1000;
  return { calls, callsPerSecond: calls / seconds, meanMs: report.meanMs };
}

/** The part of a command line that says how calls are opened, and how many it makes. */
interface OpenedCalls {
  readonly args: readonly string[];
  readonly calls: number;
  readonly headStartMs: number;
}

async function openStreams({ calls, inFlight, ...load }: FullSpeedLoad): Promise<OpenedCalls> {
  const args = ['-c', '1', '-m', String(inFlight), '-n', String(calls), urlOf(load)];
  return { args, calls, headStartMs: 0 };
}

/**
 * All connections are opened before the first call: libuv accepts one a turn of the event loop, so
 * that a server under load takes seconds to accept hundreds, and the run would be over before as many
 * calls are in flight as it says. h2load waits only under a timing script, a line a call of a client.
 */
async function openConnections(load: FullSpeedLoad, folder: string): Promise<OpenedCalls> {
  const { inFlight } = load;
  const each = Math.ceil(load.calls / inFlight);
  const script = path.join(folder, 'timing');
  const lines = Array.from({ length: each }, (_, index) => {
    return `${(HEAD_START_MS + index * NEXT_CALL_MS).toFixed(3)}\t${urlOf(load)}\n`;
  });
  await writeFile(script, lines.join(''));
  const args = ['--h1', '-c', String(inFlight), '-n', String(each)];
  return {
    args: [...args, `--timing-script-file=${script}`],
    calls: each * inFlight,
    headStartMs: HEAD_START_MS,
  };
}

function urlOf({
  transport,
  port,
  request,
}: Pick<FullSpeedLoad, 'transport' | 'port' | 'request'>): string {
  return `http://127.0.0.1:${port}${pathOf(transport, 'lock', request.storeName)}`;
}

/** Throws where a call failed, or the answers have not the size of right ones. */
export function assertAnswers(report: H2loadReport, calls: number, answerBytes: number): void {
  if (report.succeeded === calls && report.bodyBytes === calls * answerBytes) return;
  throw new Error(
    `of ${calls} calls ${report.succeeded} succeeded with ${report.bodyBytes} bytes of answers; ${answerBytes} a call were expected`,
  );
}

/** Reads h2load's report; throws where it is none. */
export function parseH2load(text: string): H2loadReport {
  const find = (pattern: RegExp): string => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`h2load said nothing of ${pattern.source}:\n${text}`);
    return found;
  };
  return {
    succeeded: Number(find(/^requests: .* (\d+) succeeded,/m)),
    bodyBytes: Number(find(/^traffic: .*\((\d+)\) data$/m)),
    tookMs: toMs(find(/^finished in (\S+),/m)),
    meanMs: toMs(find(/^time for request:\s+\S+\s+\S+\s+(\S+)/m)),
  };
}

/** Reads a time as h2load writes it: 175us, 45.29ms, 1.20s. */
export function toMs(text: string): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`no time: ${text}`);
  const scale = { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's'];
  return Number(number) * scale;
}
