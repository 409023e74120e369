import { toErrorMessage } from '../base/error-message';
import { readSecret, type SecretStore } from '../components/secrets/secret-store';
import type { ApiObject } from './api-object';

/** An entry of `spec.tracing.otel.headers`, as an object of the cluster has it. */
interface Header {
  readonly name?: string;
  readonly secretKeyRef?: { readonly name?: string; readonly key?: string } | null;
}

/** The parts of a Configuration on the way to its headers. */
interface Configured extends ApiObject {
  readonly spec?: { readonly tracing?: { readonly otel?: { readonly headers?: unknown } } };
}

/**
 * A Configuration of the cluster with the values of its trace headers that are in secrets. As Dapr's
 * operator does it (dapr/dapr pkg/operator/api/configurations.go): a reference is used before a
 * value, it needs a key, and the secret is in the namespace of the Configuration.
 *
 * @throws {Error} if a secret can't be read; never with a value
 */
export async function withHeaderSecrets(
  object: ApiObject,
  secrets: SecretStore,
): Promise<ApiObject> {
  const { spec } = object as Configured;
  const headers = spec?.tracing?.otel?.headers;
  if (!Array.isArray(headers)) return object;
  const read = await Promise.all(
    headers.map((header) => toValue(header as Header | null, secrets)),
  );
  const otel = { ...spec?.tracing?.otel, headers: read };
  return { ...object, spec: { ...spec, tracing: { ...spec?.tracing, otel } } } as ApiObject;
}

async function toValue(header: Header | null, secrets: SecretStore): Promise<unknown> {
  const { name = '', key = '' } = header?.secretKeyRef ?? {};
  if (header === null || name === '') return header;
  const place = `the value of trace header ${header.name ?? ''}`;
  if (key === '') throw new Error(`${place}: secretKeyRef.key is missing`);
  try {
    return { name: header.name, value: await readSecret(secrets, { name, key }) };
  } catch (cause) {
    throw new Error(`${place} can't be read from secret ${name}: ${toErrorMessage(cause)}`, {
      cause,
    });
  }
}
