import { findNearest } from '../base/nearest-name';
import type { BreakerSettings, PolicyNames, ResiliencyDocument, RetrySettings } from './policies';

/** A policy and the name that it has. */
export interface Named<T> {
  readonly name: string;
  readonly settings: T;
}

/** The policies that the calls to one component are run under; absent ones don't apply. */
export interface ComponentPolicies {
  /** In milliseconds. */
  readonly timeout: Named<number> | undefined;
  readonly retry: Named<RetrySettings> | undefined;
  readonly circuitBreaker: Named<BreakerSettings> | undefined;
}

/** Targets that name no component there is, as sentences with their places. */
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

/** What policies without a target are named after, most specific first (dapr/dapr pkg/resiliency). */
const DEFAULT_SCOPES = ['LockComponentOutbound', 'ComponentOutbound', 'Component', ''];

/** All policies of a sidecar; of those with one name the one read last counts. */
export class PolicySet {
  readonly #timeouts: ReadonlyMap<string, number>;
  readonly #retries: ReadonlyMap<string, RetrySettings>;
  readonly #breakers: ReadonlyMap<string, BreakerSettings>;
  readonly #targets: ReadonlyMap<string, PolicyNames>;
  /** What is named by a target and defined nowhere, as sentences for the log. */
  readonly problems: readonly string[];
  /** The names of the documents. */
  readonly names: readonly string[];

  /** @param documents in the order in which they are read */
  constructor(documents: readonly ResiliencyDocument[]) {
    this.#timeouts = merge(documents.map(({ timeouts }) => timeouts));
    this.#retries = merge(documents.map(({ retries }) => retries));
    this.#breakers = merge(documents.map(({ circuitBreakers }) => circuitBreakers));
    this.#targets = merge(documents.map(({ components }) => components));
    this.names = documents.map(({ name }) => name);
    this.problems = documents.flatMap((document) => this.#findUndefined(document));
  }

  /** The policies of a component: its own target's, or the defaults where it has no target at all. */
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

  /** daprd passes over the first two kinds silently, and panics at the third. */
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
