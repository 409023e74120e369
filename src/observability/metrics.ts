import { collectDefaultMetrics, Registry } from 'prom-client';

import type { Clock } from '../base/clock';
import type { ApiCall } from '../api/api-observer';
import type { MetricsSettings } from '../configuration/configuration';
import type { LockObserver } from '../lock/lock-observer';
import type { StoreObserver } from '../lock/store-observer';
import { GrpcMetrics } from './grpc-metrics';
import { HttpMetrics } from './http-metrics';
import { HeldLocks } from './held-locks';
import { HoldMetrics } from './hold-metrics';
import { LockMetrics } from './lock-metrics';
import type { MeasuredResult } from './measured-result';
import { createMetrics } from './metric-definitions';
import { StoreStates } from './store-states';
import { UpstreamMetrics } from './upstream-metrics';

/** The options of {@link Metrics}. */
export interface MetricsOptions {
  readonly appId: string;
  /** `$NAMESPACE`; empty for none. */
  readonly namespace: string;
  readonly settings: MetricsSettings;
  /** True for the name of an existing store. Any other name is arbitrary text of a client. */
  readonly isKnownStore: (name: string) => boolean;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

/** The steps at which a component may fail, as in daprd's labels. */
const FAILED_STEPS = ['creation', 'init'] as const;

/** One of these steps. */
type FailedStep = (typeof FAILED_STEPS)[number];

/** Dapr's categories of error codes (dapr/dapr pkg/messages/errorcodes). */
const ERROR_CATEGORIES: Readonly<Record<string, string>> = {
  ERR_LOCK_STORE_NOT_CONFIGURED: 'lock',
  ERR_LOCK_STORE_NOT_FOUND: 'lock',
  ERR_LOCK_OVERLOADED: 'lock',
  ERR_TRY_LOCK: 'lock',
  ERR_UNLOCK: 'lock',
  ERR_LOCK_UNSUPPORTED: 'lock',
  ERR_LOCK_STORE_UNAVAILABLE: 'lock',
  ERR_LOCK_STORE_FAILED: 'lock',
  ERR_LOCK_OUTCOME_UNKNOWN: 'lock',
  ERR_LOCK_STOPPING: 'lock',
  ERR_LOCK_CANCELLED: 'lock',
  ERR_DIRECT_INVOKE: 'service-invocation',
  ERR_HEALTH_NOT_READY: 'health',
  ERR_OUTBOUND_HEALTH_NOT_READY: 'health',
  ERR_HEALTH_APPID_NOT_MATCH: 'health',
};

/**
 * The metrics of a sidecar: daprd's names and labels (dapr/dapr pkg/diagnostics), and metrics of
 * locks, which daprd does not have. A resource, an owner or arbitrary text of a client is never a
 * label.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #options: MetricsOptions;
  #settings: MetricsSettings;
  readonly #metrics;
  readonly #http: HttpMetrics;
  readonly #grpc: GrpcMetrics;
  readonly #locks: LockMetrics;
  readonly #holds: HoldMetrics;
  readonly #held: HeldLocks;
  readonly #upstream: UpstreamMetrics;
  readonly #storeStates: StoreStates;

  constructor(options: MetricsOptions) {
    const { appId, settings, isKnownStore } = options;
    this.#options = options;
    this.#settings = settings;
    this.#metrics = createMetrics(this.registry, settings.latencyBucketsMs);
    this.#http = new HttpMetrics(this.#metrics, { appId, settings: settings.http, isKnownStore });
    this.#grpc = new GrpcMetrics(this.#metrics, appId);
    this.#locks = new LockMetrics(this.#metrics, appId);
    this.#holds = new HoldMetrics(this.#metrics, appId);
    this.#held = new HeldLocks(this.#metrics.held, appId, options.clock);
    this.#upstream = new UpstreamMetrics(this.#metrics, appId);
    this.#storeStates = new StoreStates({
      now: () => performance.now(),
      onState: (store, isUp) => {
        this.#showStore(store, isUp);
      },
      onGone: (store) => {
        this.#endStore(store);
      },
    });
    this.#metrics.componentLoaded.inc({ app_id: appId }, 0);
    collectDefaultMetrics({ register: this.registry });
  }

  /** Applies changed settings. The buckets stay as they were at start. */
  configure(settings: MetricsSettings): void {
    this.#settings = settings;
    this.#http.configure(settings.http);
  }

  /** Measures everything about lock calls. */
  get observers(): readonly LockObserver[] {
    return [this.lockObserver, this.holdObserver, this.heldObserver];
  }

  /** Measures lock calls. */
  get lockObserver(): LockObserver {
    return this.#locks;
  }

  /** Measures waits and holds. */
  get holdObserver(): LockObserver {
    return this.#holds;
  }

  /** Counts the locks that are held. */
  get heldObserver(): LockObserver {
    return this.#held;
  }

  /** True if calls are measured. */
  get isEnabled(): boolean {
    return this.#settings.enabled;
  }

  /** Records a finished API call. */
  recordCall(call: ApiCall, result: MeasuredResult): void {
    if (result.errorCode !== undefined) this.#recordErrorCode(result.errorCode);
    if (call.isPassed === true) this.#upstream.record(call, result);
    else if (call.protocol === 'http') this.#http.record(call, result);
    else this.#grpc.record(call, result);
  }

  /** Records whether the upstream is ready. */
  recordUpstream(isUp: boolean): void {
    this.#metrics.upstreamUp.set({ app_id: this.#options.appId }, isUp ? 1 : 0);
  }

  /** Observes a store's connection and its calls, for its whole life. */
  storeObserver(store: string): StoreObserver {
    const { reconnects, withdrawn } = this.#metrics;
    const labels = { app_id: this.#options.appId, store };
    return {
      ...this.#storeStates.observerOf(store),
      reconnected: () => {
        reconnects.inc(labels);
      },
      withdrawn: () => {
        withdrawn.inc(labels);
      },
    };
  }

  #showStore(store: string, isUp: boolean): void {
    const { storeUp, reconnects, withdrawn } = this.#metrics;
    const labels = { app_id: this.#options.appId, store };
    this.#locks.begin(store);
    this.#holds.begin(store);
    this.#held.begin(store);
    reconnects.inc(labels, 0);
    withdrawn.inc(labels, 0);
    storeUp.set(labels, isUp ? 1 : 0);
  }

  #endStore(store: string): void {
    const { storeUp, reconnects, withdrawn } = this.#metrics;
    const labels = { app_id: this.#options.appId, store };
    this.#locks.end(store);
    this.#holds.end(store);
    this.#held.end(store);
    for (const metric of [storeUp, reconnects, withdrawn]) metric.remove(labels);
  }

  /**
   * Records a component's init. `failedAt` is the step of a failure, undefined for success. The
   * failure counters of a component start at 0 with its first success, so that `increase()` sees a
   * later failure.
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

  /** Sets the number of loaded policies for each name. */
  recordPolicies(names: readonly string[]): void {
    this.#metrics.resiliencyLoaded.reset();
    for (const name of names) this.#metrics.resiliencyLoaded.inc(this.#policyLabels(name));
  }

  /** Counts a policy that ran or acted for a component. */
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

  /** Sets the state of a component's circuit breaker. */
  recordBreakerState(
    { component, name }: { component: string; name: string },
    state: string,
  ): void {
    for (const labels of this.#breakerLabels(component, name)) {
      this.#metrics.resiliencyState.set(labels, labels.status === state ? 1 : 0);
    }
  }

  /** Removes the state of a breaker that no longer exists. */
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
