import { setTimeout as pause } from 'node:timers/promises';

import { eventually } from '../support/eventually';
import { lockButton, PageFixture } from './page-fixture';

/** How long the sidecar takes to fail, in milliseconds. Requests take at most a tenth of the time. */
const SLOW_MS = 500;

describe('what the page says of old answers', () => {
  let fixture: PageFixture;
  beforeAll(async () => {
    fixture = await PageFixture.start();
  });
  afterAll(() => fixture.stop());

  it('is that all of a lock is as of its last answer, once the sidecar is gone', async () => {
    await fixture.take('seen');
    const { page } = await fixture.open();
    await lockButton(page, 'seen').click();
    const dialog = page.getByRole('dialog', { name: 'Lock' });
    await dialog.getByText('Not renewed while you watched').waitFor();
    await dialog.getByText('All of this is as of').waitFor({ state: 'detached' });
    await fixture.sidecar.stop('SIGKILL');
    await dialog.getByText(/^All of this is as of (just now|\d+ s ago)\.$/).waitFor();
    await fixture.restart();
    await dialog.getByText('Nobody holds this lock now.').waitFor();
    await dialog.getByText('All of this is as of').waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('is when a lease was last renewed, and not that its holder is alive', async () => {
    const { page } = await fixture.open();
    const lock = { storeName: 'lockstore', resourceId: 'renewed', lockOwner: 'me' };
    await fixture.take('renewed');
    await lockButton(page, 'renewed').click();
    await fixture.client().call('Renew', { ...lock, ttlMs: 90_000 });
    const dialog = page.getByRole('dialog', { name: 'Lock' });
    await dialog.getByText('Renewed 1 time while you watched.').waitFor();
    await dialog.getByText(/^Last renewed \d s ago\.$/).waitFor();
    await expect(dialog.getByText('alive').count()).resolves.toBe(0);
    await page.context().close();
  });

  it('is that the view is out of date, not live, while an answer does not come', async () => {
    const { page } = await fixture.open();
    await page.getByText('Live', { exact: true }).waitFor();
    fixture.sidecar.child.kill('SIGSTOP');
    try {
      await page.getByText('Out of date', { exact: true }).waitFor();
      await expect(page.getByText('Live', { exact: true }).count()).resolves.toBe(0);
    } finally {
      fixture.sidecar.child.kill('SIGCONT');
    }
    await page.getByText('Live', { exact: true }).waitFor();
    await page.context().close();
  });
});

it('a sidecar that is slow to fail is asked as seldom as one that is slow to answer', async () => {
  const fixture = await PageFixture.start();
  const askedAtMs: number[] = [];
  const { page } = await fixture.open();
  await page.route('**/v1/overview', async (route) => {
    askedAtMs.push(performance.now());
    await pause(SLOW_MS);
    await route.fulfill({ status: 500, body: '{"errorCode": "ERR", "message": "it is slow"}' });
  });
  await page.getByText('The sidecar failed: it is slow').waitFor();
  await eventually(
    () => {
      expect(askedAtMs.length).toBeGreaterThan(1);
    },
    { withinMs: 30_000 },
  );
  expect(askedAtMs[1]! - askedAtMs[0]!).toBeGreaterThan(10 * SLOW_MS);
  await fixture.stop();
});
