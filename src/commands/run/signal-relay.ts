import { constants } from 'node:os';

/** The signals that ask a command to end. The second one does not ask any more. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** Signals that a command may use for anything, and are handed on. */
const OTHERS: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGWINCH'];

/** Whom the signals are for. */
export interface SignalTarget {
  signal(name: NodeJS.Signals): unknown;
}

/**
 * Takes the signals of this process, and hands them on to the command once it runs. Before that, one that asks to end
 * ends the wait for the lock. SIGTSTP is ignored: a process that is stopped loses its lock, and could not end the
 * command then. A signal that was ignored when this process was started (nohup) is taken all the same: Node forgets that.
 */
export class SignalRelay {
  readonly #ending = new AbortController();
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  readonly #asks = new Set<AbortController>();
  #first: NodeJS.Signals | undefined;
  #target: SignalTarget | undefined;

  constructor() {
    for (const name of [...ENDING, ...OTHERS, 'SIGTSTP' as const]) this.#listen(name);
  }

  /** Aborts when this process was asked to end. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The exit code for the signal that asked this process to end, as shells say it; undefined without one. */
  get exitCode(): number | undefined {
    return this.#first === undefined ? undefined : 128 + constants.signals[this.#first];
  }

  /** A signal that aborts when this process is asked to end from now on. */
  nextAsk(): AbortSignal {
    const ask = new AbortController();
    this.#asks.add(ask);
    return ask.signal;
  }

  /** Hands on to a command from now on. */
  handTo(target: SignalTarget): void {
    this.#target = target;
  }

  /** Takes no more signals. */
  close(): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
    this.#listeners.clear();
  }

  #listen(name: NodeJS.Signals): void {
    const listener = (): void => {
      this.#take(name);
    };
    this.#listeners.set(name, listener);
    process.on(name, listener);
  }

  #take(name: NodeJS.Signals): void {
    if (OTHERS.includes(name)) this.#target?.signal(name);
    if (!ENDING.includes(name)) return;
    this.#target?.signal(this.#first === undefined ? name : 'SIGKILL');
    this.#first ??= name;
    this.#ending.abort();
    for (const ask of this.#asks) ask.abort();
  }
}
