import { toErrorMessage } from '../../base/error-message';
import { readRegularFileSync } from '../../base/regular-file';
import type { SystemAuthorities } from '../../trust/system-authorities';
import type { ParameterName } from './connection-string';

/** The modes of libpq. `allow` is treated as `prefer`. */
const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** How connections are encrypted, and what is verified. */
export interface PostgresqlTls {
  /** True if an unencrypted connection will do where the server has no TLS. */
  readonly isOptional: boolean;
  /** The options for node:tls. Certificates are read again each time, as they may have been renewed. */
  toOptions(): Readonly<Record<string, unknown>>;
}

/** The parameters for files with certificates, and what node:tls calls their content. */
const FILES = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' } as const;

/** The value of sslrootcert for the authorities that the machine trusts, as in libpq 16. */
const SYSTEM = 'system';

/**
 * Reads `sslmode` and the files of certificates, with the meaning that libpq gives them. Without
 * `sslrootcert`, the authorities that the machine trusts are used. Undefined for no TLS.
 *
 * @throws {Error} naming the parameter, if a mode is unknown or a file can't be used
 */
export function readTls(
  parameters: ReadonlyMap<ParameterName, string>,
  authorities: SystemAuthorities,
): PostgresqlTls | undefined {
  const mode = MODES.find((each) => each === (parameters.get('sslmode') ?? 'prefer'));
  if (mode === undefined) {
    throw new Error(`connectionString has an unknown sslmode (allowed: ${MODES.join(', ')})`);
  }
  if (mode === 'disable') return undefined;
  const hasRoot = parameters.has('sslrootcert');
  const verifiesName = mode === 'verify-full';
  const verifies = verifiesName || mode === 'verify-ca' || (mode === 'require' && hasRoot);
  const toOptions = () => ({
    rejectUnauthorized: verifies,
    secureContext: authorities.contextOf(readFiles(parameters)),
    ...(verifiesName ? {} : { checkServerIdentity: () => undefined }),
  });
  toOptions();
  return { isOptional: mode === 'prefer' || mode === 'allow', toOptions };
}

function readFiles(parameters: ReadonlyMap<ParameterName, string>) {
  const entries = Object.entries(FILES).flatMap(([parameter, part]) => {
    const file = parameters.get(parameter as keyof typeof FILES);
    if (file === undefined || (parameter === 'sslrootcert' && file === SYSTEM)) return [];
    return [[part, readPem(parameter, file)] as const];
  });
  return Object.fromEntries(entries) as Partial<Record<'ca' | 'cert' | 'key', string>>;
}

function readPem(parameter: string, file: string): string {
  try {
    const text = readRegularFileSync(file);
    if (text.includes('-----BEGIN ')) return text;
  } catch (cause) {
    throw new Error(`${parameter} can't be read: ${toErrorMessage(cause)}`, { cause });
  }
  throw new Error(`${parameter}: the file contains no PEM (-----BEGIN …)`);
}
