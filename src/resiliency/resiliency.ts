import { toErrorMessage } from '../base/error-message';
import type { Logger } from '../base/logger';
import { type CallPolicy, plainPolicy } from '../lock/call-policy';
import { ManifestFileError } from '../manifests/manifest-file';
import type { ManifestFile } from '../manifests/manifest-folders';
import { ReportedProblems } from '../manifests/reported-problems';
import { CallRunner, type RetryListener } from './call-runner';
import { type BreakerState, CircuitBreaker } from './circuit-breaker';
import type { ResiliencyDocument } from './policies';
import { describeUnknownTargets, PolicySet } from './policy-set';
import { isResiliency, parseResiliency } from './resiliency-file';

/** What metrics keep of policies. Must not throw. */
export interface ResiliencyObserver {
  /** Documents were loaded, by their names. */
  loaded(names: readonly string[]): void;
  /** A call ran under a policy. */
  executed(use: PolicyUse): void;
  /** A policy had something to do: a time-out passed, a call was repeated, a breaker changed. */
  activated(use: PolicyUse): void;
  /** A component's breaker is in a state now. */
  breakerState(use: BreakerUse, state: BreakerState): void;
  /** A component has no such breaker any more. */
  breakerRemoved(use: BreakerUse): void;
}

/** A component's breaker, and the name that it is labelled with. */
export type BreakerUse = Pick<PolicyUse, 'component' | 'name'>;

/** A policy that was used, and for which component. */
export interface PolicyUse {
  readonly component: string;
  readonly policy: 'timeout' | 'retry' | 'circuitbreaker';
  /** The name of the first document, which daprd labels every policy with. */
  readonly name: string;
  /** The state of a breaker; empty for other policies. */
  readonly status: string;
}

/** What the policies of a sidecar stand on. */
export interface ResiliencyOptions {
  readonly appId: string;
  readonly logger: Logger;
  readonly observer: ResiliencyObserver;
}

/** A breaker, what it was made of, and how it is known outside. */
interface KnownBreaker {
  readonly like: string;
  readonly breaker: CircuitBreaker;
  readonly use: BreakerUse;
}

/** What is wrong with the files of one reading. */
interface Problems {
  readonly errors: string[];
  readonly warnings: string[];
}

/**
 * The resiliency policies of a sidecar. They can be loaded again while calls run: calls under way
 * end as they began, and a breaker whose settings did not change keeps its state.
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

  /** The names of the documents that are loaded. */
  get names(): readonly string[] {
    return this.#set.names;
  }

  /** True where policies that are in use stand in a file. */
  isFrom(file: string): boolean {
    return this.#documents.has(file);
  }

  /**
   * Takes the policies out of the files of the resource folders. As in daprd only the first
   * document of a file counts. A file that can't be used leaves what it held before in use.
   *
   * @param components the names of all components there are, where they are known: targets of
   *   others are warned about
   * @returns false where there was such a file
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

  /** Forgets the calls to all components but those named. */
  keepOnly(components: readonly string[]): void {
    for (const component of this.#runners.keys()) {
      if (!components.includes(component)) this.#runners.delete(component);
    }
    this.#removeBreakers((component) => !components.includes(component));
  }

  /** How calls to a component are run. */
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

  /** A breaker keeps its state when the document gets another name, but is shown by that name. */
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

  /** What policies are labelled with. */
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
      // What is no YAML may be of any kind, and is named where components are read.
      if (file.documents[0]?.value === undefined && kept === undefined) return undefined;
      errors.push(`Could not read resiliency policy: ${toErrorMessage(error)}; ${what}`);
      return kept;
    }
  }

  /** The document of a file that is meant for this sidecar. */
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
      // Calls that began before it was replaced go on with it.
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

  /** Two breakers of one text are alike; undefined where a component has none. */
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

/** What a document is; warnings tell its place too. Maps don't show in JSON by themselves, and functions stand beside the text they are made of. */
function plain(key: string, value: unknown): unknown {
  if (key === 'warnings') return undefined;
  return value instanceof Map ? [...value] : value;
}

/** A duration in Go's form, as daprd logs it. */
function toGoDuration(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(6))}ms`;
  const [minutes, seconds] = [Math.floor(ms / 60_000), Number(((ms % 60_000) / 1000).toFixed(9))];
  const hours = Math.floor(minutes / 60);
  if (hours > 0) return `${hours}h${minutes % 60}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
