import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { toComponentYaml } from '../support/component-files';
import { eventually } from '../support/eventually';
import { lockButton, PageFixture } from './page-fixture';

const FOLDER = path.join(__dirname, '../../docs/images');

/** The pictures in the docs: small, so that a clone stays small. */
const LARGEST_BYTES = 150_000;

const PICTURES = [
  ['page.png', { viewport: { width: 1040, height: 760 } }],
  ['page-dark.png', { viewport: { width: 1040, height: 760 }, colorScheme: 'dark' }],
  ['page-narrow.png', { viewport: { width: 360, height: 740 } }],
] as const;

const LOCKS = [
  ['nightly-backup', 'db-3-4711-f93a1c', 54_000],
  ['invoices/2026-11', 'billing-6d9f-17-b2c4', 41_000],
  ['migrate-schema', 'deploy-1-902-77aa', 780_000],
  ['report/customer-42', 'worker-2-88-11a0', 12_000],
  ['report/customer-97', 'worker-7-91-c3d2', 27_000],
] as const;

/** The leases are to run down a little first. */
const WITHIN = { withinMs: 15_000 };

/** Writes a picture if it is missing, or all of them if asked: no run makes the same bytes again. */
async function keep(name: string, picture: Buffer): Promise<void> {
  const file = path.join(FOLDER, name);
  const isThere = await stat(file).catch(() => undefined);
  if (isThere !== undefined && process.env.HOLDFAST_SCREENSHOTS === undefined) return;
  await mkdir(FOLDER, { recursive: true });
  await writeFile(file, picture);
}

describe('pictures of the page', () => {
  let fixture: PageFixture;
  beforeAll(async () => {
    fixture = await PageFixture.start();
    const second = toComponentYaml({ name: 'reports', type: 'lock.in-memory' });
    await writeFile(path.join(fixture.folder, 'reports.yaml'), second);
    await fixture.sidecar.waitForOutput('Component loaded: reports');
    const client = fixture.client();
    for (const [resourceId, lockOwner, ttlMs] of LOCKS) {
      await fixture.take(resourceId, { lockOwner, ttlMs });
    }
    const request = { storeName: 'lockstore', resourceId: 'nightly-backup', ttlMs: 60_000 };
    for (let n = 1; n <= 4; n += 1) {
      await client.call('Acquire', { ...request, lockOwner: `db-${n}-310${n}-9e1d` });
    }
    client.hold({ ...request, lockOwner: 'db-1-3102-9e1d', waitMs: 60_000 });
    client.hold({ ...request, lockOwner: 'db-2-3103-9e1d', waitMs: 60_000 });
    client.hold({ ...request, resourceId: 'cache-warmer', lockOwner: 'edge-4-12-0b5e' });
  });
  afterAll(() => fixture.stop());

  // The shortest lease is over before the last picture of a busy machine.
  beforeEach(async () => {
    for (const [resourceId, lockOwner, ttlMs] of LOCKS) {
      const lock = { storeName: 'lockstore', resourceId, lockOwner, ttlMs };
      const { body } = await fixture.client().call('Renew', lock);
      const { status } = body as { readonly status: string };
      if (status === 'NOT_FOUND') await fixture.take(resourceId, { lockOwner, ttlMs });
    }
  });

  it.each(PICTURES)('are taken: %s', async (name, options) => {
    const { page, faults } = await fixture.open(options);
    await page.getByText('6 locks').waitFor();
    await eventually(async () => {
      expect(await page.locator('.age').innerText()).toMatch(/^0\.[2-5]/);
      expect(await page.locator('footer').innerText()).not.toMatch(/up for [0-6]\./);
    }, WITHIN);
    const picture = await page.screenshot();
    expect(picture.byteLength).toBeGreaterThan(5000);
    expect(picture.byteLength).toBeLessThan(LARGEST_BYTES);
    expect(faults).toEqual([]);
    await keep(name, picture);
    await lockButton(page, 'nightly-backup').click();
    await page.getByRole('dialog', { name: 'Lock' }).waitFor();
    if (name === 'page.png') await keep('lock.png', await page.screenshot());
    await page.context().close();
  });
});
