import { networkInterfaces } from 'node:os';

import type { AppContext, AppOptions } from './app-options';

/** The environment that component files refer to, with what daprd sets in its own process. */
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

/** The machine's address as daprd finds it: DAPR_HOST_IP, else its first outside IPv4 one. */
function toHostAddress({ DAPR_HOST_IP: given = '' }: AppContext['environment']): string {
  if (given !== '') return given;
  const addresses = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  return outside?.address ?? '127.0.0.1';
}
