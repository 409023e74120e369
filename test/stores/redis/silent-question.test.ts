import { answerAll, createQuickStore, FakeServer, noAbort, tryLockCall } from './redis-fixture';

describe('a Redis that falls silent when it is asked whether it has lost its data', () => {
  it('holds up no Unlock for longer than the call may take', async () => {
    let releases = 0;
    const handshake = answerAll(':0\r\n');
    const server = new FakeServer((socket, data) => {
      if (data.includes('EVALSHA')) {
        releases += 1;
        // The reply to the first is lost; the second finds no lock.
        if (releases === 2) socket.write(':-1\r\n');
      } else if (releases < 2) handshake(socket, data);
    });
    const { store } = createQuickStore(await server.listen());
    await store.init(noAbort());
    await expect(store.unlock(tryLockCall('k'), noAbort())).rejects.toMatchObject({
      outcome: 'unknown',
      message: 'Redis was restarted or flushed before it replied, the outcome is unknown',
    });
    await store.close();
    await server.close();
  });
});
