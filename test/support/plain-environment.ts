/** The variables that an SDK, an app or a sidecar of Dapr reads. */
const OF_DAPR = /^(DAPR_.*|OTEL_.*|APP_API_TOKEN|NAMESPACE)$/;

/**
 * An environment without anything that Dapr reads. Whoever works on an app of their own has such
 * variables set: a program that is tried here must not go to their sidecar, and a sidecar must not
 * take their token or send traces to their collector.
 */
export function withoutDapr(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OF_DAPR.test(name)));
}
