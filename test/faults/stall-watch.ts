import { readFile } from 'node:fs/promises';

import { ClientLag } from './client-lag';
import { type FaultWindow, meetsAny } from './history';
import type { SidecarUnderTest } from './sidecar-under-test';

/** How often it is looked, in milliseconds. */
const LOOK_MS = 100;

/** A process that waits longer than this for the processor, or for an answer of Redis, stands still. */
const STALL_MS = 300;

/** A process that waits for the processor for so much of a second, in many pieces, does not do its work either. */
const [SECOND_MS, MOST_OF_IT_MS] = [1000, 800];

/** The times for which a process stood still. */
const [NO_PROCESSOR, SERVER_SILENT] = [
  'waited for the processor',
  'the server did not answer',
] as const;

/** A way to the server of the locks of which no sidecar knows. */
export interface ServerProbe {
  /** Asks it something that is quickly answered. Rejects where it can't be asked. */
  ask(): Promise<unknown>;
  close(): void;
}

/** How long a process has waited for the processor when it was looked at. */
interface Sample {
  readonly pid: number;
  readonly waitedMs: number;
  readonly atMs: number;
}

/**
 * Measures when the machine, not the code under test, kept somebody from working: by the kernel's own account of how long
 * each sidecar waited for a processor (Linux, schedstat), by a question to the server of which no sidecar knows, and by how
 * late the clients' own process was.
 */
export class StallWatch {
  readonly #sidecars: readonly SidecarUnderTest[];
  readonly #lag = new ClientLag();
  readonly #samples = new Map<number, readonly Sample[]>();
  readonly #windows: FaultWindow[] = [];
  readonly #probe: ServerProbe | undefined;
  readonly #timer: NodeJS.Timeout;
  #askedAtMs: number | undefined;

  /** Without a probe no server is asked. */
  constructor(sidecars: readonly SidecarUnderTest[], probe?: ServerProbe) {
    this.#sidecars = sidecars;
    this.#probe = probe;
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_MS);
  }

  /** Times in which the clients themselves were late by more than 80 ms. */
  get clientsLate(): readonly FaultWindow[] {
    return this.#lag.windows;
  }

  /** All stalls, without those of the server that were a fault which hit it. */
  stallsBeside(faults: readonly FaultWindow[]): FaultWindow[] {
    const ofAll = faults.filter(({ sidecar }) => sidecar === undefined);
    const own = this.#windows.filter(
      (stall) => stall.kind !== SERVER_SILENT || !meetsAny(ofAll, around(stall)),
    );
    return [...own, ...this.#lag.stalls].sort((one, other) => one.fromMs - other.fromMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#lag.stop();
    this.#probe?.close();
  }

  #look(): void {
    this.#sidecars.forEach(({ pid }, sidecar) => {
      if (pid !== undefined) void this.#lookAt(pid, sidecar);
    });
    if (this.#askedAtMs === undefined && this.#probe !== undefined)
      void this.#askServer(this.#probe);
  }

  async #lookAt(pid: number, sidecar: number): Promise<void> {
    // Where there is no such file only the clients' own lag is known.
    const text = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => undefined);
    if (text === undefined) return;
    const sample = { pid, waitedMs: Number(text.split(' ')[1]) / 1e6, atMs: performance.now() };
    const known = this.#samples.get(sidecar)?.filter((each) => each.pid === pid) ?? [];
    const recent = known.filter(({ atMs }) => atMs >= sample.atMs - SECOND_MS);
    const [oldest, latest] = [recent[0] ?? known.at(-1), known.at(-1)];
    this.#samples.set(sidecar, [...recent, sample]);
    this.#compare(latest, sample, { sidecar, mostMs: STALL_MS });
    this.#compare(oldest, sample, { sidecar, mostMs: MOST_OF_IT_MS });
  }

  #compare(
    before: Sample | undefined,
    { waitedMs, atMs: toMs }: Sample,
    { sidecar, mostMs }: { readonly sidecar: number; readonly mostMs: number },
  ): void {
    if (before === undefined || waitedMs - before.waitedMs < mostMs) return;
    const fromMs = Math.min(before.atMs, toMs - (waitedMs - before.waitedMs));
    this.#add(NO_PROCESSOR, { fromMs, toMs, sidecar });
  }

  async #askServer(probe: ServerProbe): Promise<void> {
    const fromMs = performance.now();
    this.#askedAtMs = fromMs;
    await probe.ask().catch(() => undefined);
    this.#askedAtMs = undefined;
    const toMs = performance.now();
    if (toMs - fromMs > STALL_MS) this.#add(SERVER_SILENT, { fromMs, toMs });
  }

  #add(kind: string, time: Pick<FaultWindow, 'fromMs' | 'toMs' | 'sidecar'>): void {
    this.#windows.push({ kind, ...time, losesData: false });
  }
}

/** The question may have been asked a little before. */
function around({ fromMs, toMs }: FaultWindow) {
  return { fromMs: fromMs - STALL_MS, toMs: toMs + STALL_MS };
}
