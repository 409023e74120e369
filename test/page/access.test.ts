import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { toComponentYaml } from '../support/component-files';
import { findFreePort } from '../support/free-port';
import { startRedisServer } from '../support/redis-server';
import { lockButton, PageFixture } from './page-fixture';

const TOKEN = 'gehëim-token';

/** Hides or shows the page, as a browser does with another tab. */
const setHidden = (isHidden: boolean) => `
  Object.defineProperty(document, 'hidden', { get: () => ${isHidden}, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));`;

describe('the way to the page', () => {
  let fixture: PageFixture;
  let proxy: Server | undefined;
  let folder: string;
  beforeAll(async () => {
    fixture = await PageFixture.start();
    folder = await mkdtemp(path.join(tmpdir(), 'hf-'));
  });
  afterAll(async () => {
    await fixture.stop();
    await rm(folder, { recursive: true });
  });
  afterEach(() => {
    proxy?.close();
    proxy?.closeAllConnections();
    proxy = undefined;
  });

  it('asks for the API token, and keeps it in the tab', async () => {
    await fixture.restart({ env: { DAPR_API_TOKEN: TOKEN } });
    const { page, requests } = await fixture.open();
    const show = () => page.getByRole('button', { name: 'Show locks' }).click();
    await page.getByLabel('Token', { exact: true }).waitFor();
    await expect(page.getByRole('table').count()).resolves.toBe(0);
    await page.getByLabel('Token', { exact: true }).fill('wrong');
    await show();
    await page.getByText('The sidecar does not accept this token.').waitFor();
    await page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await show();
    await page.getByText('No lock is held.').waitFor();
    await page.reload();
    await page.getByText('No lock is held.').waitFor();
    expect(requests.filter((url) => url.includes('token'))).toEqual([]);
    const kept = await page.evaluate(
      '[document.cookie, localStorage.length, sessionStorage.length]',
    );
    expect(kept).toEqual(['', 0, 1]);
    const other = await fixture.open();
    await other.page.getByLabel('Token', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await page.getByLabel('Token', { exact: true }).waitFor();
    await expect(page.evaluate('sessionStorage.length')).resolves.toBe(0);
  });

  it('survives restarts of the sidecar, and says how old its view is', async () => {
    await fixture.restart();
    await fixture.take('before');
    const { page } = await fixture.open();
    await lockButton(page, 'before').waitFor();
    await fixture.sidecar.stop('SIGKILL');
    await page.getByText('The sidecar does not answer').waitFor();
    await page.getByText(/^[3-9]\.\d s old/).waitFor();
    await expect(lockButton(page, 'before').count()).resolves.toBe(1);
    await fixture.restart();
    await page.getByText('The sidecar was restarted.').waitFor();
    await page.getByText('No lock is held.').waitFor();
    await page.getByText('Live').waitFor();
  });

  it('asks for nothing while it is hidden', async () => {
    await fixture.restart();
    const { page, requests } = await fixture.open();
    await page.getByText('No lock is held.').waitFor();
    await page.evaluate(setHidden(true));
    const before = requests.length;
    await fixture.take('unseen');
    // Longer than two refreshes would take.
    await page.waitForTimeout(4500);
    expect(requests).toHaveLength(before);
    await page.evaluate(setHidden(false));
    await lockButton(page, 'unseen').waitFor({ timeout: 1500 });
  });

  it('shows that a store can not be reached, and that it can again', async () => {
    const redis = await startRedisServer();
    const metadata = { redisHost: `127.0.0.1:${redis.port}` };
    const file = path.join(fixture.folder, 'remote.yaml');
    await fixture.restart();
    await writeFile(file, toComponentYaml({ name: 'remote', type: 'lock.redis', metadata }));
    const { page } = await fixture.open();
    const row = page.getByRole('row').filter({ hasText: 'remote' });
    await row.getByRole('button', { name: 'remote' }).click();
    await row.getByText('reachable', { exact: true }).waitFor();
    await fixture.take('kept', { storeName: 'remote' });
    await lockButton(page, 'kept').waitFor();
    await redis.kill();
    await row.getByText('not reachable').waitFor();
    await page.getByText("The locks of this store can't be read").waitFor();
    await redis.start();
    await row.getByText('reachable', { exact: true }).waitFor();
    await page.getByText('No lock is held.').waitFor();
    await redis.stop();
    await rm(file);
  });

  it('says so where the configuration denies locks', async () => {
    const config = path.join(folder, 'config.yaml');
    await writeFile(config, 'spec: {api: {denied: [{name: locks, version: v1}]}}');
    await fixture.restart({ args: ['--config', config] });
    const { page } = await fixture.open();
    await page.getByRole('heading', { name: 'No access' }).waitFor();
    await expect(page.getByRole('table').count()).resolves.toBe(0);
  });

  it('is closed by --disable-page, and is not on the public port', async () => {
    const port = await findFreePort();
    await fixture.restart({ args: ['--disable-page', '--dapr-public-port', String(port)] });
    const answers = await answersOf(fixture.origin);
    expect(answers[0]).toEqual([404, expect.stringContaining('ERR_DIRECT_INVOKE')]);
    expect(new Set(answers.map(String)).size).toBe(1);
    await fixture.restart({ args: ['--dapr-public-port', String(port)] });
    for (const [status, text] of await answersOf(`http://127.0.0.1:${port}`)) {
      expect([status, text]).toEqual([404, '404 page not found\n']);
    }
  });

  it('works behind a proxy that adds a path, and releases there by --allowed-origins', async () => {
    const proxyPort = await findFreePort();
    const origin = `http://127.0.0.1:${proxyPort}`;
    await fixture.restart({ args: ['--allowed-origins', origin] });
    const { httpPort } = fixture.sidecar;
    proxy = createServer((incoming, outgoing) => {
      const { method, headers, url = '' } = incoming;
      const forwarded = request({
        port: httpPort,
        method,
        path: url.replace('/ops/locks/', '/holdfast/'),
        headers: { ...headers, host: 'holdfast.internal' },
      });
      // The sidecar is restarted below.
      forwarded.on('error', () => outgoing.writeHead(502).end());
      forwarded.on('response', (response) => {
        outgoing.writeHead(response.statusCode ?? 0, response.headers);
        response.pipe(outgoing);
      });
      incoming.pipe(forwarded);
    }).listen(proxyPort, '127.0.0.1');
    const token = await fixture.take('far');
    const { page, faults, requests } = await fixture.open({ at: `${origin}/ops/locks/` });
    await lockButton(page, 'far').click();
    await page.getByRole('button', { name: 'Force release…' }).click();
    await page.getByLabel('Reason').fill('by proxy');
    await page.getByRole('button', { name: `Release token ${token}` }).click();
    await page.getByText('Released:').waitFor();
    expect(faults).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${origin}/ops/locks/`))).toEqual([]);
    await fixture.restart();
    const second = await fixture.take('far');
    // Until the page has read again, it shows the grant of before.
    await page.getByRole('cell', { name: String(second) }).waitFor();
    await lockButton(page, 'far').click();
    await page.getByRole('button', { name: 'Force release…' }).click();
    await page.getByLabel('Reason').fill('by proxy');
    await page.getByRole('button', { name: `Release token ${second}` }).click();
    await page.getByText('--allowed-origins must name the origin of this page').waitFor();
  });
});

const PATHS = ['', '/', '/page.js', '/v1/overview', '/no-such-file'];

async function answersOf(origin: string): Promise<readonly (readonly [number, string])[]> {
  return Promise.all(
    PATHS.map(async (file) => {
      const answer = await fetch(`${origin}/holdfast${file}`);
      return [answer.status, await answer.text()] as const;
    }),
  );
}
