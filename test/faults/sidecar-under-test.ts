import { randomUUID } from 'node:crypto';

import type { TcpProxy } from '../support/tcp-proxy';
import type { Operation } from './history';
import type { CallAnswer, HoldListener, HoldRequest, LockRequest, OpenHold } from './lock-request';

/** One sidecar with its own way to Redis. */
export interface SidecarUnderTest {
  readonly by: Operation['by'];
  readonly proxy: TcpProxy;
  /** How long its sends wait for their reply; the default of a component where this is left out. */
  readonly sendWaitMs?: number | undefined;
  /** The process that it is; undefined where it has none of its own. */
  readonly pid?: number | undefined;
  /** Starts of it that failed. */
  readonly failedStarts?: readonly FailedStart[];
  /** False while it is being replaced. */
  readonly isUp: boolean;
  /** Never rejects. */
  call(request: LockRequest): Promise<CallAnswer>;
  /** Undefined where it knows no more than Dapr's calls. */
  readonly hold?: (request: HoldRequest, listener: HoldListener) => OpenHold;
  /** The faults that can happen to it. Undefined if there are none. */
  readonly mishaps?: Mishaps;
  stop(): Promise<void>;
}

/** A start that failed, so that another was needed. */
export interface FailedStart {
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string;
}

/** The faults that can happen to a sidecar. */
export interface Mishaps {
  /** It stands still, and its connections stay open; undefined where it can't be made to. */
  readonly pause?: () => void;
  readonly resume?: () => void;
  /** It is stopped in good order, or killed, and another takes its place. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** The signals that it can be ended by. */
  readonly signals: readonly ('SIGTERM' | 'SIGKILL')[];
}

/** A name for the keys of one run, so that runs on one Redis do not meet. */
export const newRunName = (): string => randomUUID().slice(0, 8);
