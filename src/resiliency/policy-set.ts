import { findNearest } from '../base/nearest-name';
import type { BreakerSettings, PolicyNames, ResiliencyDocument, RetrySettings } from './policies';

/** A policy with its name. */
export interface Named<T> {
  readonly name: string;
  readonly settings: T;
}

/** The policies for calls to one component. Missing ones do not apply. */
export interface ComponentPolicies {
  /** In milliseconds. */
  readonly timeout: Named<number> | undefined;
  readonly retry: Named<RetrySettings> | undefined;
  readonly circuitBreaker: Named<BreakerSettings> | undefined;
}

/** Sentences about targets whose component does not exist, with their places. */
export function describeUnknownTargets(
  { components, positionOfTarget }: ResiliencyDocument,
  names: readonly string[],
): readonly string[] {
  const unknown = [...components.keys()].filter((component) => !names.includes(component));
  return unknown.map((component) => {
    const nearest = findNearest(component, names);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    return `${positionOfTarget(component)} spec.targets.components.${component} names a component that is not loaded, and has no effect${hint}`;
  });
}

/** Parts of the names of default policies, the most specific first (dapr/dapr pkg/resiliency). */
const DEFAULT_SCOPES = ['LockComponentOutbound', 'ComponentOutbound', 'Component', ''];

/** All policies of a sidecar. If several have the same name, the last one is used. */
export class PolicySet {
  readonly #timeouts: ReadonlyMap<string, number>;
  readonly #retries: ReadonlyMap<string, RetrySettings>;
  readonly #breakers: ReadonlyMap<string, BreakerSettings>;
  readonly #targets: ReadonlyMap<string, PolicyNames>;
  /** Sentences for the log about policies that a target names but nothing defines. */
  readonly problems: readonly string[];
  /** The names of the documents. */
  readonly names: readonly string[];

  /** @param documents in reading order */
  constructor(documents: readonly ResiliencyDocument[]) {
    this.#timeouts = merge(documents.map(({ timeouts }) => timeouts));
    this.#retries = merge(documents.map(({ retries }) => retries));
    this.#breakers = merge(documents.map(({ circuitBreakers }) => circuitBreakers));
    this.#targets = merge(documents.map(({ components }) => components));
    this.names = documents.map(({ name }) => name);
    this.problems = documents.flatMap((document) => this.#findUndefined(document));
  }

  /** The policies of a component: those of its target, or the defaults if it has no target. */
  policiesOf(component: string): ComponentPolicies {
    const target = this.#targets.get(component);
    return {
      timeout: find(this.#timeouts, target, { own: target?.timeout, suffix: 'TimeoutPolicy' }),
      retry: find(this.#retries, target, { own: target?.retry, suffix: 'RetryPolicy' }),
      circuitBreaker: find(this.#breakers, target, {
        own: target?.circuitBreaker,
        suffix: 'CircuitBreakerPolicy',
      }),
    };
  }

  /**
   * Finds undefined policies. daprd ignores missing timeouts and retries, and panics at a missing
   * breaker.
   */
  #findUndefined({ file, components }: ResiliencyDocument): readonly string[] {
    return [...components].flatMap(([component, names]) => {
      const wanted = [
        ['timeout', names.timeout, this.#timeouts],
        ['retry', names.retry, this.#retries],
        ['circuitBreaker', names.circuitBreaker, this.#breakers],
      ] as const;
      return wanted
        .filter(([, name, defined]) => name !== undefined && !defined.has(name))
        .map(
          ([kind, name, defined]) =>
            `${file}: component ${component} names the ${kind} policy "${name ?? ''}", which is not defined; it runs without this policy (defined: ${[...defined.keys()].join(', ') || 'none'})`,
        );
    });
  }
}

function merge<T>(maps: readonly ReadonlyMap<string, T>[]): ReadonlyMap<string, T> {
  return new Map(maps.flatMap((map) => [...map]));
}

function find<T>(
  defined: ReadonlyMap<string, T>,
  target: PolicyNames | undefined,
  kind: { readonly own: string | undefined; readonly suffix: string },
): Named<T> | undefined {
  const { own, suffix } = kind;
  const defaults = DEFAULT_SCOPES.map((scope) => `Default${scope}${suffix}`);
  const names = target === undefined ? defaults : [own ?? ''];
  const name = names.find((candidate) => defined.has(candidate));
  const settings = name === undefined ? undefined : defined.get(name);
  return name === undefined || settings === undefined ? undefined : { name, settings };
}
