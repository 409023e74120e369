import type { ScriptRun } from '../test/support/long-run/script-run';
import type { Section, Store } from './bench-options';
import type { BenchResult, Failure } from './bench-result';
import { peersOf, startFleet } from './fleet';
import { type HandOverRow, HandOverRun } from './handover/hand-over-run';
import { startHeldMeasure } from './held-locks';
import { runRounds, type Measure, type MeasureResult } from './measure';
import { openMeasure, pairMeasure } from './pair-load';
import { countCommands, type CommandCount } from './redis-commands';
import { refusedMeasure } from './refused-load';
import { memoryMeasure, startMeasure } from './rest-measures';
import type { Target } from './target';
import type { Workbench } from './workbench';

/** The findings of the sections. */
export type Findings = Pick<BenchResult, 'measures' | 'commands' | 'handOvers' | 'failures'>;

/** Runs the sections of the benchmark that are asked for, one after the other. */
export class SectionRun {
  readonly #bench: Workbench;
  readonly #measures: MeasureResult[] = [];
  readonly #commands: CommandCount[] = [];
  readonly #handOvers: HandOverRow[] = [];
  readonly #failures: Failure[] = [];
  readonly #script: ScriptRun;
  /** Measures that were begun. */
  #begun = 0;

  constructor(bench: Workbench, script: ScriptRun) {
    this.#bench = bench;
    this.#script = script;
  }

  /** Runs all of them; what fails is told beside what was found, and does not stop the rest. */
  async run(): Promise<Findings> {
    const { rounds, stores } = this.#bench.options;
    const measures = stores.reduce((sum, store) => sum + this.#countMeasures(store), 0);
    this.#script.begin({ total: measures * rounds, unit: 'rounds' });
    for (const store of this.#bench.options.stores) {
      // Memory comes first: a peer, which can't be started anew, is at rest only now.
      if (this.#wants('memory')) {
        await this.#measure(memoryMeasure(this.#bench, store, peersOf(this.#bench)));
      }
      if (this.#wants('start')) await this.#measure(startMeasure(this.#bench, store));
      await this.#attempt(`load/${store}`, () => this.#runLoads(store));
      if (this.#wants('held')) await this.#runHeld(store);
      if (this.#wants('handover') && store === 'redis') await this.#runHandOvers();
    }
    return {
      measures: this.#measures,
      commands: this.#commands,
      handOvers: this.#handOvers,
      failures: this.#failures,
    };
  }

  async #runLoads(store: Store): Promise<void> {
    const fleet = await startFleet(this.#bench, store);
    try {
      for (const measure of this.#loadMeasures(store, fleet.targets)) await this.#measure(measure);
      if (this.#wants('redis') && store === 'redis') await this.#countCommands(fleet.targets);
    } finally {
      await fleet.stop();
    }
  }

  #loadMeasures(store: Store, targets: readonly Target[]): readonly Measure[] {
    const { transports, inFlight } = this.#bench.options;
    return transports.flatMap((transport) => {
      const shapes = inFlight.map((open) => ({ store, transport, inFlight: open }));
      const [bench, wants] = [this.#bench, (section: Section) => this.#wants(section)];
      return [
        ...(wants('refused') ? shapes.map((shape) => refusedMeasure(bench, shape, targets)) : []),
        ...(wants('pairs') ? shapes.map((shape) => pairMeasure(bench, shape, targets)) : []),
        ...(wants('open') ? [openMeasure(bench, { store, transport }, targets)] : []),
      ];
    });
  }

  async #countCommands(targets: readonly Target[]): Promise<void> {
    const [transport = 'grpc'] = this.#bench.options.transports;
    await this.#attempt('redis commands', async () => {
      this.#commands.push(...(await countCommands(this.#bench, transport, targets)));
    });
  }

  async #runHeld(store: Store): Promise<void> {
    for (const node of this.#bench.nodes) {
      await this.#attempt(`held/${store}`, async () => {
        this.#say(`taking ${this.#bench.options.held.join(', ')} locks, store ${store}`);
        const held = await startHeldMeasure(this.#bench, store, node);
        try {
          await this.#measure(held.measure);
        } finally {
          await held.stop();
        }
      });
    }
  }

  async #runHandOvers(): Promise<void> {
    await this.#attempt('handover', async () => {
      const run = new HandOverRun(this.#bench);
      try {
        await run.start();
        if (run.etcdVersion === undefined) this.#say('handover without etcd: it is not installed');
        for (const measure of run.measures()) await this.#measure(measure);
      } finally {
        await run.stop();
      }
      this.#handOvers.push(...run.rows);
    });
  }

  /** How many measures a store has ahead of it. */
  #countMeasures(store: Store): number {
    const { nodes, transports, inFlight, waiters } = this.#bench.options;
    const counts: Readonly<Record<Section, number>> = {
      memory: 1,
      start: 1,
      refused: transports.length * inFlight.length,
      pairs: transports.length * inFlight.length,
      open: transports.length,
      held: nodes.length,
      handover: store === 'redis' ? transports.length * waiters.length : 0,
      redis: 0,
    };
    return this.#bench.options.sections.reduce((sum, section) => sum + counts[section], 0);
  }

  async #measure(measure: Measure): Promise<void> {
    const { rounds } = this.#bench.options;
    const before = this.#begun * rounds;
    this.#begun += 1;
    this.#say(measure.name);
    this.#script.advance(before, measure.name);
    await this.#attempt(measure.name, async () => {
      const onRound = (done: number): void => {
        this.#script.advance(before + done, measure.name);
      };
      this.#measures.push(await runRounds(measure, rounds, onRound));
    });
  }

  async #attempt(measure: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#say(`FAILED ${measure}: ${message}`);
      this.#failures.push({ measure, message });
    }
  }

  #say(sentence: string): void {
    this.#script.say(sentence);
  }

  #wants(section: Section): boolean {
    return this.#bench.options.sections.includes(section);
  }
}
