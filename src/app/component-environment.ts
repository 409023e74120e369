import { readOwnAddresses } from '../base/own-addresses';
import type { AppContext, AppOptions } from './app-options';

/** The environment for component files, with the variables that daprd sets in its own process. */
export function toComponentEnvironment(
  environment: AppContext['environment'],
  { appId, appConnection }: Pick<AppOptions, 'appId' | 'appConnection'>,
): AppContext['environment'] {
  return {
    ...environment,
    APP_ID: appId,
    APP_PORT: String(appConnection.port),
    HOST_ADDRESS: toHostAddress(environment),
  };
}

/**
 * The machine's address as daprd finds it: DAPR_HOST_IP, or else the first external IPv4 address.
 * Loopback where there is none, or where the system does not tell.
 */
function toHostAddress({ DAPR_HOST_IP: given = '' }: AppContext['environment']): string {
  if (given !== '') return given;
  const outside = readOwnAddresses().find(({ family, internal }) => family === 'IPv4' && !internal);
  return outside?.address ?? '127.0.0.1';
}
