import type { TrialSite } from '../client';
import { type ProgramResult, runProgram } from '../client-program';
import type { CommandLine } from '../process-group';
import { type StepReport, Steps } from '../steps';
import {
  EVENTS,
  EVENTS_STEP,
  FIRST_HAS_ENDED,
  FIRST_STEPS,
  REDIS_IS_GONE,
  SECOND_HOLDS,
  SECOND_STEPS,
} from './native-script';
import { NativeSite } from './native-site';

/** Something that happens once, and may be waited for. */
class Happening {
  #tell = (): void => undefined;
  readonly told = new Promise<void>((resolve) => {
    this.#tell = resolve;
  });

  tell(): void {
    this.#tell();
  }
}

/**
 * Takes a program of the native API through one story, in two processes on two sidecars: see
 * {@link FIRST_STEPS} and {@link SECOND_STEPS}.
 */
export class NativeRun {
  readonly #program: CommandLine;
  readonly #signal: AbortSignal;
  readonly #site: NativeSite;
  readonly #secondHolds = new Happening();
  readonly #firstHasEnded = new Happening();
  #second: Promise<ProgramResult> | undefined;

  private constructor(program: CommandLine, signal: AbortSignal, site: NativeSite) {
    this.#program = program;
    this.#signal = signal;
    this.#site = site;
  }

  /** Runs the story; rejects where the sidecars can't be had or the run is stopped. */
  static run(program: CommandLine, { store, signal }: TrialSite): Promise<StepReport> {
    return NativeSite.use(store, (site) => new NativeRun(program, signal, site).#run());
  }

  async #run(): Promise<StepReport> {
    const release = await this.#site.takeLock('another');
    const running = this.#start('first', (what) => this.#serveFirst(what));
    // A program that ends early has said why.
    await Promise.race([this.#site.untilSomebodyWaits().then(release), running]);
    const first = await running;
    this.#firstHasEnded.tell();
    return this.#report(first, await this.#second);
  }

  #start(name: string, onWaiting: (what: string) => Promise<void>): Promise<ProgramResult> {
    const { sidecars, store } = this.#site;
    const sidecar = sidecars[name === 'first' ? 0 : 1];
    const env = { DAPR_GRPC_PORT: String(sidecar.grpcPort), STORE_URL: store.url };
    return runProgram(this.#program, { scenario: [name], env, onWaiting, signal: this.#signal });
  }

  async #serveFirst(what: string): Promise<void> {
    switch (what) {
      case REDIS_IS_GONE:
        this.#second = this.#start('second', (its) => this.#serveSecond(its));
        await Promise.race([this.#site.untilSomebodyWaits(), this.#second]);
        await this.#site.locks.kill();
        return;
      case SECOND_HOLDS:
        await this.#site.locks.start();
        await Promise.race([this.#secondHolds.told, this.#second]);
        return;
      default:
        throw new Error(`it waits for "${what}"`);
    }
  }

  async #serveSecond(what: string): Promise<void> {
    if (what !== FIRST_HAS_ENDED) throw new Error(`it waits for "${what}"`);
    this.#secondHolds.tell();
    await this.#firstHasEnded.told;
  }

  async #report(first: ProgramResult, second: ProgramResult | undefined): Promise<StepReport> {
    const steps = new Steps();
    steps.check('first', first, FIRST_STEPS);
    const events = first.answers.get(EVENTS_STEP);
    steps.expect(
      `first: ${EVENTS_STEP}`,
      EVENTS.test(events ?? '') ? 'as documented' : events,
      'as documented',
    );
    if (second === undefined) {
      steps.expect('second: it was started', 'no', 'yes');
      return steps.report;
    }
    steps.check('second', second, SECOND_STEPS);
    steps.expect('the store was written by', this.#site.store.written.join(), 'first,second');
    const end = await this.#site.untilFree().then(() => 'free', String);
    steps.expect('the lock after the end of both', end, 'free');
    return steps.report;
  }
}
