import type { ApiGroup } from '../../src/api/api-groups';
import { HttpFixture, NOT_ROUTED } from './http-fixture';

const LOCK = '/v1.0-alpha1/lock/lockstore';
const BODY = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}';

describe('what the configuration allows over HTTP', () => {
  let http: HttpFixture;
  afterEach(() => http.server.close());
  const start = async (denied: readonly ApiGroup[]) => {
    const isAllowed = (group: ApiGroup) => !denied.includes(group);
    http = await new HttpFixture({ isAllowed }).start();
  };
  const call = (method: string, path: string) => http.call({ method, path, body: BODY });

  it('is served, and the rest is no route', async () => {
    await start(['lock', 'metadata', 'shutdown']);
    for (const [method, path] of [
      ['POST', LOCK],
      ['GET', '/v1.0/metadata'],
      ['PUT', '/v1.0/metadata/k'],
      ['POST', '/v1.0/shutdown'],
    ] as const) {
      await expect(call(method, path)).resolves.toMatchObject({ status: 404, body: NOT_ROUTED });
    }
    expect(http.sidecar.shutdowns).toEqual([]);
    await expect(call('POST', '/v1.0-alpha1/unlock/lockstore')).resolves.toMatchObject({
      status: 200,
    });
  });

  it('never takes the probes away', async () => {
    await start(['lock', 'unlock', 'metadata', 'shutdown', 'invoke']);
    http.sidecar.health.markReady('runtime');
    await expect(call('GET', '/v1.0/healthz')).resolves.toMatchObject({ status: 204 });
  });

  it("answers by the router's own words where invocations are denied", async () => {
    await start(['invoke', 'unlock']);
    await expect(call('POST', '/nope')).resolves.toMatchObject({
      status: 404,
      body: '404 page not found\n',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    });
    await expect(call('PUT', LOCK)).resolves.toMatchObject({
      status: 405,
      body: '',
      headers: { allow: 'POST' },
    });
    await expect(call('PUT', '/v1.0-alpha1/unlock/lockstore')).resolves.toMatchObject({
      status: 404,
    });
  });
});
