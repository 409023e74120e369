import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/**
 * CA files of common systems, in Go's order (crypto/x509 root_linux.go). The first existing one is
 * used.
 */
const FILES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Folders with CA certificates. All of them are used. */
const FOLDERS: readonly string[] = ['/etc/ssl/certs', '/etc/pki/tls/certs'];

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Limit of kept contexts: one without a client certificate, and those of some components. */
const MOST_CONTEXTS = 16;

/**
 * Client certificate, key and CAs of a connection, as PEM. Without `ca`, the system's CAs are
 * trusted.
 */
export interface Identity {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/**
 * The certificate authorities that the system trusts, found as Go, and so daprd, finds them: in
 * SSL_CERT_FILE and SSL_CERT_DIR, or else in the usual files and folders. Node reads none of these.
 * CAs in NODE_EXTRA_CA_CERTS are added, as Node documents. If there are none, as in an image
 * without a CA package, Node's built-in CAs are used.
 *
 * They are read once, when TLS is first used: reading 140 certificates takes some 80 ms.
 */
export class SystemAuthorities {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  #certificates: readonly string[] | undefined;
  readonly #contexts = new Map<string, SecureContext>();

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  /** All CA certificates as PEM, without duplicates. */
  get certificates(): readonly string[] {
    this.#certificates ??= this.#read();
    return this.#certificates;
  }

  /**
   * The TLS context for an identity. The same texts give the same context, because creating one
   * takes as long as reading the CAs.
   *
   * @throws {Error} if OpenSSL can't use a certificate or key
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

/** Reads the certificates of the first readable file. */
function readFirst(files: readonly string[]): readonly string[] {
  for (const file of files) {
    const found = readFile(file);
    if (found !== undefined) return found;
  }
  return [];
}

/**
 * Reads the certificates of all files in a folder. Anything that can't be read, such as a folder or
 * a pipe, is skipped.
 */
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

/**
 * True for a link to a file in the same folder. OpenSSL's hash names are such links, and their
 * targets are read anyway.
 */
function isLinkWithin(file: string): boolean {
  return !readlinkSync(file).includes('/');
}

/** Excludes pipes: reading one would block the whole process until somebody writes to it. */
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
