import { listenOnAll, resolveListenHosts } from '../../src/servers/listen';
import { RecordingLogger } from '../support/recording-logger';

describe('resolveListenHosts', () => {
  it('keeps the addresses that are given', async () => {
    await expect(resolveListenHosts(['127.0.0.1', '::1'])).resolves.toEqual(['127.0.0.1', '::1']);
  });

  it('takes all addresses where none is given', async () => {
    const hosts = await resolveListenHosts([]);
    expect(['::', '0.0.0.0']).toContain(hosts[0]);
    expect(hosts).toHaveLength(1);
  });
});

describe('listenOnAll', () => {
  const listen = (hosts: readonly string[], logger: RecordingLogger) =>
    listenOnAll({
      server: {
        listen: (address) =>
          'host' in address && address.host === '127.0.0.1'
            ? Promise.resolve({ port: address.port })
            : Promise.reject(Object.assign(new Error('listen'), { code: 'EADDRNOTAVAIL' })),
      },
      hosts,
      port: 3500,
      label: 'HTTP',
      logger,
    });

  it('leaves a host out that can not be bound, and says so', async () => {
    const logger = new RecordingLogger();
    await listen(['fe80::1', '127.0.0.1'], logger);
    expect(logger.messages('error')).toEqual([
      'Failed to listen for HTTP server on TCP address [fe80::1]:3500: this machine has no such address (EADDRNOTAVAIL)',
    ]);
    expect(logger.messages('info')).toEqual([
      'HTTP server listening on TCP address: 127.0.0.1:3500',
    ]);
  });

  it('rejects where none can be bound', async () => {
    const logger = new RecordingLogger();
    await expect(listen(['::1', '::2'], logger)).rejects.toThrow(
      "could not listen on any endpoint: the HTTP port 3500 can't be bound: [::1]:3500: this machine has no such address (EADDRNOTAVAIL); [::2]:3500: ",
    );
    expect(logger.messages('error')).toEqual([]);
  });
});
