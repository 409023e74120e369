import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { readTlsFiles } from '../../src/servers/tls-files';
import { createFolder } from '../support/component-files';

const FIXTURES = path.join(__dirname, '../fixtures/tls');
const read = (name: string) => readFileSync(path.join(FIXTURES, name), 'utf8');
const [CERT, KEY, OTHER] = ['server.crt', 'server.key', 'renewed.crt'].map(read) as [
  string,
  string,
  string,
];

describe('readTlsFiles', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await createFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const load = async (cert: string | Buffer, key: string | Buffer, ca?: string | Buffer) => {
    const [certFile, keyFile, caFile] = ['cert', 'key', 'ca'].map((name) =>
      path.join(folder, name),
    ) as [string, string, string];
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
    if (ca !== undefined) await writeFile(caFile, ca);
    return readTlsFiles({
      cert: certFile,
      key: keyFile,
      clientCa: ca === undefined ? undefined : caFile,
    });
  };
  const der = () => new X509Certificate(CERT).raw;
  const encrypted = (type: 'pkcs8' | 'pkcs1') =>
    type === 'pkcs8'
      ? createPrivateKey(KEY).export({
          type,
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'hush',
        })
      : generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
          type,
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'hush',
        });

  it('takes a pair, a chain after the certificate, and authorities', async () => {
    await expect(load(CERT, KEY)).resolves.toMatchObject({ tls: { cert: CERT, key: KEY } });
    await load(CERT + OTHER, KEY);
    const { tls } = await load(CERT, KEY, OTHER);
    expect(tls).toMatchObject({ ca: OTHER, requestCert: true, rejectUnauthorized: true });
  });

  it.each([
    [
      'swapped files',
      () => load(KEY, CERT),
      'the file of --tls-cert-file contains a key, not a certificate; were the two files swapped?',
    ],
    [
      'a certificate twice',
      () => load(CERT, CERT),
      'the file of --tls-key-file contains a certificate, not a private key; were the two files swapped?',
    ],
    [
      'a key of another certificate',
      () => load(OTHER, KEY),
      'the files of --tls-cert-file and --tls-key-file do not match: the certificate belongs to another key',
    ],
    [
      'a chain in the wrong order',
      () => load(OTHER + CERT, KEY),
      'the certificate of the key is number 2; it must come first',
    ],
    ['an empty certificate', () => load('', KEY), 'the file of --tls-cert-file is empty'],
    ['an empty key', () => load(CERT, ' \n'), 'the file of --tls-key-file is empty'],
    ['empty authorities', () => load(CERT, KEY, ''), 'the file of --tls-client-ca-file is empty'],
    ['DER', () => load(der(), KEY), 'the file of --tls-cert-file contains no PEM'],
    [
      'authorities that are a key',
      () => load(CERT, KEY, KEY),
      'the file of --tls-client-ca-file contains a key, not a certificate',
    ],
    [
      'half a certificate',
      () => load(CERT.slice(0, 200), KEY),
      'the file of --tls-cert-file contains no complete certificate',
    ],
    [
      'a damaged certificate',
      () => load(CERT.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), KEY),
      'certificate 1 in the file of --tls-cert-file is damaged',
    ],
    [
      'a damaged key',
      () => load(CERT, KEY.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')),
      'the key in the file of --tls-key-file is damaged, or of an unknown kind',
    ],
    [
      'an encrypted key',
      () => load(CERT, encrypted('pkcs8')),
      'the key in the file of --tls-key-file is encrypted; remove its passphrase',
    ],
    [
      'an encrypted key of the older form',
      () => load(CERT, encrypted('pkcs1')),
      'the key in the file of --tls-key-file is encrypted',
    ],
  ])('refuses %s in a sentence', async (_name, run, sentence) => {
    await expect(run()).rejects.toThrow(sentence);
    await expect(run()).rejects.not.toThrow(/DECODER|routines|PEM_|hush/);
  });

  it('tells of a certificate that has expired, or is not valid yet, and takes it', async () => {
    const { validFrom, validTo } = new X509Certificate(CERT);
    const warningsAt = async (now: number) => {
      jest.spyOn(Date, 'now').mockReturnValue(now);
      const { warnings } = await load(CERT, KEY);
      jest.restoreAllMocks();
      return warnings;
    };
    await expect(warningsAt(Date.parse(validTo) + 1)).resolves.toEqual([
      `the certificate of --tls-cert-file has expired: ${validTo}`,
    ]);
    await expect(warningsAt(Date.parse(validFrom) - 1)).resolves.toEqual([
      `the certificate of --tls-cert-file is not valid yet: from ${validFrom} on`,
    ]);
    await expect(warningsAt(Date.parse(validTo) - 1)).resolves.toEqual([]);
  });
});
