import { callHttp } from './http-call';
import { withoutDapr } from './plain-environment';
import { SidecarProcess } from './sidecar-process';

describe('withoutDapr', () => {
  it('takes out what an SDK or a sidecar would read, and nothing else', () => {
    const env = {
      PATH: '/bin',
      DAPR_HTTP_ENDPOINT: 'http://127.0.0.1:3500',
      DAPR_API_TOKEN: 'theirs',
      APP_API_TOKEN: 'theirs',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317',
      NAMESPACE: 'theirs',
      MY_DAPR_NOTE: 'kept',
    };
    expect(withoutDapr(env)).toEqual({ PATH: '/bin', MY_DAPR_NOTE: 'kept' });
  });
});

describe('SidecarProcess', () => {
  it('starts a sidecar that does not ask for the token of whoever runs the tests', async () => {
    process.env.DAPR_API_TOKEN = 'theirs';
    const sidecar = await SidecarProcess.start();
    try {
      const { status } = await callHttp(sidecar.httpPort, {
        method: 'GET',
        path: '/v1.0/metadata',
      });
      expect(status).toBe(200);
    } finally {
      delete process.env.DAPR_API_TOKEN;
      await sidecar.stop();
    }
  });
});
