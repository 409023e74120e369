import type { RedisLink } from '../../../src/stores/redis/redis-link';
import { ReplicaCounts } from '../../../src/stores/redis/replica-counts';

/** A link whose server answers everything by one reply, and the commands that it was sent. */
function linkThatSays(reply: unknown) {
  const sent: (readonly string[])[] = [];
  const sendCommand = (command: readonly string[]): Promise<unknown> => {
    sent.push(command);
    return Promise.resolve(reply);
  };
  return { sent, link: { client: { sendCommand } } as unknown as RedisLink };
}

const onDisk = new ReplicaCounts({ needed: 1, onDisk: true, tryTimeoutMs: 9000 });

describe('the count of servers that have a lease on disk', () => {
  it.each([
    ['enough', [1, 1], undefined],
    ['no replica', [1, 0], 'only 0 of 1 replicas acknowledged the lease on disk within 3000 ms'],
    ['not the master', [0, 1], 'the master did not have the lease on disk within 3000 ms'],
  ])('is judged: %s', async (_name, reply, reason) => {
    const { link, sent } = linkThatSays(reply);
    const lack = onDisk.lack(await onDisk.read(link));
    expect(sent).toEqual([['WAITAOF', '1', '1', '3000']]);
    expect(lack?.message).toBe(reason && `${reason}, the outcome is unknown`);
    expect(lack?.outcome).toBe(reason && 'unknown');
  });

  it.each([1, [], ['one', 1]])('is unknown after the reply %j', async (reply) => {
    await expect(onDisk.read(linkThatSays(reply).link)).rejects.toMatchObject({
      kind: 'unavailable',
      outcome: 'unknown',
    });
  });
});
