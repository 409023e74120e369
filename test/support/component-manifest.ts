import type { ComponentManifest, PropertySource } from '../../src/components/manifest';

/** The manifest of a component in Redis, of which every field can be another. */
export function manifestOf(fields: Partial<ComponentManifest> = {}): ComponentManifest {
  return {
    name: 'lockstore',
    type: 'lock.redis',
    version: 'v1',
    properties: [],
    secretStore: undefined,
    ignoreErrors: false,
    initTimeoutMs: 5000,
    file: 'f.yaml',
    ...fields,
  };
}

/** A property whose value is written out. */
export function valueOf(name: string, value: string): PropertySource {
  return { name, value, secret: undefined, env: undefined };
}
