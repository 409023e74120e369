import { readFile } from 'node:fs/promises';
import path from 'node:path';

import type { SidecarProcess } from '../support/sidecar-process';
import type { InteropClient } from './client';
import { type ProgramResult, type ProgramRun, runProgram } from './client-program';
import type { StoreName } from './lock-servers';
import type { CommandLine } from './process-group';
import {
  CONTEND_REFUSED_STEP,
  CONTEND_UNLOCK_STEP,
  ERROR_STEPS,
  EXIT_CODE_STEPS,
  type Expectation,
  LEASE_OVER,
  LEASE_SEEMS_MS,
  LEASE_STEPS,
  LOCK_STEPS,
  NATIVE_STEPS,
  RESTART_STEPS,
  SCOPE_STEPS,
  SNIPPET_STEPS,
  TOKEN_EXIT_CODE_STEP,
  TOKEN_STEP,
  WRONG_TOKEN,
} from './script';
import { type Sidecars, Site, TOKEN } from './site';
import { type StepReport, Steps } from './steps';

/** The program to run, and its time limit. */
export interface ClientRunOptions {
  readonly client: InteropClient;
  readonly program: CommandLine;
  /** The store of its sidecars. */
  readonly store: StoreName;
  /** Stops the run: its programs are ended, its sidecars, and the servers of its store. */
  readonly signal: AbortSignal;
}

/** The how-to's owner, which every instance of every app that follows it has. */
const HOW_TO_OWNER = 'random_id_abc123';

/** Takes one client through the whole script, against sidecars of its own. */
export class ClientRun {
  readonly #client: InteropClient;
  readonly #program: CommandLine;
  readonly #site: Site;
  readonly #sidecars: Sidecars;
  readonly #signal: AbortSignal;
  readonly #steps = new Steps();

  private constructor(
    { client, program, signal }: ClientRunOptions,
    ...[site, sidecars]: [Site, Sidecars]
  ) {
    this.#client = client;
    this.#program = { ...program, env: { ...program.env, ...client.way } };
    this.#signal = signal;
    this.#site = site;
    this.#sidecars = sidecars;
  }

  /** Runs every scenario; rejects only where the sidecars can't be had or the run is stopped. */
  static run(options: ClientRunOptions): Promise<StepReport> {
    return Site.use(options.store, async (...at) => {
      const run = new ClientRun(options, ...at);
      await run.#scenarios();
      return run.#steps.report;
    });
  }

  async #scenarios(): Promise<void> {
    // Some clients retry for half a minute with a wrong token: it goes on beside the rest.
    await Promise.all([
      this.#token('wrong', this.#wrongTokenExpectation()),
      this.#scenariosInTurn(),
    ]);
    await this.#ending(this.#sidecars.instances[0]);
  }

  async #scenariosInTurn(): Promise<void> {
    await this.#lock('lock', {});
    if (this.#client.hasScope === true) await this.#plain('scope', SCOPE_STEPS);
    await this.#plain('snippet', SNIPPET_STEPS);
    if (this.#client.hasExitCodes === true) await this.#plain('exit_codes', EXIT_CODE_STEPS);
    if (this.#client.callsNativeApi === true) await this.#plain('native', NATIVE_STEPS);
    await this.#plain('errors', this.#errorExpectations());
    await this.#contend(['instance-1', 'instance-2']);
    await this.#contend([HOW_TO_OWNER, HOW_TO_OWNER]);
    await this.#token(TOKEN, 'true');
    await this.#unixSocket();
    await this.#restart(this.#sidecars.instances[0]);
  }

  async #plain(scenario: string, expected: Readonly<Record<string, Expectation>>): Promise<void> {
    const env = portsOf(this.#sidecars.instances[0]);
    const onWaiting = async (what: string) => {
      if (what === LEASE_OVER) await this.#site.endLeases();
    };
    this.#steps.check(
      scenario,
      await this.#run({ scenario: [scenario], env, onWaiting }),
      expected,
    );
  }

  /** One lock from free to free again; the answers' times say how long its lease lasted. */
  async #lock(name: string, socket: Readonly<Record<string, string>>): Promise<void> {
    const env = { ...portsOf(this.#sidecars.instances[0]), ...socket };
    const result = await this.#run({ scenario: ['lock'], env });
    this.#steps.check(name, result, LOCK_STEPS);
    this.#steps.expect(
      `${name}: how long the lease of 1 s lasted`,
      toLeaseText(result),
      'about 1 s',
    );
  }

  #run(run: ProgramRun): Promise<ProgramResult> {
    return runProgram(this.#program, { ...run, signal: this.#signal });
  }

  #errorExpectations(): Readonly<Record<string, Expectation>> {
    const { ownErrors } = this.#client;
    return Object.fromEntries(
      Object.entries(ERROR_STEPS).map(([step, error]) => [
        step,
        ownErrors?.[step] ?? this.#client.shows(error),
      ]),
    );
  }

  #wrongTokenExpectation(): Expectation {
    return this.#client.showsWrongToken ?? this.#client.shows(WRONG_TOKEN);
  }

  async #token(token: string, expected: Expectation): Promise<void> {
    const env = { ...portsOf(this.#sidecars.guarded), DAPR_API_TOKEN: token };
    const result = await this.#run({ scenario: ['token'], env });
    const isRight = token === TOKEN;
    const exitCode = { [TOKEN_EXIT_CODE_STEP]: isRight ? '0' : '69, no answer that grants it' };
    this.#steps.check(`token ${isRight ? 'right' : 'wrong'}`, result, {
      [TOKEN_STEP]: expected,
      ...(this.#client.hasExitCodes === true ? exitCode : {}),
    });
  }

  /**
   * Dapr's how-to: two instances of one app, each with its sidecar, want the file that only one may
   * write; and an app of another name, which does not contend with them, wants one of its own.
   */
  async #contend(owners: readonly [string, string]): Promise<void> {
    const { instances, otherApp } = this.#sidecars;
    const file = path.join(this.#site.folder, `file-of-${owners.join('-and-')}`);
    const start = whenAllAreReady(3);
    const contend = (sidecar: SidecarProcess, owner: string, target: string) =>
      this.#run({
        scenario: ['contend', target, owner],
        env: portsOf(sidecar),
        onWaiting: start,
      });
    const [one, two, other] = await Promise.all([
      contend(instances[0], owners[0], file),
      contend(instances[1], owners[1], file),
      contend(otherApp, owners[0], `${file}-of-another-app`),
    ]);
    const name = owners[0] === owners[1] ? "contend with the how-to's owner" : 'contend';
    for (const result of [one, two, other]) {
      this.#steps.check(name, result, { [CONTEND_UNLOCK_STEP]: 'success' });
    }
    const refusals = (result: ProgramResult) => Number(result.answers.get(CONTEND_REFUSED_STEP));
    const winners = [one, two].filter((result) => refusals(result) === 0).length;
    const losers = [one, two].filter((result) => refusals(result) > 0).length;
    this.#steps.expect(`${name}: one wins, one waits`, `${winners} and ${losers}`, '1 and 1');
    this.#steps.expect(`${name}: another app is not refused`, String(refusals(other)), '0');
    this.#steps.expect(
      `${name}: the file is written by one at a time`,
      await orderOf(file),
      'in turn',
    );
  }

  async #unixSocket(): Promise<void> {
    const client = this.#client;
    if (client.unixEnvironment === undefined) return;
    const socket = client.unixEnvironment(await this.#site.startOnSockets());
    await this.#lock('lock over a unix socket', socket);
  }

  async #restart(sidecar: SidecarProcess): Promise<void> {
    const result = await this.#run({
      scenario: ['restart'],
      env: portsOf(sidecar),
      onWaiting: async (what) => {
        if (what === 'stop') await sidecar.stop();
        else await this.#site.startAgain(sidecar);
      },
    });
    this.#steps.check('restart', result, RESTART_STEPS);
  }

  /** Readiness, metadata, health, and the shutdown that a client can ask for. */
  async #ending(sidecar: SidecarProcess): Promise<void> {
    const { sidecarSteps } = this.#client;
    const result = await this.#run({
      scenario: ['sidecar'],
      env: portsOf(sidecar),
    });
    this.#steps.check('sidecar', result, sidecarSteps);
    if (!('shutdown' in sidecarSteps)) return;
    const code = await this.#site.endOf(sidecar);
    this.#steps.expect('sidecar: exit code after the shutdown', String(code), '0');
  }
}

/** The variables that Dapr's launchers give to an app. */
function portsOf({ httpPort, grpcPort }: SidecarProcess): Readonly<Record<string, string>> {
  return { DAPR_HTTP_PORT: String(httpPort), DAPR_GRPC_PORT: String(grpcPort) };
}

/** A gate that opens for everybody once so many wait at it. */
function whenAllAreReady(count: number): () => Promise<void> {
  let waiting = 0;
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    waiting += 1;
    if (waiting === count) open();
    return opened;
  };
}

/** "about 1 s", or the milliseconds that the short lease lasted. */
function toLeaseText({ answeredAtMs }: ProgramResult): string | undefined {
  const [from, to] = LEASE_STEPS.map((step) => answeredAtMs.get(step));
  if (from === undefined || to === undefined) return undefined;
  const lastedMs = Math.round(to - from);
  const isRight = lastedMs >= LEASE_SEEMS_MS.min && lastedMs <= LEASE_SEEMS_MS.max;
  return isRight ? 'about 1 s' : `${lastedMs} ms`;
}

/** Every instance writes "begin" and "end" around its work: nobody else may come between. */
async function orderOf(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).trim().split('\n');
  const words = lines.map((line) => line.split(' ')[0]).join(' ');
  return words === 'begin end begin end' ? 'in turn' : `"${words}"`;
}
