import { toErrorMessage } from '../../base/error-message';
import { describeFileError } from '../../base/file-error';
import { FileError, readRegularFileSync } from '../../base/regular-file';
import type { SystemAuthorities } from '../../trust/system-authorities';

/** TLS to Redis, and to its Sentinels. */
export interface RedisTls {
  readonly rejectUnauthorized: boolean;
  /** A client certificate and its key; both or neither. */
  readonly cert?: PemSource;
  readonly key?: PemSource;
  /** The authorities that are trusted instead of the machine's. */
  readonly ca?: PemSource;
  readonly authorities: SystemAuthorities;
  /** The name that the certificate is held against, and that is sent as SNI; the host's by default. */
  readonly serverName?: string;
}

/** Gives a PEM text as it is now: a file is read again for every connection, as it may be renewed. */
export type PemSource = () => string;

/**
 * A PEM text from a metadata property: the text itself, or the path of a file that holds it.
 *
 * @throws {Error} naming the property, where the file can't be read or holds no PEM
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

/** What node:tls takes. */
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

/** OpenSSL names neither the property nor, of a key and its certificate, which of the two it means. */
function toContext(authorities: SystemAuthorities, identity: Identity) {
  try {
    return authorities.contextOf(identity);
  } catch (cause) {
    const names = { cert: 'clientCert', key: 'clientKey', ca: 'caCert' };
    const given = Object.keys(identity).map((part) => names[part as keyof typeof names]);
    throw new Error(`${given.join(', ')} can't be used: ${toErrorMessage(cause)}`, { cause });
  }
}

/** @throws {Error} where a key stands for a certificate, or a certificate for a key */
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

/** Regular files only: a pipe would be waited for, at the start and at every connection. */
function readFile(property: string, file: string): string {
  try {
    return readRegularFileSync(file);
  } catch (cause) {
    const reason = `${property} is neither PEM (-----BEGIN …) nor a file that can be read`;
    throw new Error(`${reason}: ${describeWithoutPath(cause)}`, { cause });
  }
}

/** The system's reason without the path: what was taken for one may be a key without its header. */
function describeWithoutPath(error: unknown): string {
  const reason = error instanceof FileError ? error.cause : error;
  const isCoded = typeof reason === 'object' && reason !== null && 'code' in reason;
  if (!isCoded) return toErrorMessage(reason);
  const code = String(reason.code);
  return describeFileError(Object.assign(new Error(code), { code }));
}
