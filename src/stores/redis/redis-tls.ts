import { toErrorMessage } from '../../base/error-message';
import { describeFileError } from '../../base/file-error';
import { FileError, readRegularFileSync } from '../../base/regular-file';
import type { SystemAuthorities } from '../../trust/system-authorities';

/** The TLS settings for Redis and its Sentinels. */
export interface RedisTls {
  readonly rejectUnauthorized: boolean;
  /** The client certificate and its key: both or neither. */
  readonly cert?: PemSource;
  readonly key?: PemSource;
  /** The certificate authorities to trust instead of the machine's. */
  readonly ca?: PemSource;
  readonly authorities: SystemAuthorities;
  /** The name to verify the certificate against and to send as SNI. Default: the host name. */
  readonly serverName?: string;
}

/**
 * Returns a PEM text. A file is read again for every connection, because it may have been renewed.
 */
export type PemSource = () => string;

/**
 * Creates the source of a PEM text from a metadata property, which holds the text itself or the
 * path of a file.
 *
 * @throws {Error} naming the property, if the file can't be read or holds no PEM
 */
export function readPem(property: string, value: string): PemSource {
  if (isPem(value)) {
    assertNotSwapped(property, value);
    return () => value;
  }
  const read = (): string => {
    const text = readFile(property, value.trim());
    if (isPem(text)) {
      assertNotSwapped(property, text);
      return text;
    }
    throw new Error(`${property}: the file contains no PEM (-----BEGIN …)`);
  };
  read();
  return read;
}

/** The options for node:tls. */
export function toTlsOptions(tls: RedisTls) {
  const { rejectUnauthorized, cert, key, ca, authorities, serverName } = tls;
  const identity = {
    ...(cert === undefined ? {} : { cert: cert() }),
    ...(key === undefined ? {} : { key: key() }),
    ...(ca === undefined ? {} : { ca: ca() }),
  };
  return {
    tls: true as const,
    rejectUnauthorized,
    secureContext: toContext(authorities, identity),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

type Identity = NonNullable<Parameters<SystemAuthorities['contextOf']>[0]>;

/** OpenSSL's errors do not name the property, nor whether the key or the certificate is invalid. */
function toContext(authorities: SystemAuthorities, identity: Identity) {
  try {
    return authorities.contextOf(identity);
  } catch (cause) {
    const names = { cert: 'clientCert', key: 'clientKey', ca: 'caCert' };
    const given = Object.keys(identity).map((part) => names[part as keyof typeof names]);
    throw new Error(`${given.join(', ')} can't be used: ${toErrorMessage(cause)}`, { cause });
  }
}

/**
 * @throws {Error} if a key was given as a certificate, or a certificate as a key
 */
function assertNotSwapped(property: string, text: string): void {
  const isKey = text.includes('KEY-----');
  const isCertificate = text.includes('CERTIFICATE-----');
  if (isKey === isCertificate || isKey === (property === 'clientKey')) return;
  const kinds = isKey ? 'a key, not a certificate' : 'a certificate, not a private key';
  const hint = property === 'caCert' ? '' : '; were clientCert and clientKey swapped?';
  throw new Error(`${property} contains ${kinds}${hint}`);
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

/** Reads only regular files: a pipe would block the start and every connection. */
function readFile(property: string, file: string): string {
  try {
    return readRegularFileSync(file);
  } catch (cause) {
    const reason = `${property} is neither PEM (-----BEGIN …) nor a file that can be read`;
    throw new Error(`${reason}: ${describeWithoutPath(cause)}`, { cause });
  }
}

/**
 * The system's reason without the path, because the supposed path may be a key without its header.
 */
function describeWithoutPath(error: unknown): string {
  const reason = error instanceof FileError ? error.cause : error;
  const isCoded = typeof reason === 'object' && reason !== null && 'code' in reason;
  if (!isCoded) return toErrorMessage(reason);
  const code = String(reason.code);
  return describeFileError(Object.assign(new Error(code), { code }));
}
