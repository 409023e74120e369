import { toGoJson } from '../go/go-json';
import type { AppConnection, RegisteredComponent, SidecarMetadataView } from '../sidecar/metadata';

/**
 * The body of GET /v1.0/metadata: daprd's keys in daprd's order, without empty ones, and with
 * daprd's line break at the end. `actorRuntime` has the values of a sidecar without actors.
 */
export function toMetadataBody(view: SidecarMetadataView): string {
  const body = {
    id: view.id,
    runtimeVersion: view.runtimeVersion,
    ...(view.enabledFeatures.length === 0 ? {} : { enabledFeatures: view.enabledFeatures }),
    ...(view.components.length === 0 ? {} : { components: view.components.map(toComponentBody) }),
    extended: view.extended,
    appConnectionProperties: toConnection(view.appConnection),
    actorRuntime: {
      runtimeStatus: 'DISABLED',
      hostReady: false,
      placement: 'placement: disconnected',
    },
    ...(view.resiliencies.length === 0
      ? {}
      : { resiliencies: view.resiliencies.map((name) => ({ name })) }),
  };
  return `${toGoJson(body)}\n`;
}

/** A component as the metadata show it. */
export function toComponentBody({ name, type, version }: RegisteredComponent): object {
  return { name, type, ...(version === '' ? {} : { version }) };
}

function toConnection({ port, protocol, channelAddress, maxConcurrency }: AppConnection) {
  return {
    ...(port === 0 ? {} : { port }),
    protocol,
    channelAddress,
    ...(maxConcurrency > 0 ? { maxConcurrency } : {}),
  };
}
