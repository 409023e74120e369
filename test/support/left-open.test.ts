import { once } from 'node:events';
import { createServer } from 'node:net';

import { countOpen, findLeftOpen } from './left-open';

it('finds what stays open, until it is closed', async () => {
  const before = countOpen();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const timer = setTimeout(() => undefined, 60_000);
  const left = await findLeftOpen(before, { withinMs: 0 });
  expect([...left].sort()).toEqual(['TCPServerWrap: 1', 'Timeout: 1']);
  server.close();
  clearTimeout(timer);
  await expect(findLeftOpen(before, { withinMs: 5000 })).resolves.toEqual([]);
});
