import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { callFrames, CANCEL, connectionStart, FRAME, frame } from '../../support/http2-frames';
import { eventually } from '../../support/eventually';
import type { Attack, AttackSize } from '../attack';
import { daprPath, forgetLocks, tokenHeader, tryLockMessage } from '../attack-calls';
import { openSocket, untilStill } from '../attack-sockets';

/** Calls that are begun at a time. */
const CALLS_A_WAVE = 100;

const WAVES: Readonly<Record<AttackSize, number>> = { small: 48, full: 480 };

/** How many waves go over one connection: Node closes those of which too much is reset. */
const WAVES_A_CONNECTION = 6;

/** Beyond that it is the machine that is busy. */
const LONGEST_ANSWER_MS = 20;

/** The start of a frame: 3 bytes of length, type, flags, 4 bytes of stream. */
const FRAME_HEAD = 9;

/** Splits what a server sends into frames, and notes of which streams a message has come. */
class AnsweredStreams {
  readonly streams = new Set<number>();
  #rest = Buffer.alloc(0);

  constructor(socket: Socket) {
    socket.on('data', (part: Buffer) => {
      this.#read(part);
    });
  }

  #read(part: Buffer): void {
    let rest = Buffer.concat([this.#rest, part]);
    while (rest.length >= FRAME_HEAD) {
      const end = FRAME_HEAD + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      if (rest[3] === FRAME.data && end > FRAME_HEAD) this.streams.add(rest.readUInt32BE(5));
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}

/** One connection, and the calls of it that were answered. */
class CancellingCaller {
  readonly #socket: Socket;
  readonly #answered: AnsweredStreams;
  readonly #resources = new Map<number, string>();
  readonly #headers: Readonly<Record<string, string>>;
  #next = 1;
  /** How long the answers of a wave take. */
  #answerMs = LONGEST_ANSWER_MS;

  constructor(socket: Socket, token: string | undefined) {
    this.#socket = socket;
    this.#answered = new AnsweredStreams(socket);
    this.#headers = tokenHeader(token);
    socket.write(connectionStart());
  }

  /** The resources of which an answer came: they are held by right. */
  get answered(): string[] {
    return [...this.#answered.streams].flatMap((stream) => this.#resources.get(stream) ?? []);
  }

  /** How many calls no answer came for. */
  get cancelled(): number {
    return this.#resources.size - this.#answered.streams.size;
  }

  /** Begins many calls and waits for their answers, to know how long these take. */
  async findAnswerTime(name: string): Promise<void> {
    const startedAt = performance.now();
    const streams = this.#begin(name);
    await eventually(() => {
      if (streams.some((stream) => !this.#answered.streams.has(stream)))
        throw new Error('no answer');
    });
    this.#answerMs = Math.min(performance.now() - startedAt, LONGEST_ANSWER_MS);
  }

  /** Begins many calls, and cancels each some time before or after its answer is to be expected. */
  async wave(name: string): Promise<void> {
    const startedAt = performance.now();
    const streams = this.#begin(name);
    const cancels = streams.map((stream) => ({ stream, atMs: startedAt + this.#guess() }));
    cancels.sort((one, other) => one.atMs - other.atMs);
    for (const { stream, atMs } of cancels) {
      // Finer than a timer, which knows whole milliseconds only.
      while (performance.now() < atMs) await nextTurn();
      if (!this.#socket.destroyed) this.#socket.write(frame(FRAME.reset, 0, stream, CANCEL));
    }
  }

  #begin(name: string): number[] {
    const streams = Array.from({ length: CALLS_A_WAVE }, (_, index) => this.#next + 2 * index);
    this.#next += 2 * CALLS_A_WAVE;
    this.#socket.write(
      Buffer.concat(streams.map((stream) => this.#lock(stream, `${name}-${stream}`))),
    );
    return streams;
  }

  /** A moment before, or just after, an answer, in milliseconds from its call. */
  #guess(): number {
    return this.#answerMs * 1.2 * Math.random();
  }

  /** Waits until nothing comes any more. */
  async settle(): Promise<void> {
    await untilStill(() => this.#socket.bytesRead, { stillMs: 200, withinMs: 3000 });
  }

  #lock(stream: number, resourceId: string): Buffer {
    this.#resources.set(stream, resourceId);
    const message = tryLockMessage(resourceId);
    return callFrames(stream, { path: daprPath('TryLockAlpha1'), message, headers: this.#headers });
  }
}

/** A client that gives up just then: it must not have a lock that it was never told of. */
export const grpcCancelledAtAnswer: Attack = {
  name: 'grpc-cancelled-at-answer',
  description: '4,800 calls for locks of an hour are cancelled at the moment of their answer.',
  kind: 'left locks',
  needs: { token: true },
  run: async ({ target, size }) => {
    let cancelled = 0;
    for (let first = 0; first < WAVES[size]; first += WAVES_A_CONNECTION) {
      const caller = new CancellingCaller(await openSocket(target.grpcPort), target.token);
      await caller.findAnswerTime(`first-${first}`);
      for (let wave = first; wave < first + WAVES_A_CONNECTION; wave += 1) {
        await caller.wave(`wave-${wave}`);
      }
      await caller.settle();
      cancelled += caller.cancelled;
      await forgetLocks(target.redisPort, caller.answered);
    }
    return [{ what: 'calls cancelled without an answer', value: cancelled, atLeast: 100 }];
  },
};
