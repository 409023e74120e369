import { setTimeout as pause } from 'node:timers/promises';

import type { FaultWindow } from '../../faults/history';
import type { Random } from '../../faults/random';
import type { SidecarUnderTest } from '../../faults/sidecar-under-test';
import type { PostgresqlServer } from '../../support/postgresql-server';
import type { TcpProxy } from '../../support/tcp-proxy';

/** How long nothing is broken after each round: only then waits have to be served at once. */
const CALM_MS = 3000;

interface Target {
  readonly server: PostgresqlServer;
  /** The sidecar that is hit, where the fault hits one. */
  readonly sidecar: SidecarUnderTest;
  readonly random: Random;
}

interface Fault {
  /** True where it hits all sidecars. */
  readonly isOfAll?: boolean;
  readonly run: (target: Target) => Promise<void>;
}

/** A fault of the network between one sidecar and the server, for a while. */
const onOneProxy =
  (act: (proxy: TcpProxy, random: Random) => void | Promise<void>, longestMs = 400) =>
  async ({ sidecar: { proxy }, random }: Target): Promise<void> => {
    await act(proxy, random);
    await pause(random.between(20, longestMs));
    proxy.heal();
  };

/** Every kind of fault, by the name that the report gives it. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'replies dropped': {
    run: onOneProxy((proxy) => {
      proxy.dropReplies = true;
    }),
  },
  'requests dropped': {
    run: onOneProxy((proxy) => {
      proxy.dropRequests = true;
    }),
  },
  'half-open': {
    run: onOneProxy((proxy) => {
      proxy.dropRequests = true;
      proxy.dropReplies = true;
    }, 700),
  },
  delay: {
    run: onOneProxy((proxy, random) => {
      proxy.delayMs = random.between(5, 150);
    }),
  },
  'held back and delivered late': {
    run: async ({ sidecar: { proxy }, random }) => {
      proxy.holdRequests = true;
      await pause(random.between(5, 50));
      proxy.holdRequests = false;
      proxy.cut();
      await pause(random.between(5, 600));
      proxy.deliverHeld();
    },
  },
  'cut mid-reply': {
    run: onOneProxy((proxy) => {
      proxy.cutNextReply = true;
    }, 50),
  },
  'connections cut': {
    run: onOneProxy((proxy) => {
      proxy.cut();
    }, 50),
  },
  'connections refused': {
    run: onOneProxy((proxy) => {
      proxy.refuse = true;
      proxy.cut();
    }),
  },
  'backends terminated': {
    isOfAll: true,
    run: async ({ server }) => {
      await server.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'`,
      );
    },
  },
  'statements cancelled': {
    isOfAll: true,
    run: async ({ server }) => {
      await server.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'`,
      );
    },
  },
  'table locked': {
    isOfAll: true,
    run: async ({ server, random }) => {
      const seconds = random.between(50, 600) / 1000;
      await server.query(
        `BEGIN; LOCK TABLE holdfast_locks IN EXCLUSIVE MODE; SELECT pg_sleep(${seconds}); COMMIT`,
      );
    },
  },
  sweep: {
    isOfAll: true,
    run: async ({ server }) => {
      await server.query('SELECT holdfast_locks_sweep_v1()');
    },
  },
  'crash of the server': {
    isOfAll: true,
    run: async ({ server, random }) => {
      await server.kill();
      await pause(random.between(0, 200));
      await server.start();
    },
  },
  'sidecar replaced': {
    run: async ({ sidecar }) => sidecar.mishaps?.restart('SIGTERM'),
  },
};

/** Breaks things one after another, in an order that the seed gives, until it is told to stop. */
export class PostgresqlInjector {
  readonly windows: FaultWindow[] = [];
  readonly #server: PostgresqlServer;
  readonly #sidecars: readonly SidecarUnderTest[];
  readonly #random: Random;
  #isStopping = false;
  #running: Promise<void> | undefined;

  constructor(options: {
    readonly server: PostgresqlServer;
    readonly sidecars: readonly SidecarUnderTest[];
    readonly random: Random;
  }) {
    this.#server = options.server;
    this.#sidecars = options.sidecars;
    this.#random = options.random;
  }

  /** Starts breaking things. */
  start(): void {
    this.#running = this.#run();
  }

  /** Stops, with everything whole again. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    for (const { proxy } of this.#sidecars) proxy.heal();
  }

  async #run(): Promise<void> {
    for (;;) {
      const round = Object.entries(FAULTS).sort(() => this.#random.next() - 0.5);
      for (const [kind, fault] of round) {
        if (this.#isStopping) return;
        await this.#break(kind, fault);
        await pause(this.#random.between(50, 400));
      }
      for (let waitedMs = 0; waitedMs < CALM_MS && !this.#isStopping; waitedMs += 100) {
        await pause(100);
      }
    }
  }

  async #break(kind: string, { run, isOfAll }: Fault): Promise<void> {
    const [server, random] = [this.#server, this.#random];
    const sidecar = random.pick(this.#sidecars);
    const fromMs = performance.now();
    await run({ server, sidecar, random });
    const hit = isOfAll === true ? {} : { sidecar: this.#sidecars.indexOf(sidecar) };
    this.windows.push({ kind, fromMs, toMs: performance.now(), losesData: false, ...hit });
  }
}
