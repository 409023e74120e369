import { parseEndpoint, type UpstreamEndpoint } from '../upstream/endpoint';
import type { FlagValues } from './argv';
import { OptionsError } from './options-error';

/** The endpoints of the sidecar behind this one. */
export interface UpstreamEndpoints {
  /** Undefined if gRPC calls are not passed on. */
  readonly grpc: UpstreamEndpoint | undefined;
  /** Undefined if HTTP calls are not passed on. */
  readonly http: UpstreamEndpoint | undefined;
}

/** The environment variables that are used if the flags are not given. */
const VARIABLES = {
  'upstream-grpc-endpoint': 'HOLDFAST_UPSTREAM_GRPC_ENDPOINT',
  'upstream-http-endpoint': 'HOLDFAST_UPSTREAM_HTTP_ENDPOINT',
} as const;

/** The names of this machine for itself. */
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1|::|0\.0\.0\.0)$/i;

/**
 * Reads both endpoints. Undefined if none is set.
 *
 * @param ownPorts the ports of this sidecar; calls must not be passed on to itself
 * @throws {OptionsError} for an invalid endpoint
 */
export function toUpstreamEndpoints(
  flags: FlagValues,
  env: NodeJS.ProcessEnv,
  ownPorts: readonly number[],
): UpstreamEndpoints | undefined {
  const read = (flag: keyof typeof VARIABLES): UpstreamEndpoint | undefined => {
    const variable = VARIABLES[flag];
    const text = flags.has(flag) ? flags.text(flag) : (env[variable] ?? '');
    if (text === '') return undefined;
    return toEndpoint({ text, name: flags.has(flag) ? `--${flag}` : variable, ownPorts });
  };
  const [grpc, http] = [read('upstream-grpc-endpoint'), read('upstream-http-endpoint')];
  return grpc === undefined && http === undefined ? undefined : { grpc, http };
}

function toEndpoint(given: {
  readonly text: string;
  readonly name: string;
  readonly ownPorts: readonly number[];
}): UpstreamEndpoint {
  const { text, name, ownPorts } = given;
  const refuse = (reason: string) => new OptionsError(`invalid value for ${name}: ${reason}`);
  let endpoint: UpstreamEndpoint;
  try {
    endpoint = parseEndpoint(text);
  } catch (error) {
    // The text is not repeated: it may contain a password.
    throw refuse((error as Error).message);
  }
  const { address } = endpoint;
  if ('port' in address && LOOPBACK.test(address.host) && ownPorts.includes(address.port)) {
    throw refuse(`${endpoint.shown} is a port of this sidecar, calls would be passed on to itself`);
  }
  return endpoint;
}
