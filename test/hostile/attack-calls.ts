import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';

import { createClient } from 'redis';

/** Releases locks of `lockstore` in Redis itself: those that the attacker was granted. */
export async function forgetLocks(redisPort: number, resources: readonly string[]): Promise<void> {
  if (resources.length === 0) return;
  const client = createClient({ socket: { host: '127.0.0.1', port: redisPort }, RESP: 2 });
  client.on('error', () => undefined);
  await client.connect();
  await client.del(resources.map((resource) => `lock||myapp||${resource}`));
  client.destroy();
}

/** The header that shows the token; none where there is none to show. */
export function tokenHeader(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { 'dapr-api-token': token };
}

/** An HTTP/2 connection of an attacker; that it is closed under the attack is a defence, no error. */
export async function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  session.on('error', () => undefined);
  return session;
}
