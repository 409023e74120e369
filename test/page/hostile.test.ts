import { fitsIn, lockRow, type OpenPage, PageFixture } from './page-fixture';

const LONG = `long-${'n'.repeat(60_000)}`;

/** Names that a client chose to harm whoever looks at them, and how they are shown. */
const NAMES = [
  ['markup', `<img src=x onerror="document.title='broken'">`, undefined],
  ['a script', `</script><script>document.title='broken'</script>`, undefined],
  ['a template', '${document.title}{{7*7}}', undefined],
  ['control characters', 'a\u0007b\u001b[31mc\nd\u0000e', 'a\\u0007b\\u001b[31mc\\nd\\u0000e'],
  ['a change of direction', 'safe\u202etxt.exe\u2066x', 'safe\\u202etxt.exe\\u2066x'],
  ['right-to-left text', 'قفل-الليل-١٢٣', undefined],
  ['a name of an object', '__proto__', undefined],
  ['spaces', '   ', '␣␣␣'],
] as const;

/** All tests see the same locks: a lease that none of them outlives, in milliseconds. */
const TTL_MS = 900_000;

describe('names that harm', () => {
  let fixture: PageFixture;
  let opened: OpenPage;
  beforeAll(async () => {
    fixture = await PageFixture.start();
    for (const [, name] of NAMES) await fixture.take(name, { lockOwner: name, ttlMs: TTL_MS });
    await fixture.take(LONG, { lockOwner: 'o'.repeat(3000), ttlMs: TTL_MS });
  });
  afterAll(() => fixture.stop());
  beforeEach(async () => {
    opened = await fixture.open({ viewport: { width: 360, height: 740 } });
    await opened.page.getByText(`${NAMES.length + 1} locks`).waitFor();
  });
  afterEach(async () => {
    const { page, faults, requests } = opened;
    expect(await page.title()).toBe('Holdfast');
    expect(await page.locator('img, script:not([src])').count()).toBe(0);
    expect(faults).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(`${fixture.origin}/holdfast/`))).toEqual([]);
    expect(await fitsIn(page, 360)).toBe(true);
    await page.context().close();
  });

  it.each(NAMES)('stay text in the list, in events and in the dialog: %s', async (...row) => {
    const [, name, shown = name] = row;
    const { page } = opened;
    const texts = await page.locator('table.locks tbody .link').allTextContents();
    const at = texts.indexOf(shown);
    expect(texts).toContain(shown);
    const events = await page.locator('.events .what').allTextContents();
    expect(events).toContain(shown);
    await page.locator('table.locks tbody .link').nth(at).click();
    const dialog = page.getByRole('dialog', { name: 'Lock' });
    expect(await dialog.locator('.whole').textContent()).toBe(shown);
    expect(await fitsIn(page, 360)).toBe(true);
    await page.getByRole('button', { name: 'Force release…' }).click();
    const confirmation = page.getByRole('dialog', { name: 'Force release' });
    expect(await confirmation.locator('.name').first().textContent()).toBe(shown);
    const box = await confirmation.boundingBox();
    expect(box!.x >= 0 && box!.x + box!.width <= 360).toBe(true);
  });

  it('are cut in the list if they are long, are whole in the dialog, and can be freed', async () => {
    const { page } = opened;
    const button = page.getByRole('button', { name: /^Lock long-n+…$/ });
    expect((await button.textContent())!.length).toBeLessThan(200);
    const height = (await page.getByRole('row').filter({ has: button }).boundingBox())!.height;
    expect(height).toBeLessThan(80);
    await button.click();
    const dialog = page.getByRole('dialog', { name: 'Lock' });
    expect(await dialog.locator('.whole').textContent()).toBe(LONG);
    // Its events have its name cut.
    await dialog.getByRole('heading', { name: 'Lately, through this sidecar' }).waitFor();
    expect((await dialog.locator('.whole').boundingBox())!.height).toBeLessThan(200);
    await page.waitForTimeout(2500);
    await page.getByRole('button', { name: 'Force release…' }).click();
    const confirmation = page.getByRole('dialog', { name: 'Force release' });
    await confirmation.getByLabel('Reason').fill('it is long');
    const release = confirmation.getByRole('button', { name: /^Release token/ });
    expect((await confirmation.boundingBox())!.height).toBeLessThan(740);
    await release.click();
    await page.getByText('Released:').waitFor();
    await page.getByText(`${NAMES.length} locks`, { exact: true }).waitFor();
    expect(await lockRow(page, 'long').count()).toBe(0);
  });
});
