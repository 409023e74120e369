import { createPageApi } from '../../src/api/page-api';
import { readPageFiles } from '../../src/app/page-files';
import { createPageRoutes } from '../../src/http/page-routes';
import { SidecarView } from '../../src/observability/sidecar-view';
import { HttpFixture } from './http-fixture';

const FILES = ['/holdfast/', '/holdfast/page.js', '/holdfast/page.css', '/holdfast/icon.svg'];
const OVERVIEW = '/holdfast/v1/overview';

describe('the page over HTTP', () => {
  let http: HttpFixture;
  const start = async (options: ConstructorParameters<typeof HttpFixture>[0] = {}) => {
    const loaded = () => [{ name: 'lockstore', type: 'lock.in-memory' }];
    const view = new SidecarView({ appId: 'myapp', version: '1', instance: 'one', loaded });
    const api = createPageApi(readPageFiles(), () => view.view());
    http = await new HttpFixture({ ...options, methods: createPageRoutes(api) }).start();
  };
  const get = (path: string, headers = {}) => http.call({ method: 'GET', path, headers });
  afterEach(() => http.server.close());

  it.each(FILES)('sends %s with a policy that lets nothing else in', async (file) => {
    await start();
    const { status, headers, body } = await get(file);
    expect(status).toBe(200);
    expect(body).not.toBe('');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'; trusted-types 'none'",
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('has no script and no style in its HTML, and no URL of another place', async () => {
    await start();
    const { body } = await get('/holdfast/');
    expect(body).not.toMatch(/<script(?![^>]* src=)|<style|style=|\son\w+=/);
    const urls = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url);
    expect(urls.sort()).toEqual(['icon.svg', 'page.css', 'page.js']);
  });

  it.each(FILES)('sends %s again only if it has changed', async (file) => {
    await start();
    const { headers } = await get(file);
    const tag = String(headers.etag);
    for (const known of [tag, `"other", W/${tag}`, '*']) {
      const answer = await get(file, { 'if-none-match': known });
      expect(answer).toMatchObject({ status: 304, body: '' });
      expect(answer.headers.etag).toBe(tag);
    }
    await expect(get(file, { 'if-none-match': '"other"' })).resolves.toMatchObject({ status: 200 });
  });

  it('leads to its folder by a relative URL, as proxies that add a path need', async () => {
    await start();
    const answer = await get('/holdfast');
    expect([answer.status, answer.headers.location]).toEqual([308, 'holdfast/']);
    const asked = await get('/holdfast?a=/b/');
    expect(asked.headers.location).toBe('holdfast/?a=/b/');
  });

  it('is what is known of the sidecar, and is kept nowhere', async () => {
    await start();
    const { status, headers, body } = await get(OVERVIEW);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(JSON.parse(body)).toMatchObject({ appId: 'myapp', stores: [{ name: 'lockstore' }] });
  });

  it('answers anything else as before', async () => {
    await start();
    for (const path of ['/holdfast/other.js', '/holdfast/v1', '/holdfast/page.js/', '/Holdfast/']) {
      const { status } = await get(path);
      expect([path, status]).toEqual([path, path.endsWith('js/') ? 200 : 404]);
    }
    await expect(http.call({ method: 'POST', path: '/holdfast/' })).resolves.toMatchObject({
      status: 404,
    });
  });

  it('is served without the API token, and its data is not', async () => {
    await start({ token: 'hush' });
    for (const file of FILES) await expect(get(file)).resolves.toMatchObject({ status: 200 });
    await expect(get(OVERVIEW)).resolves.toMatchObject({ status: 401 });
    const answer = await get(OVERVIEW, { 'dapr-api-token': 'hush' });
    expect(answer.status).toBe(200);
  });

  it('loses its data where the configuration denies locks', async () => {
    await start({ isAllowed: (group) => group !== 'locks' });
    await expect(get('/holdfast/')).resolves.toMatchObject({ status: 200 });
    await expect(get(OVERVIEW)).resolves.toMatchObject({ status: 404 });
  });

  it('is not on the public port', async () => {
    await start({ surface: 'public' });
    for (const path of [...FILES, OVERVIEW]) {
      await expect(get(path)).resolves.toMatchObject({ status: 404 });
    }
  });
});
