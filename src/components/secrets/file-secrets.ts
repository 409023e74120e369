import { toErrorMessage } from '../../base/error-message';
import { readRegularFileSync } from '../../base/regular-file';
import { parseGoBoolean } from '../../go/go-values';
import type { MetadataProperties } from '../metadata-properties';
import { SecretError, type SecretStore } from './secret-store';

/**
 * `secretstores.local.file`: a JSON file (components-contrib secretstores/local/file). Nested names
 * are joined by `nestedSeparator`, and list entries are named by position. With `multiValued`,
 * top-level names are secrets with several keys. Without it, each value is a secret with one key,
 * its own name.
 *
 * Numbers and booleans become their JSON text. daprd turns them into Go's formatting errors.
 *
 * @throws {Error} if the file can't be read or is not a JSON object. No message contains a value.
 */
export function createFileSecrets(properties: MetadataProperties): SecretStore {
  const file = properties.get('secretsFile') ?? '';
  if (file === '') throw new Error('missing local secrets file in metadata: secretsFile');
  const separator = properties.get('nestedSeparator') ?? '';
  const secrets = toSecrets(readObject(file), {
    separator: separator === '' ? ':' : separator,
    isMultiValued: parseGoBoolean(properties.get('multiValued') ?? 'false'),
  });
  return {
    get(name) {
      const secret = secrets.get(name);
      if (secret === undefined) throw new SecretError('its secretsFile has no secret of that name');
      return secret;
    },
  };
}

function readObject(file: string): object {
  const content = parseJson(readText(file));
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
  throw new Error(`secretsFile ${file} must hold a JSON object`);
}

function readText(file: string): string {
  try {
    return readRegularFileSync(file);
  } catch (cause) {
    throw new Error(`secretsFile can't be read: ${toErrorMessage(cause)}`, { cause });
  }
}

/** Undefined for invalid JSON. JSON.parse's own message quotes text that may be secret. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Secrets = ReadonlyMap<string, ReadonlyMap<string, string>>;

function toSecrets(
  content: object,
  { separator, isMultiValued }: { readonly separator: string; readonly isMultiValued: boolean },
): Secrets {
  if (!isMultiValued) {
    const values = flatten(content, separator);
    return new Map([...values].map(([name, value]) => [name, new Map([[name, value]])]));
  }
  return new Map(
    Object.entries(content).map(([name, value]) => [
      name,
      isNested(value)
        ? flatten(value, separator)
        : flatten({ [name]: value as unknown }, separator),
    ]),
  );
}

/** All nested values of an object, by their path. */
function flatten(content: object, separator: string, prefix = ''): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(content) as [string, unknown][]) {
    const path = prefix + name;
    if (isNested(value)) {
      for (const entry of flatten(value, separator, path + separator)) values.set(...entry);
    } else if (value !== null) {
      values.set(path, typeof value === 'string' ? value : JSON.stringify(value));
    }
  }
  return values;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
