import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { type CallPolicy, plainPolicy } from '../lock/call-policy';
import { ManifestFileError } from '../manifests/manifest-file';
import type { ManifestFile } from '../manifests/manifest-source';
import { ReportedProblems } from '../manifests/reported-problems';
import { CallRunner, type RetryListener } from './call-runner';
import { type BreakerState, CircuitBreaker } from './circuit-breaker';
import type { ResiliencyDocument } from './policies';
import { describeUnknownTargets, PolicySet } from './policy-set';
import { isResiliency, parseResiliency } from './resiliency-file';

/** Receives events about policies, for metrics. Must not throw. */
export interface ResiliencyObserver {
  /** Documents with these names were loaded. */
  loaded(names: readonly string[]): void;
  /** A call ran under a policy. */
  executed(use: PolicyUse): void;
  /** A policy acted: a timeout passed, a call was retried, or a breaker changed its state. */
  activated(use: PolicyUse): void;
  /** A component's breaker has this state now. */
  breakerState(use: BreakerUse, state: BreakerState): void;
  /** A component no longer has this breaker. */
  breakerRemoved(use: BreakerUse): void;
}

/** An observer that does nothing. */
export const silentResiliencyObserver: ResiliencyObserver = {
  loaded: () => undefined,
  executed: () => undefined,
  activated: () => undefined,
  breakerState: () => undefined,
  breakerRemoved: () => undefined,
};

/** A component's breaker and its label. */
export type BreakerUse = Pick<PolicyUse, 'component' | 'name'>;

/** A policy that was used for a component. */
export interface PolicyUse {
  readonly component: string;
  readonly policy: 'timeout' | 'retry' | 'circuitbreaker';
  /** The name of the first document. daprd uses it as the label of every policy. */
  readonly name: string;
  /** The state of a breaker; empty for other policies. */
  readonly status: string;
}

/** The dependencies of {@link Resiliency}. */
export interface ResiliencyOptions {
  readonly appId: string;
  readonly logger: Logger;
  readonly observer: ResiliencyObserver;
}

/** A breaker with its settings and its label. */
interface KnownBreaker {
  readonly like: string;
  readonly breaker: CircuitBreaker;
  readonly use: BreakerUse;
}

/** The problems of one reading. */
interface Problems {
  readonly errors: string[];
  readonly warnings: string[];
}

/**
 * The resiliency policies of a sidecar. They can be reloaded while calls run: calls in flight keep
 * their policies, and a breaker whose settings did not change keeps its state.
 */
export class Resiliency {
  readonly #options: ResiliencyOptions;
  #set = new PolicySet([]);
  #documents = new Map<string, ResiliencyDocument>();
  #loaded = '';
  readonly #runners = new Map<string, CallPolicy>();
  readonly #breakers = new Map<string, KnownBreaker>();
  readonly #errors = new ReportedProblems();
  readonly #warnings = new ReportedProblems();

  constructor(options: ResiliencyOptions) {
    this.#options = options;
  }

  /** The names of the loaded documents. */
  get names(): readonly string[] {
    return this.#set.names;
  }

  /** True if policies in use come from this file. */
  isFrom(file: string): boolean {
    return this.#documents.has(file);
  }

  /**
   * Loads the policies from the files of the resource folders. As in daprd, only the first document
   * of a file is used. If a file can't be used, its previous policies stay in use.
   *
   * @param components the names of all components, if they are known; a target of another component
   *   causes a warning
   * @returns false if there was a file that can't be used
   */
  load(files: readonly ManifestFile[], components?: readonly string[]): boolean {
    const { logger } = this.#options;
    const documents = new Map<string, ResiliencyDocument>();
    const problems: Problems = { errors: [], warnings: [] };
    for (const file of files) {
      const document = this.#read(file, problems);
      if (document !== undefined) documents.set(file.file, document);
    }
    for (const document of documents.values()) {
      problems.warnings.push(...document.warnings);
      if (components === undefined) continue;
      problems.warnings.push(...describeUnknownTargets(document, components));
    }
    this.#warnings.report(problems.warnings, (sentence) => {
      logger.warn(sentence);
    });
    this.#errors.report(problems.errors, (sentence) => {
      logger.error(sentence);
    });
    this.#takeOn(documents);
    return problems.errors.length === 0;
  }

  /** Removes the state of all components except these. */
  keepOnly(components: readonly string[]): void {
    for (const component of this.#runners.keys()) {
      if (!components.includes(component)) this.#runners.delete(component);
    }
    this.#removeBreakers((component) => !components.includes(component));
  }

  /** The policy for calls to a component. */
  policyOf(component: string): CallPolicy {
    const known = this.#runners.get(component);
    if (known !== undefined) return known;
    const runner = this.#createRunner(component);
    this.#runners.set(component, runner);
    return runner;
  }

  #takeOn(documents: Map<string, ResiliencyDocument>): void {
    const { logger, observer } = this.#options;
    const fingerprint = JSON.stringify([...documents.values()], plain);
    if (fingerprint === this.#loaded) return;
    this.#loaded = fingerprint;
    this.#documents = documents;
    this.#set = new PolicySet([...documents.values()]);
    this.#runners.clear();
    this.#removeBreakers((component, { like }) => this.#likeOf(component) !== like);
    this.#relabelBreakers();
    for (const name of this.#set.names) logger.info(`Loading Resiliency configuration: ${name}`);
    for (const problem of this.#set.problems) logger.warn(problem);
    observer.loaded(this.#set.names);
  }

  #removeBreakers(isGone: (component: string, known: KnownBreaker) => boolean): void {
    for (const [component, known] of this.#breakers) {
      if (!isGone(component, known)) continue;
      this.#breakers.delete(component);
      this.#options.observer.breakerRemoved(known.use);
    }
  }

  /** Updates the labels of breakers when the document's name changes. Their state stays. */
  #relabelBreakers(): void {
    const { observer } = this.#options;
    for (const [component, known] of this.#breakers) {
      const use = { component, name: this.#label };
      if (known.use.name === use.name) continue;
      observer.breakerRemoved(known.use);
      this.#breakers.set(component, { ...known, use });
      observer.breakerState(use, known.breaker.state);
    }
  }

  /** The label of policies in metrics. */
  get #label(): string {
    return this.#set.names[0] ?? '';
  }

  #read(file: ManifestFile, { errors, warnings }: Problems): ResiliencyDocument | undefined {
    const kept = this.#documents.get(file.file);
    const what = kept === undefined ? 'it is not loaded' : 'its previous contents stay in use';
    if (file.documents.slice(1).some(isResiliency)) {
      warnings.push(
        `${file.file}: a Resiliency that is not the first document of its file is not loaded`,
      );
    }
    try {
      return this.#parse(file);
    } catch (error) {
      if (!(error instanceof ManifestFileError)) throw error;
      // Invalid YAML may be of any kind, and is reported where components are read.
      if (file.documents[0]?.value === undefined && kept === undefined) return undefined;
      errors.push(`Could not read resiliency policy: ${toErrorMessage(error)}; ${what}`);
      return kept;
    }
  }

  /** The document of a file, if it is meant for this sidecar. */
  #parse({ file, documents, problem }: ManifestFile): ResiliencyDocument | undefined {
    const [first] = documents;
    const reason = problem ?? first?.problem;
    if (reason !== undefined) throw new ManifestFileError(reason);
    if (first === undefined || !isResiliency(first)) return undefined;
    const document = parseResiliency({ file, document: first });
    const { scopes } = document;
    return scopes.length === 0 || scopes.includes(this.#options.appId) ? document : undefined;
  }

  #createRunner(component: string): CallPolicy {
    const policies = this.#set.policiesOf(component);
    if (Object.values(policies).every((policy) => policy === undefined)) return plainPolicy;
    const breaker = this.#breakerOf(component);
    return new CallRunner({ policies, breaker, listener: this.#createListener(component) });
  }

  #breakerOf(component: string): CircuitBreaker | undefined {
    const policy = this.#set.policiesOf(component).circuitBreaker;
    const like = this.#likeOf(component);
    if (policy === undefined || like === undefined) return undefined;
    const known = this.#breakers.get(component);
    if (known?.like === like) return known.breaker;
    const { logger, observer } = this.#options;
    const use = { component, name: this.#label };
    const breaker = new CircuitBreaker(policy.settings, (from, to) => {
      logger.info(
        `Circuit breaker "${policy.name}-${component}" changed state from ${from} to ${to}`,
      );
      // Calls that began before continue with the old breaker.
      const shown = this.#breakers.get(component);
      const isShown = shown?.breaker === breaker;
      const named = isShown ? shown.use : use;
      observer.activated({ ...named, policy: 'circuitbreaker', status: to });
      if (isShown) observer.breakerState(named, to);
    });
    observer.breakerState(use, 'closed');
    this.#breakers.set(component, { like, breaker, use });
    return breaker;
  }

  /** The settings of a breaker as text, for comparison. Undefined if the component has none. */
  #likeOf(component: string): string | undefined {
    const policy = this.#set.policiesOf(component).circuitBreaker;
    return policy === undefined ? undefined : JSON.stringify(policy, plain);
  }

  #createListener(component: string): RetryListener {
    const { logger, observer } = this.#options;
    const operation = `component[${component}] output`;
    const name = this.#label;
    return {
      failed: (reason, pauseMs) => {
        logger.warn(
          `Error processing operation ${operation}. Retrying in ${toGoDuration(pauseMs)}…`,
        );
        logger.debug(`Error for operation ${operation} was: ${reason}`);
      },
      recovered: (attempts) => {
        logger.info(`Recovered processing operation ${operation} after ${attempts} attempts`);
      },
      executed: (policy, status) => {
        observer.executed({ component, policy, name, status });
      },
      activated: (policy) => {
        observer.activated({ component, policy, name, status: '' });
      },
    };
  }
}

/**
 * Converts a document for comparison. Warnings contain positions and are left out. Maps are
 * converted, because JSON omits their contents, and functions are left out, because their text is
 * next to them.
 */
function plain(key: string, value: unknown): unknown {
  if (key === 'warnings') return undefined;
  return value instanceof Map ? [...value] : value;
}

/** A duration in Go's syntax, as daprd logs it. */
function toGoDuration(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(6))}ms`;
  const [minutes, seconds] = [Math.floor(ms / 60_000), Number(((ms % 60_000) / 1000).toFixed(9))];
  const hours = Math.floor(minutes / 60);
  if (hours > 0) return `${hours}h${minutes % 60}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
