import { collectDefaultMetrics, Registry } from 'prom-client';

import type { ApiCall } from '../api/api-observer';
import type { MetricsSettings } from '../configuration/configuration';
import type { LockObserver } from '../lock/lock-observer';
import type { StoreObserver } from '../lock/store-observer';
import { GrpcMetrics } from './grpc-metrics';
import { HttpMetrics } from './http-metrics';
import { LockMetrics } from './lock-metrics';
import type { MeasuredResult } from './measured-result';
import { createMetrics } from './metric-definitions';

/** What the metrics of a sidecar are labelled with, and what of them is kept. */
export interface MetricsOptions {
  readonly appId: string;
  /** `$NAMESPACE`; empty for none. */
  readonly namespace: string;
  readonly settings: MetricsSettings;
  /** True for the name of a store that can be called: any other is a client's own text. */
  readonly isKnownStore: (name: string) => boolean;
}

/** Where a component may fail, daprd's reasons. */
const FAILED_STEPS = ['creation', 'init'] as const;

/** One of daprd's reasons. */
type FailedStep = (typeof FAILED_STEPS)[number];

/** Dapr's categories of error codes (dapr/dapr pkg/messages/errorcodes). */
const ERROR_CATEGORIES: Readonly<Record<string, string>> = {
  ERR_LOCK_STORE_NOT_CONFIGURED: 'lock',
  ERR_LOCK_STORE_NOT_FOUND: 'lock',
  ERR_LOCK_OVERLOADED: 'lock',
  ERR_TRY_LOCK: 'lock',
  ERR_UNLOCK: 'lock',
  ERR_DIRECT_INVOKE: 'service-invocation',
  ERR_HEALTH_NOT_READY: 'health',
  ERR_OUTBOUND_HEALTH_NOT_READY: 'health',
  ERR_HEALTH_APPID_NOT_MATCH: 'health',
};

/**
 * The metrics of a sidecar: daprd's names and labels (dapr/dapr pkg/diagnostics), and those of locks,
 * which daprd lacks. No resource, no owner and no text of a client's own choice is ever a label.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #options: MetricsOptions;
  #settings: MetricsSettings;
  readonly #metrics;
  readonly #http: HttpMetrics;
  readonly #grpc: GrpcMetrics;
  readonly #locks: LockMetrics;
  /** By store and instance: whether it is up. */
  readonly #storeStates = new Map<string, Map<symbol, boolean>>();

  constructor(options: MetricsOptions) {
    const { appId, settings, isKnownStore } = options;
    this.#options = options;
    this.#settings = settings;
    this.#metrics = createMetrics(this.registry, settings.latencyBucketsMs);
    this.#http = new HttpMetrics(this.#metrics, { appId, settings: settings.http, isKnownStore });
    this.#grpc = new GrpcMetrics(this.#metrics, appId);
    this.#locks = new LockMetrics(this.#metrics, appId);
    this.#metrics.componentLoaded.inc({ app_id: appId }, 0);
    collectDefaultMetrics({ register: this.registry });
  }

  /** Takes on changed settings; the buckets stay those of the start. */
  configure(settings: MetricsSettings): void {
    this.#settings = settings;
    this.#http.configure(settings.http);
  }

  /** Measures lock calls. */
  get lockObserver(): LockObserver {
    return this.#locks;
  }

  /** True where calls are measured. */
  get isEnabled(): boolean {
    return this.#settings.enabled;
  }

  /** Measures a call of the API that has ended. */
  recordCall(call: ApiCall, result: MeasuredResult): void {
    if (result.errorCode !== undefined) this.#recordErrorCode(result.errorCode);
    if (call.protocol === 'http') this.#http.record(call, result);
    else this.#grpc.record(call, result);
  }

  /**
   * Measures a store's way to its server, and its calls, from its first word to its last. While a store
   * is replaced there are two of its name: it is up where one of them is.
   */
  storeObserver(store: string): StoreObserver {
    const { reconnects, withdrawn } = this.#metrics;
    const instance = Symbol(store);
    const labels = { app_id: this.#options.appId, store };
    return {
      up: (isUp) => {
        this.#setState(store, instance, isUp);
      },
      reconnected: () => {
        reconnects.inc(labels);
      },
      withdrawn: () => {
        withdrawn.inc(labels);
      },
      closed: () => {
        this.#setState(store, instance, undefined);
      },
    };
  }

  #setState(store: string, instance: symbol, isUp: boolean | undefined): void {
    const states = this.#storeStates.get(store) ?? new Map<symbol, boolean>();
    if (isUp === undefined) states.delete(instance);
    else states.set(instance, isUp);
    if (states.size === 0) this.#endStore(store);
    else this.#showStore(store, states);
  }

  #showStore(store: string, states: Map<symbol, boolean>): void {
    const { storeUp, reconnects, withdrawn } = this.#metrics;
    const labels = { app_id: this.#options.appId, store };
    this.#storeStates.set(store, states);
    this.#locks.begin(store);
    reconnects.inc(labels, 0);
    withdrawn.inc(labels, 0);
    storeUp.set(labels, [...states.values()].includes(true) ? 1 : 0);
  }

  #endStore(store: string): void {
    const { storeUp, reconnects, withdrawn } = this.#metrics;
    const labels = { app_id: this.#options.appId, store };
    this.#storeStates.delete(store);
    this.#locks.end(store);
    for (const metric of [storeUp, reconnects, withdrawn]) metric.remove(labels);
  }

  /**
   * Counts a component's init; `failedAt` is daprd's reason, undefined for one that succeeded. The
   * failures of a component begin at 0 with its first success, so that `increase()` sees a later one.
   */
  recordComponent(
    { name, type }: { readonly name: string; readonly type: string },
    failedAt: FailedStep | undefined,
  ): void {
    const { componentInit, componentLoaded, componentFail } = this.#metrics;
    const { appId } = this.#options;
    const labels = { app_id: appId, component: type };
    for (const reason of FAILED_STEPS) {
      const failed = reason === failedAt ? 1 : 0;
      componentFail.inc({ ...labels, componentName: name, reason }, failed);
    }
    componentInit.inc(labels, failedAt === undefined ? 1 : 0);
    componentLoaded.inc({ app_id: appId }, failedAt === undefined ? 1 : 0);
  }

  /** Sets how many policies of each name are loaded. */
  recordPolicies(names: readonly string[]): void {
    this.#metrics.resiliencyLoaded.reset();
    for (const name of names) this.#metrics.resiliencyLoaded.inc(this.#policyLabels(name));
  }

  /** Counts a policy that ran for a component, or that had something to do for it. */
  recordPolicy(
    what: 'count' | 'activation',
    use: {
      readonly component: string;
      readonly policy: string;
      readonly name: string;
      readonly status: string;
    },
  ): void {
    const { component, policy, name, status } = use;
    const labels = {
      ...this.#policyLabels(name),
      policy,
      flow_direction: 'outbound',
      target: `Lock_${component}`,
      status,
    };
    if (what === 'count') this.#metrics.resiliencyCount.inc(labels);
    else this.#metrics.resiliencyActivations.inc(labels);
  }

  /** Sets the state that a component's breaker is in. */
  recordBreakerState(
    { component, name }: { component: string; name: string },
    state: string,
  ): void {
    for (const labels of this.#breakerLabels(component, name)) {
      this.#metrics.resiliencyState.set(labels, labels.status === state ? 1 : 0);
    }
  }

  /** Takes back the state of a breaker that is no more. */
  removeBreakerState({ component, name }: { component: string; name: string }): void {
    for (const labels of this.#breakerLabels(component, name)) {
      this.#metrics.resiliencyState.remove(labels);
    }
  }

  #breakerLabels(component: string, name: string) {
    return ['closed', 'half-open', 'open'].map((status) => ({
      ...this.#policyLabels(name),
      policy: 'circuitbreaker',
      flow_direction: 'outbound',
      target: `Lock_${component}`,
      status,
    }));
  }

  #policyLabels(name: string) {
    return { app_id: this.#options.appId, name, namespace: this.#options.namespace };
  }

  #recordErrorCode(errorCode: string): void {
    if (!this.#settings.recordErrorCodes) return;
    const category = ERROR_CATEGORIES[errorCode] ?? 'common';
    this.#metrics.errorCodes.inc({ app_id: this.#options.appId, category, error_code: errorCode });
  }
}
