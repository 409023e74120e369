import { Counter, Gauge, type Registry } from 'prom-client';

import {
  DURATION_BUCKETS_S,
  LATENCY_BUCKETS_MS,
  SIZE_BUCKETS_BYTES,
  WAIT_BUCKETS_S,
} from './metric-buckets';
import { HistogramFamily, NumberFamily } from './metric-families';

const POLICY_LABELS = ['app_id', 'name', 'namespace'] as const;
const POLICY_USE_LABELS = [
  ...POLICY_LABELS,
  'policy',
  'flow_direction',
  'target',
  'status',
] as const;

/** Creates all metrics of a sidecar, in daprd's order. */
export function createMetrics(registry: Registry, latencyBucketsMs: readonly number[] | undefined) {
  const registers = [registry];
  const latency = [...(latencyBucketsMs ?? LATENCY_BUCKETS_MS)];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers });
  // The families that every call updates.
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    new HistogramFamily({ name, help, registry, buckets });
  const count = (name: string, help: string) =>
    new NumberFamily('counter', { name, help, registry });
  const level = (name: string, help: string) => new NumberFamily('gauge', { name, help, registry });
  return {
    httpRequests: count('dapr_http_server_request_count', 'HTTP requests'),
    httpResponses: count('dapr_http_server_response_count', 'HTTP responses'),
    httpLatency: histogram('dapr_http_server_latency', 'Time of HTTP requests, in ms', latency),
    httpRequestBytes: histogram(
      'dapr_http_server_request_bytes',
      'Bytes of request bodies',
      SIZE_BUCKETS_BYTES,
    ),
    httpResponseBytes: histogram(
      'dapr_http_server_response_bytes',
      'Bytes of response bodies',
      SIZE_BUCKETS_BYTES,
    ),
    grpcCompleted: count('dapr_grpc_io_server_completed_rpcs', 'gRPC calls'),
    grpcLatency: histogram(
      'dapr_grpc_io_server_server_latency',
      'Time of gRPC calls, in ms',
      latency,
    ),
    grpcReceived: histogram(
      'dapr_grpc_io_server_received_bytes_per_rpc',
      'Bytes of gRPC requests',
      SIZE_BUCKETS_BYTES,
    ),
    grpcSent: histogram(
      'dapr_grpc_io_server_sent_bytes_per_rpc',
      'Bytes of gRPC responses',
      SIZE_BUCKETS_BYTES,
    ),
    componentLoaded: counter('dapr_runtime_component_loaded', 'Components loaded', ['app_id']),
    componentInit: counter('dapr_runtime_component_init_total', 'Components initialised', [
      'app_id',
      'component',
    ]),
    componentFail: counter('dapr_runtime_component_init_fail_total', 'Components that failed', [
      'app_id',
      'component',
      'componentName',
      'reason',
    ]),
    errorCodes: counter('dapr_error_code_total', 'Errors answered, by code', [
      'app_id',
      'category',
      'error_code',
    ]),
    resiliencyLoaded: gauge('dapr_resiliency_loaded', 'Resiliency policies loaded', POLICY_LABELS),
    resiliencyCount: counter('dapr_resiliency_count', 'Calls under a policy', POLICY_USE_LABELS),
    resiliencyActivations: counter(
      'dapr_resiliency_activations_total',
      'How often a policy acted',
      POLICY_USE_LABELS,
    ),
    resiliencyState: gauge(
      'dapr_resiliency_cb_state',
      '1 for the current state of a circuit breaker',
      POLICY_USE_LABELS,
    ),
    operations: count('dapr_lock_operations_total', 'Lock calls by outcome'),
    duration: histogram(
      'dapr_lock_operation_duration_seconds',
      'Time of lock calls, in s',
      DURATION_BUCKETS_S,
    ),
    inFlight: level('dapr_lock_operations_in_flight', 'Lock calls under way'),
    waiters: level('dapr_lock_waiters', 'Calls that wait for a lock in turn'),
    waits: histogram(
      'dapr_lock_wait_duration_seconds',
      'Time that calls waited for a lock in turn, in s',
      WAIT_BUCKETS_S,
    ),
    wakeUps: count('dapr_lock_wake_ups_total', 'Times that the store woke a waiter'),
    holds: level('dapr_lock_holds', 'Locks that are held by calls'),
    held: level('dapr_lock_held', 'Locks that this sidecar granted and that are held'),
    renewals: count('dapr_lock_renewals_total', 'Renewals of holds, by how they ended'),
    lostHolds: count('dapr_lock_holds_lost_total', 'Locks that were lost while they were held'),
    forceReleases: count('dapr_lock_force_releases_total', 'Locks that were released by force'),
    upstreamUp: gauge('holdfast_upstream_up', '1 while the upstream sidecar is ready', ['app_id']),
    upstreamCalls: count('holdfast_upstream_calls_total', 'Calls passed on to the upstream'),
    upstreamDuration: histogram(
      'holdfast_upstream_call_duration_seconds',
      'Time of calls passed on to the upstream, in s',
      DURATION_BUCKETS_S,
    ),
    storeUp: gauge('dapr_lock_store_up', '1 while the store of locks can be reached', [
      'app_id',
      'store',
    ]),
    reconnects: counter('dapr_lock_store_reconnects_total', 'Reconnections to a store', [
      'app_id',
      'store',
    ]),
    withdrawn: counter(
      'dapr_lock_withdrawn_attempts_total',
      'Attempts of unknown outcome that were undone',
      ['app_id', 'store'],
    ),
  };
}
