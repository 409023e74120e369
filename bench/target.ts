import { kindOf } from './aims';
import { ANSWERS, bodyOf, type LockRequest, type Transport } from './lock-requests';
import type { Pair } from './measure';
import type { AnswerCheck } from './vegeta-results';

/** A server that load can be sent to. */
export interface Target {
  /** Its kind, and the Node that it runs on where several are measured: `ours@22.1.0`. */
  readonly name: string;
  readonly role: 'ours' | 'floor' | 'peer';
  /** Whether it keeps locks or sends back what it got. */
  readonly answers: 'locks' | 'echoes';
  /** The ports that it serves, all on the loopback interface. */
  readonly ports: Readonly<Partial<Record<Transport, number>>>;
  readonly storeName: string;
  readonly pid: number;
}

/** Those that can be called by a transport. */
export function servingBy(transport: Transport, targets: readonly Target[]): readonly Target[] {
  return targets.filter(({ ports }) => ports[transport] !== undefined);
}

/** The port of a target that serves a transport. */
export function portOf(target: Target, transport: Transport): number {
  const port = target.ports[transport];
  if (port === undefined) throw new Error(`${target.name} doesn't serve ${transport}`);
  return port;
}

/** The size of the answer to a TryLock of a lock that somebody holds, in bytes. */
export function refusedBytes(target: Target, transport: Transport, request: LockRequest): number {
  const answer =
    target.answers === 'locks' ? ANSWERS[transport].refused : bodyOf(transport, 'lock', request);
  return answer.length;
}

/** Whether an answer is that of a lock taken or released, or what was sent. */
export function answerCheck(target: Target, transport: Transport): AnswerCheck {
  return target.answers === 'locks'
    ? ({ action, body }) => body.equals(ANSWERS[transport][action])
    : ({ body, sentBytes }) => body.length === sentBytes;
}

/**
 * Whose ratios are told: ours beside each floor on the same Node and beside each peer, and ours on
 * another Node beside ours on the first.
 */
export function pairsOf(names: readonly string[]): readonly Pair[] {
  const ours = names.filter((name) => kindOf(name) === 'ours');
  return ours.flatMap((of, index) => [
    ...names.filter((to) => isBeside(of, to)).map((to) => ({ of, to })),
    ...(index > 0 && ours[0] !== undefined ? [{ of, to: ours[0] }] : []),
  ]);
}

function isBeside(ours: string, other: string): boolean {
  return kindOf(other) !== 'ours' && (!other.includes('@') || nodeOf(other) === nodeOf(ours));
}

function nodeOf(name: string): string {
  return name.replace(/^[^@]*/, '');
}
