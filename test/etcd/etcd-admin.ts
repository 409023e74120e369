import type { EtcdServer } from '../support/etcd-server';

/** Calls etcd's JSON gateway as an operator's tool would; fails on any answer but 200. */
export async function callGateway(
  { endpoint }: EtcdServer,
  path: string,
  body: object,
  token?: string,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`http://${endpoint}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    // A member that is stopped answers nothing.
    signal: AbortSignal.timeout(1000),
    ...(token === undefined ? {} : { headers: { authorization: token } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

/** The member that leads, as the others say; undefined during an election. */
export async function findLeader(members: readonly EtcdServer[]): Promise<EtcdServer | undefined> {
  for (const member of members) {
    const status = await callGateway(member, 'maintenance/status', {}).catch(() => undefined);
    if (status === undefined) continue;
    const { member_id: id } = status.header as { readonly member_id: string };
    if (status.leader === id) return member;
  }
  return undefined;
}

/** Text as the gateway takes it. */
export const toBase64 = (text: string): string => Buffer.from(text).toString('base64');
