import { listOf, mapOf, optionalExactStruct, unused } from '../manifests/manifest-shape';

/**
 * The sections of a Configuration that daprd knows but a lock sidecar does not use, with their
 * fields (dapr/dapr pkg/config/configuration.go). Unknown names in them are reported too, because
 * the same file usually configures other sidecars.
 */

const struct = optionalExactStruct;

const pipeline = struct({
  handlers: listOf(
    struct({
      name: unused,
      type: unused,
      version: unused,
      selector: struct({ fields: listOf(struct({ field: unused, value: unused })) }),
    }),
  ),
});

const accessControl = struct({
  defaultAction: unused,
  trustDomain: unused,
  policies: listOf(
    struct({
      appId: unused,
      defaultAction: unused,
      trustDomain: unused,
      namespace: unused,
      operations: listOf(struct({ name: unused, httpVerb: unused, action: unused })),
    }),
  ),
});

const mtls = struct({
  enabled: unused,
  workloadCertTTL: unused,
  allowedClockSkew: unused,
  sentryAddress: unused,
  controlPlaneTrustDomain: unused,
  tokenValidators: listOf(struct({ name: unused, options: unused })),
});

const secrets = struct({
  scopes: listOf(
    struct({
      defaultAccess: unused,
      storeName: unused,
      allowedSecrets: unused,
      deniedSecrets: unused,
    }),
  ),
});

const concurrencyLimits = listOf(struct({ name: unused, maxConcurrent: unused }));

const workflow = struct({
  maxConcurrentWorkflowInvocations: unused,
  maxConcurrentActivityInvocations: unused,
  globalMaxConcurrentWorkflowInvocations: unused,
  globalMaxConcurrentActivityInvocations: unused,
  workflowConcurrencyLimits: concurrencyLimits,
  activityConcurrencyLimits: concurrencyLimits,
  stateRetentionPolicy: struct({
    anyTerminal: unused,
    completed: unused,
    failed: unused,
    terminated: unused,
  }),
});

/** By their names under `spec`. */
export const UNUSED_SECTIONS = {
  accessControl,
  appHttpPipeline: pipeline,
  httpPipeline: pipeline,
  mtls,
  nameResolution: struct({ component: unused, version: unused, configuration: unused }),
  secrets,
  wasm: struct({ strictSandbox: unused }),
  workflow,
};

/** `spec.metrics.rules`: regular expressions for labels. */
export const metricRules = listOf(
  struct({ name: unused, labels: listOf(struct({ name: unused, regex: mapOf(unused) })) }),
);
