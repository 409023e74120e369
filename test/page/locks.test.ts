import { eventually } from '../support/eventually';
import { listed, lockButton, lockRow, type OpenPage, PageFixture } from './page-fixture';

describe('the page of a sidecar', () => {
  let fixture: PageFixture;
  let opened: OpenPage;
  beforeAll(async () => {
    fixture = await PageFixture.start();
  });
  afterAll(() => fixture.stop());
  afterEach(async () => {
    // Chromium's own line about the answer that a lock is free.
    expect(opened.faults.filter((line) => !line.includes('status of 404'))).toEqual([]);
    expect(opened.requests.filter((url) => !url.startsWith(`${fixture.origin}/`))).toEqual([]);
    await opened.page.context().close();
  });
  const open = async (options = {}) => {
    opened = await fixture.open(options);
    return opened.page;
  };
  const expectListed = (resources: readonly string[]) =>
    eventually(async () => {
      expect(await listed(opened.page)).toEqual(resources);
    });
  const release = (resourceId: string, lockOwner = 'me') =>
    fixture.client().call('Release', { storeName: 'lockstore', resourceId, lockOwner });

  it('shows a lock that is taken, and its lease that runs down', async () => {
    const page = await open();
    await page.getByText('No lock is held.').waitFor();
    const token = await fixture.take('nightly', { lockOwner: 'host-1-a', ttlMs: 30_000 });
    await lockRow(page, 'nightly').waitFor();
    const row = lockRow(page, 'nightly');
    await row.getByText('host-1-a').filter({ visible: true }).waitFor();
    expect(await row.innerText()).toContain(String(token));
    const widthOf = async () => (await row.locator('.bar > span').boundingBox())?.width ?? 0;
    const secondsOf = async () => parseFloat(await row.locator('.time').innerText());
    const [width, seconds] = [await widthOf(), await secondsOf()];
    expect(width).toBeGreaterThan(0);
    await eventually(async () => {
      expect(await widthOf()).toBeLessThan(width);
      expect(await secondsOf()).toBeLessThan(seconds);
    });
    await release('nightly', 'host-1-a');
    await expectListed([]);
  });

  it('shows who waits, and the waiter that takes the lock', async () => {
    await fixture.take('queued', { lockOwner: 'first' });
    const client = fixture.client();
    const message = { storeName: 'lockstore', resourceId: 'queued', ttlMs: 60_000 };
    const hold = client.hold({ ...message, lockOwner: 'second', waitMs: 60_000 });
    const page = await open();
    await lockButton(page, 'queued').click();
    const dialog = page.getByRole('dialog', { name: 'Lock' });
    await dialog.getByText('first', { exact: true }).first().waitFor();
    await eventually(async () => {
      expect(await dialog.locator('dl').innerText()).toMatch(/Waiters\s+1/);
    });
    await release('queued', 'first');
    await dialog.locator('dl').getByText('second').waitFor();
    await eventually(async () => {
      expect(await dialog.locator('dl').innerText()).toMatch(/Waiters\s+none/);
    });
    hold.leave();
    await dialog.getByText('Nobody holds this lock now.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('says that a lock is renewed while somebody watches', async () => {
    const message = { storeName: 'lockstore', resourceId: 'renewed', ttlMs: 3000 };
    const hold = fixture.client().hold(message);
    const page = await open();
    await lockButton(page, 'renewed').click();
    await page.getByText(/Renewed \d+ times? while you watched/).waitFor();
    hold.leave();
  });

  it('releases by force what somebody looked at, and names holder and token', async () => {
    const token = await fixture.take('stuck', { lockOwner: 'host-9-gone' });
    const page = await open();
    await lockButton(page, 'stuck').click();
    await page.getByRole('button', { name: 'Force release…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Force release' });
    const text = await dialog.innerText();
    for (const part of ['stuck', 'lockstore', 'host-9-gone', String(token)]) {
      expect(text).toContain(part);
    }
    await dialog.getByLabel('Reason').fill('the machine is gone');
    await dialog.getByRole('button', { name: `Release token ${token}` }).click();
    await page.getByText(`Released: token ${token} no longer has the lock.`).waitFor();
    await expectListed([]);
    await page.getByText('the machine is gone').waitFor();
    await fixture.sidecar.waitForOutput('A lock was released by force');
  });

  it('does not touch another grant that has the lock in the meantime', async () => {
    const token = await fixture.take('moving', { lockOwner: 'first' });
    const page = await open();
    await lockButton(page, 'moving').click();
    await page.getByRole('button', { name: 'Force release…' }).click();
    await release('moving', 'first');
    await fixture.take('moving', { lockOwner: 'second' });
    await page.getByText('The lock has another grant by now').waitFor();
    await page.getByLabel('Reason').fill('too late');
    await page.getByRole('button', { name: `Release token ${token}` }).click();
    await page.getByText('Nothing was done').waitFor();
    await lockRow(page, 'moving').getByText('second').filter({ visible: true }).waitFor();
    await release('moving', 'second');
    await expectListed([]);
  });

  it('searches by the beginning, sorts, and turns pages', async () => {
    const names = Array.from({ length: 120 }, (_, n) => `job-${n}`);
    await Promise.all(names.map((name, n) => fixture.take(name, { ttlMs: 100_000 + n * 1000 })));
    await fixture.take('other');
    const page = await open();
    await page.getByText('121 locks').waitFor();
    expect((await listed(page)).slice(0, 3)).toEqual(['job-0', 'job-1', 'job-2']);
    expect(await listed(page)).toHaveLength(50);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('2 of 3').waitFor();
    expect((await listed(page))[0]).toBe('job-50');
    await page.getByRole('button', { name: 'Resource' }).click();
    await page.getByRole('button', { name: 'Previous' }).click();
    expect((await listed(page)).slice(0, 2)).toEqual(['other', 'job-119']);
    const header = page.getByRole('columnheader', { name: 'Resource' });
    await expect(header.getAttribute('aria-sort')).resolves.toBe('descending');
    await page.getByRole('button', { name: 'Time left' }).click();
    expect((await listed(page))[1]).toBe('job-0');
    await page.getByLabel('Resource begins with').fill('job-11');
    await page.getByText('11 locks with this beginning').waitFor();
    expect([...(await listed(page))].sort()[0]).toBe('job-11');
    await Promise.all([...names, 'other'].map((name) => release(name)));
    await page.getByText('No lock with this beginning is held.').waitFor();
  });

  it('says nothing of locks before the store has answered for them', async () => {
    const page = await open();
    await page.getByText('No lock is held.').waitFor();
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    await page.route(/prefix=slow/, async (route) => {
      await answered;
      await route.continue();
    });
    await page.getByLabel('Resource begins with').fill('slow');
    await page.getByText('Reading…', { exact: true }).waitFor();
    expect(await page.locator('.count').innerText()).toBe('Reading…');
    answer();
    await page.getByText('No lock with this beginning is held.').waitFor();
  });

  it('goes on where there are more than a thousand', async () => {
    await fixture.takeMany(1010);
    const page = await open();
    await page.getByText('Part 1 of the locks: 1,000; there are more.').waitFor();
    const turn = (name: string) => page.getByRole('button', { name }).click();
    for (let n = 2; n <= 20; n += 1) await turn('Next');
    await page.getByText('20 of 20').waitFor();
    await turn('Next');
    await page.getByText('Part 2 of the locks: 10.').waitFor();
    await eventually(async () => {
      expect(await listed(page)).toHaveLength(10);
    });
    await turn('Previous');
    await page.getByText('20 of 20').waitFor();
    await fixture.restart();
    await expectListed([]);
    opened.faults.length = 0;
  });

  it('shows what was granted, refused and failed lately, and refusals a minute', async () => {
    await fixture.take('wanted', { lockOwner: 'winner' });
    const request = { storeName: 'lockstore', resourceId: 'wanted', ttlMs: 1000 };
    for (const lockOwner of ['loser-1', 'loser-2']) {
      await fixture.client().call('Acquire', { ...request, lockOwner });
    }
    await fixture.client().call('Acquire', { ...request, lockOwner: 'x', ttlMs: -5 });
    const page = await open();
    await lockRow(page, 'wanted').waitFor();
    const refused = await page.locator('table.stores td').last().innerText();
    expect(Number(refused)).toBeGreaterThanOrEqual(2);
    const events = () => page.locator('section > .events li').allInnerTexts();
    await page.getByLabel('Refused', { exact: true }).check();
    expect((await events())[0]).toMatch(/Refused\s+wanted\s+loser-2/);
    await page.getByLabel('Granted', { exact: true }).check();
    expect((await events())[0]).toMatch(/Granted\s+wanted\s+winner/);
    await page.getByLabel('Failed', { exact: true }).check();
    expect((await events())[0]).toMatch(/wanted\s+x\s*ERR_/);
    await release('wanted', 'winner');
  });
});
