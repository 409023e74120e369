import { HttpFixture, NOT_ROUTED } from './http-fixture';
import { exchange, LOCK, ServerBehind } from './passing-fixture';

describe('an HTTP request that is not served here, in front of another sidecar', () => {
  describe('whose upstream is a server', () => {
    const behind = new ServerBehind();
    beforeEach(() => behind.startBehind());
    afterEach(() => behind.stop());

    it.each([
      LOCK,
      `${LOCK}/`,
      '/v1.0-alpha1/unlock/lockstore',
      '/v1.0-alpha1/lock/./lockstore',
      '/v1.0-alpha1/../v1.0-alpha1/lock/lockstore',
      '//v1.0-alpha1//lock//lockstore',
      '/v1.0-alpha1/%6Cock/lockstore',
      '/v1.0-alpha1/%256Cock/lockstore',
      '/v1.0-alpha1%2Flock/lockstore',
      '/v1.0-alpha1/LOCK/lockstore',
      '/V1.0-ALPHA1/lock/lockstore',
      '/v1.0-alpha1/lock;a=b/lockstore',
      '/x/..%2Fv1.0-alpha1/lock/lockstore',
      '/v1.0/lock/lockstore',
      '/v1.0-beta1/lock/lockstore',
      '/v2/unlock/lockstore',
      '/v1.0-alpha1/lock',
      '\\v1.0-alpha1\\lock\\lockstore',
      'http://any/v1.0-alpha1/lock/lockstore',
      '/v1.0-alpha1/lock/lockstore?x#y',
      '/x%3F/../v1.0/lock/lockstore',
      '/x%23/../v1.0/lock/lockstore',
      '/x#/../v1.0/lock/lockstore',
      '/v1.0-alpha1%3F/lock/lockstore',
      '/v1.0-alpha1/lock%23/lockstore',
      '/a/../v1.0-alpha1/%252e%252e/../lock/lockstore',
      '/a/../v1.0-alpha1/..;b/../lock/lockstore',
      '/a/../v1.0-alpha1/..%3Fb/../unlock/lockstore',
      '/a/../x/..%3Fb/../holdfast/v1/locks/lockstore/acquire',
      '/holdfast',
      '/holdfast/',
      '/holdfast/v1/locks/lockstore/nothing',
      '/Holdfast/v1/locks/lockstore/acquire',
      '/./holdfast/x',
    ])('is never passed on if it could be a lock call: %s', async (target) => {
      await behind.start();
      for (const [verb, app] of [
        ['POST', ''],
        ['GET', ''],
        ['POST', 'dapr-app-id: a\r\n'],
      ]) {
        const call = `${verb ?? ''} ${target} HTTP/1.1\r\nHost: h\r\n${app ?? ''}Content-Length: 2\r\nConnection: close\r\n\r\n{}`;
        expect(await exchange(behind.opened.http.port, call)).toMatch(/^HTTP\/1.1 [24]\d\d /);
      }
      expect(behind.urls).toEqual([]);
    });

    it.each([
      '/v1.0/invoke/app/method/v1.0-alpha1/lock/lockstore',
      '/v1.0/state/lock',
      '/v1.0/state/s/k%3F/../l',
      '/v1.0/state/s?/../v1.0/lock/s',
      '/lock/x',
      '/v1.0-alpha1/locks/lockstore',
      '/',
      '/my/holdfast/x',
      '/v1.0/healthz/other',
      '/holdfasts',
    ])('is passed on if it is none: %s', async (target) => {
      await behind.start();
      const answer = await behind.opened.http.call({ method: 'POST', path: target, body: 'b' });
      expect(answer).toMatchObject({ status: 200, body: 'b' });
      expect(behind.urls).toEqual([target]);
    });
  });

  it('is answered as before without an upstream', async () => {
    const http = await new HttpFixture().start();
    expect(await http.call({ path: '/v1.0/state/s/k' })).toMatchObject({
      status: 404,
      body: NOT_ROUTED,
    });
    await http.server.close();
  });
});
