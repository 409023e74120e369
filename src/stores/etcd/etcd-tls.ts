import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

import { toErrorMessage } from '../../base/error-message';
import { describeFileError } from '../../base/file-error';
import { FileError, readRegularFileSync } from '../../base/regular-file';
import type { SystemAuthorities } from '../../trust/system-authorities';

/** The properties that hold PEM texts. */
export type PemProperty = 'ca' | 'cert' | 'key';

/** The TLS settings for etcd. */
export interface EtcdTls {
  readonly authorities: SystemAuthorities;
  /** Each text is read again for every connection, because its file may have been renewed. */
  readonly pem: Readonly<Partial<Record<PemProperty, () => string>>>;
  /** The name to verify the certificate against. Default: the endpoint's host. */
  readonly serverName: string | undefined;
}

/**
 * Creates the source of a PEM text from a metadata property, which holds the text itself, as in
 * daprd's `state.etcd`, or the path of a file.
 *
 * @throws {Error} naming the property, if the file can't be read or holds no PEM
 */
export function readPem(property: PemProperty, value: string): () => string {
  const read = isPem(value) ? () => value : () => readFile(property, value.trim());
  assertKind(property, read());
  return read;
}

/**
 * The credentials of a connection.
 *
 * @throws {Error} if OpenSSL can't use a text
 */
export function toCredentials({ authorities, pem }: EtcdTls): ChannelCredentials {
  const identity = {
    ...(pem.cert === undefined ? {} : { cert: pem.cert() }),
    ...(pem.key === undefined ? {} : { key: pem.key() }),
    ...(pem.ca === undefined ? {} : { ca: pem.ca() }),
  };
  try {
    return credentials.createFromSecureContext(authorities.contextOf(identity));
  } catch (cause) {
    const names = Object.keys(identity).join(', ');
    throw new Error(`${names} can't be used: ${toErrorMessage(cause)}`, { cause });
  }
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

function assertKind(property: PemProperty, text: string): void {
  if (!isPem(text)) throw new Error(`${property}: the file contains no PEM (-----BEGIN …)`);
  const isKey = text.includes('KEY-----');
  if (isKey === (property === 'key')) return;
  const kinds = isKey ? 'a key, not a certificate' : 'a certificate, not a private key';
  throw new Error(`${property} contains ${kinds}`);
}

/**
 * Reads only regular files: a pipe would block. The reason is shown without the path, because the
 * supposed path may be a key without its header.
 */
function readFile(property: PemProperty, file: string): string {
  try {
    return readRegularFileSync(file);
  } catch (cause) {
    const reason = cause instanceof FileError ? cause.cause : cause;
    const code = reason instanceof Error && 'code' in reason ? String(reason.code) : '';
    const why =
      code === ''
        ? 'not a regular file'
        : describeFileError(Object.assign(new Error(code), { code }));
    throw new Error(
      `${property} is neither PEM (-----BEGIN …) nor a file that can be read: ${why}`,
      { cause },
    );
  }
}
