/** The subject of an attack, in the words of the table: whom a hostile neighbour hurts, and how. */
export type AttackKind =
  | 'floor'
  | 'memory'
  | 'stall'
  | 'punished for others'
  | 'TLS'
  | 'left locks'
  | 'descriptors'
  | 'unread log';

/** `small` for continuous integration, a few seconds each; `full` with the numbers of a real attacker. */
export type AttackSize = 'small' | 'full';

/** A component of the sidecar under attack, beside those that every target has. */
export interface AttackComponent {
  readonly name: string;
  readonly type: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How the sidecar has to be set up for an attack. Without any of it: Redis, a token, plain text. */
export interface AttackNeeds {
  /**
   * True where the attacker knows the API token. Every sidecar under attack asks for one; without
   * this {@link AttackTarget.token} is undefined, and the attack is one that anybody can make.
   */
  readonly token?: boolean;
  /** Both API ports speak TLS, with the certificate of test/fixtures/tls. */
  readonly tls?: boolean;
  /** Opens the public HTTP port too. */
  readonly publicPort?: boolean;
  /** Further arguments of the sidecar. */
  readonly args?: readonly string[];
  /** Added to the sidecar's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Metadata of `lockstore` that take the place of the real Redis', a proxy's address for instance. */
  readonly lockstore?: Readonly<Record<string, string>>;
  /** Further components, a store on a hostile Redis for instance. */
  readonly components?: readonly AttackComponent[];
  /** The limit of open files that the sidecar is started under; that of the run otherwise. */
  readonly openFiles?: number;
  /** Nobody reads what the sidecar logs, once it is ready. */
  readonly unreadLog?: boolean;
}

/** The sidecar under attack as its attacker sees it. It crosses a process border: plain data only. */
export interface AttackTarget {
  readonly pid: number;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly metricsPort: number;
  /** 0 unless the attack needs it. */
  readonly publicPort: number;
  /** The real Redis of `lockstore` and `probestore`. */
  readonly redisPort: number;
  /** Only where the attack needs to know it. */
  readonly token?: string | undefined;
}

/**
 * The bounds that every attack is held to. docs/operations.md states them for operators.
 * Megabytes are MiB of resident memory.
 */
export interface Bounds {
  /** Highest resident memory at any moment: what the Kubernetes manifests allow a container. */
  readonly peakRssMb: number;
  /** Growth of the resident memory while the attacker is silent and keeps its connections open. */
  readonly heldMb: number;
  /** Growth of the resident memory once the attacker is gone. */
  readonly keptMb: number;
  /**
   * Longest time from a lock call beside the attack to its answer, over any transport. The time in which
   * other processes kept the sidecar off the processor is not counted.
   */
  readonly stallMs: number;
  /** Lock calls beside the attack that failed, or were answered wrongly. */
  readonly failedCalls: number;
  /** Descriptors that are open once the attacker is gone, beyond those before it came. */
  readonly descriptorsLeft: number;
  /** Locks of the attacker's calls that are still held in Redis. */
  readonly locksLeft: number;
  /** From SIGTERM to the end of the process, once the attacker is gone. */
  readonly stopMs: number;
}

/** The bounds of a sidecar, unless an attack states others and why. */
export const DEFAULT_BOUNDS: Bounds = {
  peakRssMb: 384,
  heldMb: 64,
  keptMb: 64,
  stallMs: 500,
  failedCalls: 0,
  descriptorsLeft: 0,
  locksLeft: 0,
  stopMs: 2000,
};

/** Something that only one attack measures, beside its bound. */
export interface Finding {
  /** With its unit: `innocent calls that failed`, `ms from SIGTERM to the end`. */
  readonly what: string;
  readonly value: number;
  /** Broken where the value is greater. */
  readonly atMost?: number;
  /** Broken where the value is less. */
  readonly atLeast?: number;
}

/**
 * One thing that a hostile or broken neighbour does. It runs in a process of its own:
 *
 * 1. `prepare`, where there is one, before the sidecar is started: opens what the sidecar is to
 *    meet (a hostile Redis, a proxy) and says what the sidecar needs then.
 * 2. The sidecar starts, is warmed up, and is called beside the attack from now on.
 * 3. `run` attacks. When it returns the attack is over but **its connections stay open**, as an
 *    attacker would leave them: what the sidecar holds for them is measured then (`heldMb`).
 * 4. The process is killed. What is left is measured (`keptMb`, descriptors, locks, stop).
 *
 * An attack that can't be made (no answer where one has to come, a refused connection) throws: a
 * row that attacks nothing proves nothing. It releases the locks that it was granted.
 */
export interface Attack {
  /** In kebab-case, by what is attacked: `metrics-pipelined`. */
  readonly name: string;
  /** One sentence: what the attacker does. */
  readonly description: string;
  readonly kind: AttackKind;
  readonly needs?: AttackNeeds;
  /** Bounds that are other than the defaults; `because` is printed below the table. */
  readonly bounds?: Partial<Bounds> & { readonly because: string };
  /** True for a variant that costs time and hardly shows more at small size: it is left out there. */
  readonly onlyAtFullSize?: boolean;
  /** True where the attack ends the sidecar itself: nothing is measured after `run`. */
  readonly endsSidecar?: boolean;
  /** `redisPort` is that of the real Redis, which a proxy may stand before. */
  readonly prepare?: (options: { readonly redisPort: number }) => Promise<AttackNeeds>;
  readonly run: (options: AttackOptions) => Promise<readonly Finding[] | undefined>;
}

/** The inputs of an attack. */
export interface AttackOptions {
  readonly target: AttackTarget;
  readonly size: AttackSize;
  /** Aborts when the attack has taken too long ({@link LONGEST_ATTACK_MS}). */
  readonly signal: AbortSignal;
}

/** How long `run` may take; a stated allowance, most are over after a few seconds. */
export const LONGEST_ATTACK_MS = 60_000;
