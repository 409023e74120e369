import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** Where systems keep their authorities, in Go's order (crypto/x509 root_linux.go): the first counts. */
const FILES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Folders of certificates, all of which count. */
const FOLDERS: readonly string[] = ['/etc/ssl/certs', '/etc/pki/tls/certs'];

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** How many contexts are kept: one without a certificate and those of some components' own. */
const MOST_CONTEXTS = 16;

/** What a connection shows and trusts, PEM; what is left out is nothing, and the machine's own. */
export interface Identity {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/**
 * The certificate authorities that this machine trusts, found as Go finds them and so daprd:
 * SSL_CERT_FILE and SSL_CERT_DIR, or else the places that systems have for them. Node looks at none
 * of these. NODE_EXTRA_CA_CERTS is added, as Node documents it. Where there are none, as in an
 * image that has no CA package, those that Node brings along count.
 *
 * They are read when TLS is spoken for the first time, and once: 140 certificates take some 80 ms.
 */
export class SystemAuthorities {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  #certificates: readonly string[] | undefined;
  readonly #contexts = new Map<string, SecureContext>();

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  /** All of them, PEM, each once. */
  get certificates(): readonly string[] {
    this.#certificates ??= this.#read();
    return this.#certificates;
  }

  /**
   * What node:tls speaks with for an identity. One and the same for the same texts: it takes as long
   * as reading them.
   *
   * @throws {Error} where OpenSSL can't use a text
   */
  contextOf(identity: Identity = {}): SecureContext {
    const { cert, key, ca } = identity;
    const name = JSON.stringify([cert, key, ca]);
    const known = this.#contexts.get(name);
    if (known !== undefined) return known;
    const context = createSecureContext({ ...identity, ca: ca ?? [...this.certificates] });
    if (this.#contexts.size >= MOST_CONTEXTS) this.#contexts.clear();
    this.#contexts.set(name, context);
    return context;
  }

  #read(): readonly string[] {
    const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = this.#environment;
    const fromFile = readFirst(isSet(file) ? [file] : FILES);
    const fromFolders = (isSet(folders) ? folders.split(path.delimiter) : FOLDERS).flatMap(
      readFolder,
    );
    const found = new Set([...fromFile, ...fromFolders]);
    const { NODE_EXTRA_CA_CERTS: extra } = this.#environment;
    const added = isSet(extra) ? readFirst([extra]) : [];
    return [...new Set([...(found.size === 0 ? rootCertificates : found), ...added])];
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

/** The certificates of the first file that can be read. */
function readFirst(files: readonly string[]): readonly string[] {
  for (const file of files) {
    const found = readFile(file);
    if (found !== undefined) return found;
  }
  return [];
}

/** Those of every file in a folder; what can't be read, as a folder or a pipe in it, counts as none. */
function readFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !(entry.isSymbolicLink() && isLinkWithin(path.join(folder, entry.name))))
      .map((entry) => path.join(folder, entry.name))
      .filter(isRegularFile)
      .flatMap((file) => readFile(file) ?? []);
  } catch {
    return [];
  }
}

/** OpenSSL's names by hash lead to files of the same folder, which are read anyway. */
function isLinkWithin(file: string): boolean {
  return !readlinkSync(file).includes('/');
}

/** A pipe would be waited for, and the whole process with it, until somebody writes to it. */
function isRegularFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function readFile(file: string): readonly string[] | undefined {
  try {
    return readFileSync(file, 'utf8').match(CERTIFICATE) ?? [];
  } catch {
    return undefined;
  }
}
