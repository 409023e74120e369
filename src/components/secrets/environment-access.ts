/** The environment that components may refer to. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A token of the sidecar itself (dapr/dapr pkg/runtime/processor/secret, components-contrib). */
const DENIED_NAME = 'APP_API_TOKEN';
const DENIED_PREFIX = 'DAPR_';

/** True for the sidecar's own variables. Neither envRef nor a secret store shows them. */
export function isSidecarVariable(name: string): boolean {
  const upper = name.toUpperCase();
  return upper === DENIED_NAME || upper.startsWith(DENIED_PREFIX);
}

/**
 * True if an `envRef` may name a variable: not one of the sidecar's own and, if DAPR_ENV_KEYS is
 * set, only one in that list (separated by spaces, compared in upper case as in daprd).
 */
export function mayRefer(name: string, environment: Environment): boolean {
  if (name.includes(' ') || isSidecarVariable(name)) return false;
  const allowed = environment.DAPR_ENV_KEYS ?? '';
  return allowed === '' || allowed.split(' ').includes(name.toUpperCase());
}
