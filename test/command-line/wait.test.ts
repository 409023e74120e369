import { waitUntilReady } from '../../src/command-line/wait';
import { HttpFixture } from '../http/http-fixture';
import { findFreePort } from '../support/free-port';

describe('waitUntilReady', () => {
  it('waits until the sidecar says that it is ready', async () => {
    const http = await new HttpFixture().start();
    const ready = waitUntilReady({ httpPort: http.port });
    setTimeout(() => {
      http.sidecar.health.markOutboundReady();
    }, 250);
    await expect(ready).resolves.toBe(true);
    await http.server.close();
  });

  it('gives up at its cap', async () => {
    const httpPort = await findFreePort();
    await expect(waitUntilReady({ httpPort, capMs: 250 })).resolves.toBe(false);
  });
});
