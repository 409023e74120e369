import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

import { DURATION_BUCKETS_S, LATENCY_BUCKETS_MS, SIZE_BUCKETS_BYTES } from './metric-buckets';

const HTTP_LABELS = ['app_id', 'method', 'path', 'status'] as const;
const GRPC_LABELS = ['app_id', 'grpc_server_method', 'grpc_server_status'] as const;
const POLICY_LABELS = ['app_id', 'name', 'namespace'] as const;
const POLICY_USE_LABELS = [
  ...POLICY_LABELS,
  'policy',
  'flow_direction',
  'target',
  'status',
] as const;

/** Makes every metric of a sidecar, in daprd's order. */
export function createMetrics(registry: Registry, latencyBucketsMs: readonly number[] | undefined) {
  const registers = [registry];
  const latency = [...(latencyBucketsMs ?? LATENCY_BUCKETS_MS)];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    options: { readonly labelNames: readonly L[]; readonly buckets: readonly number[] },
  ) =>
    new Histogram({
      name,
      help,
      labelNames: options.labelNames,
      buckets: [...options.buckets],
      registers,
    });
  const sizes = { labelNames: ['app_id'] as const, buckets: SIZE_BUCKETS_BYTES };
  const grpcSizes = {
    labelNames: ['app_id', 'grpc_server_method'] as const,
    buckets: SIZE_BUCKETS_BYTES,
  };
  return {
    httpRequests: counter('dapr_http_server_request_count', 'HTTP requests', HTTP_LABELS),
    httpResponses: counter('dapr_http_server_response_count', 'HTTP responses', HTTP_LABELS),
    httpLatency: histogram('dapr_http_server_latency', 'Time of HTTP requests, in ms', {
      labelNames: HTTP_LABELS,
      buckets: latency,
    }),
    httpRequestBytes: histogram('dapr_http_server_request_bytes', 'Bytes of request bodies', sizes),
    httpResponseBytes: histogram(
      'dapr_http_server_response_bytes',
      'Bytes of response bodies',
      sizes,
    ),
    grpcCompleted: counter('dapr_grpc_io_server_completed_rpcs', 'gRPC calls', GRPC_LABELS),
    grpcLatency: histogram('dapr_grpc_io_server_server_latency', 'Time of gRPC calls, in ms', {
      labelNames: GRPC_LABELS,
      buckets: latency,
    }),
    grpcReceived: histogram(
      'dapr_grpc_io_server_received_bytes_per_rpc',
      'Bytes of gRPC requests',
      grpcSizes,
    ),
    grpcSent: histogram(
      'dapr_grpc_io_server_sent_bytes_per_rpc',
      'Bytes of gRPC responses',
      grpcSizes,
    ),
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
      'Times that a policy had something to do',
      POLICY_USE_LABELS,
    ),
    resiliencyState: gauge(
      'dapr_resiliency_cb_state',
      '1 for the state that a circuit breaker is in',
      POLICY_USE_LABELS,
    ),
    operations: counter('dapr_lock_operations_total', 'Lock calls, by how they ended', [
      'operation',
      'store',
      'outcome',
    ]),
    duration: histogram('dapr_lock_operation_duration_seconds', 'Time of lock calls, in s', {
      labelNames: ['operation', 'store'],
      buckets: DURATION_BUCKETS_S,
    }),
    inFlight: gauge('dapr_lock_operations_in_flight', 'Lock calls under way', [
      'operation',
      'store',
    ]),
    storeUp: gauge('dapr_lock_store_up', '1 while the store of locks can be reached', ['store']),
    reconnects: counter('dapr_lock_store_reconnects_total', 'Times that a store came back', [
      'store',
    ]),
    withdrawn: counter(
      'dapr_lock_withdrawn_attempts_total',
      'Attempts of unknown outcome that were undone',
      ['store'],
    ),
  };
}
