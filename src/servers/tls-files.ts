import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { toErrorMessage } from '../base/error-message';
import { readRegularFile } from '../base/regular-file';
import type { ServerTls, TlsFiles } from './listen-address';

/** A loaded certificate, with warnings for its owner. */
export interface LoadedTls {
  readonly tls: ServerTls;
  readonly warnings: readonly string[];
}

/**
 * Reads the certificate files of both API ports.
 *
 * @throws {Error} with the flag and the problem of its file
 */
export async function readTlsFiles(files: TlsFiles): Promise<LoadedTls> {
  const cert = await readPem('--tls-cert-file', files.cert);
  const key = await readPem('--tls-key-file', files.key);
  const chain = toCertificates('--tls-cert-file', cert);
  assertPair(chain, toKey(key));
  const pair = { cert, key };
  const warnings = describeValidity('--tls-cert-file', chain[0]);
  if (files.clientCa === undefined) return { tls: assertUsable(pair), warnings };
  const ca = await readPem('--tls-client-ca-file', files.clientCa);
  const authorities = toCertificates('--tls-client-ca-file', ca);
  return {
    tls: assertUsable({ ...pair, ca, requestCert: true, rejectUnauthorized: true }),
    warnings: [
      ...warnings,
      ...authorities.flatMap((authority) => describeValidity('--tls-client-ca-file', authority)),
    ],
  };
}

async function readPem(flag: string, file: string): Promise<string> {
  const text = await readFlagFile(flag, file);
  if (text.trim() === '') throw new Error(`the file of ${flag} is empty: ${file}`);
  if (text.includes('-----BEGIN ')) return text;
  throw new Error(
    `the file of ${flag} contains no PEM (-----BEGIN …): ${file}; convert a binary file (DER) with openssl`,
  );
}

async function readFlagFile(flag: string, file: string): Promise<string> {
  try {
    return await readRegularFile(file);
  } catch (cause) {
    throw new Error(`the file of ${flag} can't be read: ${toErrorMessage(cause)}`, { cause });
  }
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END [^-]+-----/g;

function toCertificates(flag: string, pem: string): readonly X509Certificate[] {
  const texts = pem.match(CERTIFICATE) ?? [];
  if (texts.length === 0) {
    const isKey = pem.includes('PRIVATE KEY-----');
    throw new Error(
      `the file of ${flag} contains ${isKey ? 'a key, not a certificate; were the two files swapped?' : 'no complete certificate'}`,
    );
  }
  return texts.map((text, index) => {
    try {
      return new X509Certificate(text);
    } catch (cause) {
      throw new Error(`certificate ${index + 1} in the file of ${flag} is damaged`, { cause });
    }
  });
}

function toKey(pem: string): KeyObject {
  const flag = '--tls-key-file';
  if (!pem.includes('PRIVATE KEY-----')) {
    const isCertificate = pem.includes('CERTIFICATE-----');
    throw new Error(
      `the file of ${flag} contains ${isCertificate ? 'a certificate, not a private key; were the two files swapped?' : 'no private key'}`,
    );
  }
  if (pem.includes('BEGIN ENCRYPTED PRIVATE KEY') || pem.includes('Proc-Type: 4,ENCRYPTED')) {
    throw new Error(`the key in the file of ${flag} is encrypted; remove its passphrase`);
  }
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new Error(`the key in the file of ${flag} is damaged, or of an unknown kind`, { cause });
  }
}

function assertPair(chain: readonly X509Certificate[], key: KeyObject): void {
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at === 0) return;
  const files = 'the files of --tls-cert-file and --tls-key-file';
  if (at > 0) {
    throw new Error(
      `${files}: the certificate of the key is number ${at + 1}; it must come first, before the certificates of its issuers`,
    );
  }
  throw new Error(`${files} do not match: the certificate belongs to another key`);
}

/**
 * Warns about a certificate that is not valid now. It is used all the same, because clocks and
 * clients may be lenient.
 */
function describeValidity(flag: string, certificate: X509Certificate | undefined): string[] {
  if (certificate === undefined) return [];
  const { validFrom, validTo } = certificate;
  const now = Date.now();
  if (Date.parse(validTo) < now) return [`the certificate of ${flag} has expired: ${validTo}`];
  if (Date.parse(validFrom) > now) {
    return [`the certificate of ${flag} is not valid yet: from ${validFrom} on`];
  }
  return [];
}

/** @throws {Error} if OpenSSL can't use the files for another reason */
function assertUsable(tls: ServerTls): ServerTls {
  try {
    createSecureContext(tls);
    return tls;
  } catch (cause) {
    throw new Error(
      `the files of --tls-cert-file and --tls-key-file can't be used: ${toErrorMessage(cause)}`,
      { cause },
    );
  }
}
