import type {
  HoldReport,
  LockCallReport,
  LockObserver,
  RenewalOutcome,
  WaitReport,
} from '../lock/lock-observer';
import type { HoldEvent } from '../lock/native-lock-service';
import type { CallSpan, PartSpan } from './tracer';

/**
 * Traces the lock call of one API call: its outcome, and its wait and its hold as spans of their own
 * with events. Owners and fencing tokens are not part of an event.
 */
export class LockTracing implements LockObserver {
  readonly #span: CallSpan;
  #wait: PartSpan | undefined;
  #hold: PartSpan | undefined;

  constructor(span: CallSpan) {
    this.#span = span;
  }

  ended(report: LockCallReport): void {
    this.#span.addLock(report);
  }

  waitBegan(storeName: string): void {
    this.#wait = this.#span.begin('wait', storeName);
  }

  queued(_storeName: string, ahead: number): void {
    this.#wait?.add('queued', { ahead });
  }

  woken(): void {
    this.#wait?.add('woken');
  }

  waitEnded({ outcome }: WaitReport): void {
    this.#wait?.end(outcome);
  }

  holdBegan(storeName: string): void {
    this.#hold = this.#span.begin('hold', storeName);
  }

  told(_storeName: string, event: HoldEvent): void {
    this.#hold?.add(event.type, 'reason' in event ? { reason: event.reason } : {});
  }

  renewalEnded(_storeName: string, outcome: RenewalOutcome): void {
    if (outcome === 'withheld') this.#hold?.add('withheld');
  }

  holdEnded({ outcome }: HoldReport): void {
    this.#hold?.end(outcome);
  }
}
