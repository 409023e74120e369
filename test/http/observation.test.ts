import type { ApiCall, ApiResult } from '../../src/sidecar/api-observer';
import { eventually } from '../support/eventually';
import { HttpFixture } from './http-fixture';

const BODY = '{"resourceId":"r","lockOwner":"o","expiryInSeconds":9}';

describe('what an observer is told of an HTTP call', () => {
  let http: HttpFixture;
  let seen: { readonly call: ApiCall; readonly result: ApiResult }[];
  beforeEach(async () => {
    seen = [];
    http = await new HttpFixture({
      observer: {
        begin: (call) => {
          return {
            responseHeaders: {},
            responseTraceBin: undefined,
            refusal: undefined,
            lockObserver: undefined,
            end: (result) => {
              seen.push({ call, result });
            },
          };
        },
      },
    }).start();
  });
  afterEach(() => http.server.close());

  const seenOnce = () =>
    eventually(() => {
      expect(seen).toHaveLength(1);
      return seen[0]!;
    });
  it('is its answer where there is one', async () => {
    await http.call({ path: '/v1.0-alpha1/unlock/lockstore', body: BODY });
    const { result } = await seenOnce();
    expect(result).toMatchObject({ status: 200, responseBytes: 12, isLogged: true });
  });

  it.each([
    ['POST', '/v1.0-alpha1/unlock/lockstore', '/v1.0-alpha1/unlock/{store}', 'lockstore'],
    ['POST', '/x/..//v1.0-alpha1/unlock/a%2Fb+c/?q', '/v1.0-alpha1/unlock/{store}', 'a/b c'],
    ['PUT', '/v1.0/metadata/a-key', '/v1.0/metadata/{key}', undefined],
    ['GET', '/v1.0/healthz/', '/v1.0/healthz', undefined],
  ])('names the route of %s %s', async (method, path, template, storeName) => {
    await http.call({ method, path });
    expect((await seenOnce()).call.route).toEqual({ template, storeName });
  });

  it('names no route where there is none', async () => {
    await http.call({ path: '/nope' });
    expect((await seenOnce()).call.route).toBeUndefined();
  });
});
