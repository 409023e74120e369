import { HttpFixture } from './http-fixture';

describe('the routes beside locks', () => {
  let http: HttpFixture;
  beforeEach(async () => {
    http = await new HttpFixture().start();
  });
  afterEach(() => http.server.close());
  const get = (path: string) => http.call({ method: 'GET', path });

  describe('health', () => {
    it('says what is not ready yet', async () => {
      await expect(get('/v1.0/healthz')).resolves.toMatchObject({
        status: 500,
        body: '{"errorCode":"ERR_HEALTH_NOT_READY","message":"dapr is not ready: [runtime]"}',
      });
    });

    it('has no body once everything is ready', async () => {
      http.sidecar.health.markReady('runtime');
      const answer = await get('/v1.0/healthz');
      expect(answer).toMatchObject({ status: 204, body: '' });
      expect(answer.headers).not.toHaveProperty('content-type');
    });

    it.each([
      ['myapp', 204],
      ['', 204],
      ['other', 500],
    ])('asked for app id "%s" answers %i', async (appId, status) => {
      http.sidecar.health.markReady('runtime');
      await expect(get(`/v1.0/healthz?appid=${appId}`)).resolves.toMatchObject({ status });
    });

    it('has the outbound side apart', async () => {
      await expect(get('/v1.0/healthz/outbound')).resolves.toMatchObject({
        status: 500,
        body: '{"errorCode":"ERR_OUTBOUND_HEALTH_NOT_READY","message":"dapr outbound is not ready"}',
      });
      http.sidecar.health.markOutboundReady();
      await expect(get('/v1.0/healthz/outbound')).resolves.toMatchObject({ status: 204 });
    });
  });

  describe('metadata', () => {
    it('has the keys of daprd in their order, and a line break', async () => {
      http.sidecar.metadata.setComponent({ name: 'l', type: 'lock.redis', version: 'v1' });
      http.sidecar.metadata.setComponent({ name: 'm', type: 'lock.redis', version: '' });
      const answer = await get('/v1.0/metadata');
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.body).toBe(
        '{"id":"myapp","runtimeVersion":"1.18.3",' +
          '"components":[{"name":"l","type":"lock.redis","version":"v1"},{"name":"m","type":"lock.redis"}],' +
          '"extended":{"daprRuntimeVersion":"1.18.3","holdfastVersion":"0.1.0"},' +
          '"appConnectionProperties":{"protocol":"http","channelAddress":"127.0.0.1"},' +
          '"actorRuntime":{"runtimeStatus":"DISABLED","hostReady":false,"placement":"placement: disconnected"}}\n',
      );
    });

    it('takes entries as raw text', async () => {
      const headers = { 'content-type': 'text/plain' };
      const call = { method: 'PUT', path: '/v1.0/metadata/app%20PID', body: '12 "34"', headers };
      await expect(http.call(call)).resolves.toMatchObject({ status: 204, body: '' });
      const answer = await get('/v1.0/metadata');
      expect(JSON.parse(answer.body)).toMatchObject({ extended: { 'app PID': '12 "34"' } });
    });
  });

  describe('shutdown', () => {
    it.each([
      [{}, false],
      [{ 'dapr-force-shutdown': 'true' }, true],
      [{ 'dapr-force-shutdown': 'no' }, false],
    ])('with headers %j is asked for, forced: %s', async (headers, force) => {
      const answer = await http.call({ path: '/v1.0/shutdown', headers });
      expect(answer).toMatchObject({ status: 204, body: '' });
      expect(http.sidecar.shutdowns).toEqual([{ force }]);
    });
  });
});
