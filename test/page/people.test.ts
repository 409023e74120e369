import { readFileSync } from 'node:fs';

import { eventually } from '../support/eventually';
import { lockButton, PageFixture } from './page-fixture';

/** A violation that axe-core found. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

describe('the page for everybody', () => {
  let fixture: PageFixture;
  beforeAll(async () => {
    fixture = await PageFixture.start();
  });
  afterAll(() => fixture.stop());

  it('is used by the keyboard alone: a lock is opened and released', async () => {
    const token = await fixture.take('by-keyboard', { lockOwner: 'host-1-a' });
    const { page } = await fixture.open();
    await lockButton(page, 'by-keyboard').waitFor();
    const active = () => page.evaluate<string>('document.activeElement.textContent');
    const press = (key: string) => page.keyboard.press(key);
    const tabTo = async (text: string) => {
      for (let tabs = 0; tabs < 30; tabs += 1) {
        if ((await active()) === text) return;
        await press('Tab');
      }
      throw new Error(`the Tab key does not lead to ${text}`);
    };
    await tabTo('by-keyboard');
    await press('Enter');
    await page.getByRole('dialog', { name: 'Lock' }).waitFor();
    await press('Escape');
    await eventually(async () => {
      await expect(active()).resolves.toBe('by-keyboard');
    });
    await press('Enter');
    await tabTo('Force release…');
    await press('Enter');
    await expect(page.evaluate('document.activeElement.name')).resolves.toBe('reason');
    await page.keyboard.type('gone');
    await press('Tab');
    await press('Tab');
    await expect(active()).resolves.toBe(`Release token ${token}`);
    await press('Enter');
    await page.getByText('Released:').waitFor();
    await expect(page.getByText('Released:').getAttribute('role')).resolves.toBe('status');
    await eventually(async () => {
      await expect(page.evaluate('document.activeElement.id')).resolves.toBe('held-locks');
    });
    await page.context().close();
  });

  describe.each([true, false])('where moveBefore exists: %s', (hasMove) => {
    it('keeps the focus on a lock while its row moves, and near it when it is gone', async () => {
      await fixture.restart();
      for (const [n, name] of ['a', 'b', 'c'].entries()) {
        await fixture.take(name, { ttlMs: 20_000 + n * 20_000 });
      }
      const { page } = await fixture.open();
      // Preact moves by it where there is one, as not in Safari. It keeps the focus by itself.
      if (!hasMove) await page.evaluate('delete Element.prototype.moveBefore');
      await page.getByRole('button', { name: 'Time left' }).click();
      await lockButton(page, 'a').focus();
      const lock = { storeName: 'lockstore', resourceId: 'a', lockOwner: 'me' };
      await fixture.client().call('Renew', { ...lock, ttlMs: 90_000 });
      const expectRows = (names: readonly string[]) =>
        eventually(async () => {
          expect(await page.locator('table.locks tbody .link').allInnerTexts()).toEqual(names);
        });
      const focused = () => page.evaluate('document.activeElement.textContent');
      await expectRows(['b', 'c', 'a']);
      await expect(focused()).resolves.toBe('a');
      await fixture.client().call('Release', lock);
      await expectRows(['b', 'c']);
      await expect(focused()).resolves.toBe('Resource');
      await page.context().close();
    });
  });

  describe.each(['light', 'dark'] as const)('in %s colours', (colorScheme) => {
    it.each([
      ['a wide window', { width: 1100, height: 800 }],
      ['a narrow window', { width: 360, height: 740 }],
    ])('has no serious fault for axe-core in %s', async (_name, viewport) => {
      await fixture.take(`seen-${colorScheme}-${viewport.width}`, { lockOwner: 'o' });
      // axe-core is put into the page by its debugger, where the policy would stop it.
      const { page } = await fixture.open({ viewport, colorScheme, bypassCSP: true });
      await lockButton(page, `seen-${colorScheme}-${viewport.width}`).waitFor();
      await page.evaluate(AXE);
      const check = async () => {
        const { violations } = await page.evaluate<{ violations: readonly Violation[] }>(
          'axe.run(document, { resultTypes: ["violations"] })',
        );
        const serious = violations.filter(({ impact }) => impact !== 'minor');
        expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      };
      await check();
      await lockButton(page, `seen-${colorScheme}-${viewport.width}`).click();
      await page.getByRole('dialog', { name: 'Lock' }).waitFor();
      await check();
      await page.getByRole('button', { name: 'Force release…' }).click();
      await page.getByRole('dialog', { name: 'Force release' }).waitFor();
      await check();
      await page.context().close();
    });
  });

  it('has no serious fault where it asks for the token', async () => {
    await fixture.restart({ env: { DAPR_API_TOKEN: 'hush' } });
    const { page } = await fixture.open({ bypassCSP: true });
    await page.getByLabel('Token', { exact: true }).waitFor();
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run()');
    expect(violations.filter(({ impact }) => impact !== 'minor')).toEqual([]);
  });
});
