import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The page that describes the native API, call by call. */
const PAGE = readFileSync(path.join(__dirname, '../../docs/native-api.md'), 'utf8');

/**
 * The answer of each call, made in the order of the page, as JSON without white space. JSON of protobuf
 * writes numbers of 64 bits as texts.
 */
export const SHOWN: Readonly<Record<string, RegExp>> = {
  Acquire: /"acquired":true,"lease":\{"lockOwner":"me","fencingToken":"?\d+"?,"validMs":"?\d+"?\}/,
  Renew: /"status":("RENEWED"|1),"lease":/,
  Hold: /"held":\{"lease"|"type":"held"/,
  Release: /"status":("RELEASED"|1)/,
  Get: /"lockOwner":"me"/,
  List: /"resourceId":"report"/,
  ForceRelease: /"status":("HELD_BY_OTHER"|3)/,
};

/** True for the calls that take a lock: the lines of all others are about a lock that is held. */
export function takesLock(call: string): boolean {
  return call === 'Acquire' || call === 'Hold';
}

/** The lines of a tool, by the call that they make. */
export function linesOf(tool: string): readonly (readonly [call: string, line: string])[] {
  const lines = [...PAGE.matchAll(new RegExp(`^## (\\w+)\\n[^#]*?^(${tool} .*)$`, 'gm'))];
  return lines.map(([, call = '', line = '']) => [call, line] as const);
}

/** The same lines on the ports of a sidecar. */
export function toPorts(line: string, ports: { httpPort: number; grpcPort: number }): string {
  return line
    .replace('localhost:3500', `127.0.0.1:${ports.httpPort}`)
    .replace('localhost:50001', `127.0.0.1:${ports.grpcPort}`);
}
