import { execFileSync, spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rootCertificates } from 'node:tls';

import { SystemAuthorities } from '../../src/trust/system-authorities';
import { createFolder } from '../support/component-files';

const TLS = path.join(__dirname, '../fixtures/tls');
const [FIRST, SECOND] = ['server.crt', 'renewed.crt'].map((name) => path.join(TLS, name));

describe('SystemAuthorities', () => {
  let folder: string;
  let empty: string;
  let first: string;
  let second: string;
  beforeEach(async () => {
    folder = await createFolder();
    empty = await createFolder();
    [first, second] = (
      await Promise.all([FIRST!, SECOND!].map((file) => readFile(file, 'utf8')))
    ).map((text) => text.trim()) as [string, string];
  });
  const certificatesOf = (environment: Readonly<Record<string, string>>) =>
    new SystemAuthorities(environment).certificates;

  it('are those of SSL_CERT_FILE and of the folders of SSL_CERT_DIR, each once', async () => {
    await copyFile(SECOND!, path.join(folder, 'b.pem'));
    await symlink('b.pem', path.join(folder, '1234.0'));
    await mkdir(path.join(folder, 'inner'));
    await symlink(path.join(folder, 'loop'), path.join(folder, 'loop'));
    await writeFile(path.join(folder, 'README'), 'no certificate');
    const SSL_CERT_DIR = `${empty}:${folder}:/nowhere`;
    expect(certificatesOf({ SSL_CERT_FILE: FIRST!, SSL_CERT_DIR })).toEqual([first, second]);
    expect(certificatesOf({ SSL_CERT_FILE: SECOND!, SSL_CERT_DIR })).toEqual([second]);
  });

  it('are read from no pipe of a folder, which nobody may write to', async () => {
    await copyFile(FIRST!, path.join(folder, 'a.pem'));
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    const writer = spawn('sh', ['-c', 'exec cat "$0" > "$1"', SECOND!, path.join(folder, 'pipe')]);
    try {
      expect(certificatesOf({ SSL_CERT_FILE: '/nowhere', SSL_CERT_DIR: folder })).toEqual([first]);
    } finally {
      writer.kill('SIGKILL');
    }
  });

  it('are those that Node brings along where there are none', () => {
    expect(certificatesOf({ SSL_CERT_FILE: '/nowhere', SSL_CERT_DIR: empty })).toEqual([
      ...rootCertificates,
    ]);
  });

  it('are joined by those of NODE_EXTRA_CA_CERTS', () => {
    const places = { SSL_CERT_FILE: FIRST!, SSL_CERT_DIR: empty, NODE_EXTRA_CA_CERTS: SECOND! };
    expect(certificatesOf(places)).toEqual([first, second]);
    expect(certificatesOf({ ...places, NODE_EXTRA_CA_CERTS: '/nowhere' })).toEqual([first]);
  });

  it('are read when they are asked for, and once', async () => {
    const file = path.join(folder, 'ca.pem');
    const authorities = new SystemAuthorities({ SSL_CERT_FILE: file, SSL_CERT_DIR: empty });
    await copyFile(FIRST!, file);
    expect(authorities.certificates).toEqual([first]);
    await copyFile(SECOND!, file);
    expect(authorities.certificates).toEqual([first]);
  });

  it('are put into one context for all who show nothing of their own', () => {
    const authorities = new SystemAuthorities({ SSL_CERT_FILE: FIRST!, SSL_CERT_DIR: empty });
    expect(authorities.contextOf()).toBe(authorities.contextOf({}));
    expect(authorities.contextOf({ ca: second })).not.toBe(authorities.contextOf());
    for (let n = 0; n < 40; n += 1) authorities.contextOf({ ca: `${second}\n${n}` });
    expect(authorities.contextOf()).toBe(authorities.contextOf());
  });

  it('are not disturbed by a certificate that is none', async () => {
    await writeFile(
      path.join(folder, 'bad.pem'),
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    );
    const authorities = new SystemAuthorities({ SSL_CERT_FILE: FIRST!, SSL_CERT_DIR: folder });
    expect(() => authorities.contextOf()).not.toThrow();
  });
});
