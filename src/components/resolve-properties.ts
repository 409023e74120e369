import { randomUUID } from 'node:crypto';

import { toErrorMessage } from '../base/error-message';
import type { ComponentManifest, PropertySource } from './manifest';
import { MetadataProperties } from './metadata-properties';
import { createRedaction, type Redact } from './redaction';
import { type Environment, mayRefer } from './secrets/environment-access';
import { readSecret, SecretError, type SecretStore } from './secrets/secret-store';
import { SECRET_STORE_TYPES } from './secrets/secret-stores';

/** The sources for references and templates in a component's metadata. */
export interface ResolutionContext {
  /** The loaded secret stores, by component name. */
  readonly secretStores: ReadonlyMap<string, SecretStore>;
  /** The secret store of components that name none. */
  readonly defaultSecretStore?: string | undefined;
  readonly environment: Environment;
  readonly appId: string;
}

/** A component's metadata with all values resolved. */
export interface ResolvedProperties {
  readonly properties: MetadataProperties;
  /** Hides values from secrets and the environment in a text. */
  readonly redact: Redact;
  /**
   * Equal for two resolutions with the same values, except `keyPrefix`, which does not concern the
   * store, and the generated `{uuid}`.
   */
  readonly fingerprint: string;
}

/**
 * Resolves secrets, environment variables and templates.
 *
 * @throws {Error} with every property whose value can't be resolved. daprd would continue with an
 *   empty text, and so with an empty password.
 */
export async function resolveProperties(
  manifest: ComponentManifest,
  context: ResolutionContext,
): Promise<ResolvedProperties> {
  const problems: string[] = [];
  const values: ResolvedValue[] = [];
  for (const source of manifest.properties) {
    const { name } = source;
    try {
      const value = await valueOf(source, manifest, context);
      const filled = fillTemplates(name, value, { problems, context });
      values.push({ name, value, filled, source });
    } catch (error) {
      problems.push(toErrorMessage(error));
    }
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  const hidden = values.filter(({ source }) => isReference(source));
  const fingerprint = JSON.stringify(
    values
      .filter(({ name }) => name.toLowerCase() !== 'keyprefix')
      .map(({ name, value }) => [name, value])
      .sort(),
  );
  return {
    properties: new MetadataProperties(
      values.map(({ name, filled }) => [name, filled]),
      hidden.map(({ name }) => name),
    ),
    redact: createRedaction(
      hidden.flatMap(({ name: property, value, filled, source }) => {
        const isFromStore = source.secret !== undefined;
        return [value, filled].map((text) => ({ property, value: text, isFromStore }));
      }),
    ),
    fingerprint,
  };
}

/** A property with its value, before and after templates are filled. */
interface ResolvedValue {
  readonly name: string;
  readonly value: string;
  readonly filled: string;
  readonly source: PropertySource;
}

function isReference({ value, secret, env }: PropertySource): boolean {
  return secret !== undefined || (value === undefined && env !== undefined);
}

async function valueOf(
  { name, value, secret, env }: PropertySource,
  manifest: ComponentManifest,
  context: ResolutionContext,
): Promise<string> {
  if (secret !== undefined) return unquote(await secretOf(name, secret, { manifest, context }));
  if (value !== undefined) return value;
  return env === undefined ? '' : unquote(variableOf(env, manifest, context.environment));
}

async function secretOf(
  property: string,
  secret: { readonly name: string; readonly key: string },
  { manifest, context }: { manifest: ComponentManifest; context: ResolutionContext },
): Promise<string> {
  const { secretStore = context.defaultSecretStore } = manifest;
  const wanted = `metadata property ${property}: secret "${secret.name}" (key "${secret.key}")`;
  if (secretStore === undefined) {
    throw new SecretError(
      `${wanted} needs a secret store: name one as auth.secretStore of component ${manifest.name}`,
    );
  }
  const store = context.secretStores.get(secretStore);
  if (store === undefined) {
    throw new SecretError(
      `Component ${manifest.name} references a secret store that isn't loaded: ${secretStore}; ${wanted} can't be read (allowed: a component of type ${SECRET_STORE_TYPES.join(' or ')})`,
    );
  }
  try {
    return await readSecret(store, secret);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new SecretError(
      `${wanted} can't be read from secret store "${secretStore}": ${error.message}`,
    );
  }
}

function variableOf(name: string, manifest: ComponentManifest, environment: Environment): string {
  if (!mayRefer(name, environment)) {
    throw new Error(
      `Component ${manifest.name} references an env variable that isn't allowed: ${name}`,
    );
  }
  const value = environment[name];
  if (value !== undefined) return value;
  throw new Error(`Component ${manifest.name} references an env variable that isn't set: ${name}`);
}

/** Removes matching quotes around a secret, as daprd does with Go's Unquote. */
function unquote(value: string): string {
  if (/^`[^`]*`$/.test(value)) return value.slice(1, -1);
  if (!/^".*"$/s.test(value)) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

/** Replaces `{uuid}`, `{podName}`, `{namespace}` and `{appID}` (dapr/dapr pkg/runtime/meta). */
function fillTemplates(
  name: string,
  value: string,
  { problems, context }: { problems: string[]; context: ResolutionContext },
): string {
  if (!value.includes('{')) return value;
  const { environment, appId } = context;
  const namespace = environment.NAMESPACE ?? '';
  const podName = environment.POD_NAME ?? '';
  if (value.includes('{podName}') && podName === '') {
    problems.push(
      `failed to parse metadata: property ${name} refers to {podName} but podName is not set`,
    );
  }
  return value
    .replaceAll('{uuid}', () => randomUUID())
    .replaceAll('{podName}', () => podName)
    .replaceAll('{namespace}', () => `${namespace === '' ? 'default' : namespace}.${appId}`)
    .replaceAll('{appID}', () => appId);
}
