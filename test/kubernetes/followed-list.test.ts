import { readFileSync } from 'node:fs';

import { ApiClient } from '../../src/kubernetes/api-client';
import { FollowedList } from '../../src/kubernetes/followed-list';
import { findServiceAccount } from '../../src/kubernetes/service-account';
import { eventually } from '../support/eventually';
import { KubeApi } from '../support/kube-api';
import { RecordingLogger } from '../support/recording-logger';

const PATH = '/apis/dapr.io/v1alpha1/namespaces/prod/components';

describe('a followed list', () => {
  let api: KubeApi;
  let client: ApiClient;
  let list: FollowedList;
  let stop: (() => void) | undefined;
  const logger = new RecordingLogger();
  const onChange = jest.fn();

  beforeEach(async () => {
    api = await KubeApi.start();
    client = new ApiClient(await findServiceAccount(api.environment));
    list = new FollowedList({ client, path: PATH, what: 'components', logger });
    logger.lines.length = 0;
    onChange.mockClear();
  });
  afterEach(async () => {
    stop?.();
    stop = undefined;
    client.close();
    await api.stop();
  });

  const names = async () => (await list.read()).map(({ metadata }) => metadata.name);
  const follow = async () => {
    stop = list.follow(onChange);
    await expectWatch();
  };
  const expectWatch = () =>
    eventually(() => {
      expect(api.watches).toBe(1);
    });
  const expectNames = (expected: readonly string[]) =>
    eventually(async () => {
      expect(await names()).toEqual(expected);
    });
  const lastWatch = () => api.requests.findLast(({ verb }) => verb === 'watch')!;

  it('lists at each reading until it is followed, and then never again', async () => {
    expect(await names()).toEqual([]);
    api.put('components', 'b', {});
    expect(await names()).toEqual(['b']);
    await follow();
    expect(api.count('list', 'components')).toBe(2);
    api.put('components', 'a', {});
    await expectNames(['a', 'b']);
    api.delete('components', 'b');
    await expectNames(['a']);
    expect(onChange).toHaveBeenCalledTimes(2);
    expect(api.count('list', 'components')).toBe(2);
    expect(lastWatch().query.get('allowWatchBookmarks')).toBe('true');
  });

  it('notices at the first watch what changed since the reading', async () => {
    await list.read();
    api.put('components', 'a', {});
    await follow();
    await eventually(() => {
      expect(onChange).toHaveBeenCalled();
    });
    expect(api.count('list', 'components')).toBe(1);
  });

  it('continues a broken watch at the last bookmark, without another list', async () => {
    await list.read();
    await follow();
    api.put('configurations', 'elsewhere', {});
    const version = String(101);
    api.bookmark();
    api.put('components', 'a', {});
    await expectNames(['a']);
    api.bookmark();
    await eventually(() => {
      api.breakWatches();
      expect(Number(lastWatch().query.get('resourceVersion'))).toBeGreaterThan(Number(version));
    });
    await expectWatch();
    expect(api.count('list', 'components')).toBe(1);
    expect(logger.messages('warn')).toEqual([
      expect.stringMatching(
        /^Watching components fails: https:.*\/components: aborted; what was read stays in use$/,
      ),
    ]);
  });

  it.each([
    [
      'by an event',
      (server: KubeApi) => {
        server.expireWatches();
      },
    ],
    [
      'by a status',
      (server: KubeApi) => {
        server.breakWatches();
        server.compact();
      },
    ],
  ])('lists again if its version is gone, told %s', async (_name, expire) => {
    api.put('components', 'old', {});
    await list.read();
    await follow();
    expire(api);
    api.delete('components', 'old');
    api.put('components', 'new', {});
    api.compact();
    await expectNames(['new']);
    await eventually(() => {
      expect(onChange).toHaveBeenCalled();
    });
    await expectWatch();
  });

  describe('with a list whose answer is slow', () => {
    const expectHeld = (count: number) =>
      eventually(() => {
        expect(api.heldLists).toHaveLength(count);
      });

    it.each([
      [
        'deleted',
        [],
        () => {
          api.delete('components', 'a');
        },
      ],
      [
        'modified',
        ['new'],
        () => {
          api.put('components', 'a', { spec: 'new' });
        },
      ],
    ])('keeps what a watch said in the meantime: %s', async (_name, expected, change) => {
      const specs = async () =>
        ((await list.read()) as readonly { readonly spec?: string }[]).map(({ spec }) => spec);
      api.put('components', 'a', { spec: 'old' });
      await list.read();
      await follow();
      api.forbidden.add('watch components');
      api.breakWatches();
      await eventually(() => {
        expect(lastWatch().status).toBe(403);
      });
      api.holdsLists = true;
      const slow = specs();
      await expectHeld(1);
      api.forbidden.clear();
      await expectWatch();
      onChange.mockClear();
      change();
      await eventually(() => {
        expect(onChange).toHaveBeenCalled();
      });
      api.heldLists[0]!();
      expect(await slow).toEqual(expected);
      expect(await specs()).toEqual(expected);
    });

    it('keeps what a later list said', async () => {
      api.holdsLists = true;
      const older = names();
      await expectHeld(1);
      api.put('components', 'a', {});
      const later = names();
      await expectHeld(2);
      api.heldLists[1]!();
      expect(await later).toEqual(['a']);
      api.heldLists[0]!();
      expect(await older).toEqual(['a']);
    });
  });

  it('keeps what it read while the server refuses, and says so once', async () => {
    api.put('components', 'a', {});
    await list.read();
    await follow();
    api.failWith = 500;
    api.breakWatches();
    await eventually(() => {
      expect(api.requests.filter(({ status }) => status === 500).length).toBeGreaterThan(1);
    });
    expect(logger.messages('warn')).toHaveLength(1);
    api.failWith = undefined;
    await expectWatch();
    expect(await names()).toEqual(['a']);
  });

  it('does not ask a server that ends every watch without a pause', async () => {
    await list.read();
    await follow();
    const startedAt = performance.now();
    const ended = setInterval(() => {
      api.expireWatches();
    }, 1);
    await eventually(() => {
      expect(api.count('watch', 'components')).toBeGreaterThan(2);
    });
    clearInterval(ended);
    // Each pause is 125 ms or longer, and each failure doubles it.
    expect(performance.now() - startedAt).toBeGreaterThan(300);
  });

  it('counts a watch that ends at once as a failure, and says so once', async () => {
    await list.read();
    await follow();
    const startedAt = performance.now();
    const ended = setInterval(() => {
      api.endWatches();
    }, 1);
    await eventually(() => {
      expect(api.count('watch', 'components')).toBeGreaterThan(2);
    });
    clearInterval(ended);
    // Pauses of at least 250 and 500 ms. Those that don't grow last 125 to 250 ms each.
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(logger.messages('warn')).toEqual([
      expect.stringMatching(
        /^Watching components fails: https:.*\/components: the watch ended at once;/,
      ),
    ]);
    await eventually(() => {
      expect(logger.messages('info')).toEqual([expect.stringContaining('works again')]);
    });
  });

  // The kernel's list of sockets, which shows their timers, is Linux's.
  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('probes the connection of a silent watch', async () => {
    await list.read();
    await follow();
    // The next watch has a connection of its own, which was never idle.
    api.breakWatches();
    await eventually(() => {
      expect(api.count('watch', 'components')).toBe(2);
    });
    const toServer = `0100007F:${api.port.toString(16).toUpperCase().padStart(4, '0')}`;
    // proc_net_tcp(5): sl local remote state queues timer, which is 02 for keepalive.
    await eventually(() => {
      const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n');
      const fields = rows.map((row) => row.trim().split(/\s+/));
      const connections = fields.filter(
        ([, , remote, state]) => remote === toServer && state === '01',
      );
      expect(connections.map(([, , , , , timer]) => timer?.slice(0, 2))).toContain('02');
    });
  });

  it('sends the token that is mounted now', async () => {
    await list.read();
    await api.rotateToken('second');
    expect(await names()).toEqual([]);
    expect(api.requests.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('repeats a request that a busy server refused', async () => {
    api.failWith = 503;
    const reading = names();
    await eventually(() => {
      expect(api.requests).toHaveLength(2);
    });
    api.failWith = undefined;
    expect(await reading).toEqual([]);
  });

  it('trusts the mounted certificate authority only', async () => {
    const onAnswer = jest.fn();
    const account = await findServiceAccount(api.environment);
    const stranger = new ApiClient({
      ...account,
      caFile: `${__dirname}/../fixtures/tls/renewed.crt`,
    });
    const lines = stranger.lines(PATH, { signal: AbortSignal.timeout(5000), onAnswer });
    await expect(lines.next()).rejects.toThrow(/certificate/);
    stranger.close();
    expect(onAnswer).not.toHaveBeenCalled();
    expect(api.requests).toEqual([]);
  });
});

describe('the service account', () => {
  it('is that of a pod', async () => {
    await expect(findServiceAccount({})).rejects.toThrow('KUBERNETES_SERVICE_HOST is not set');
    const environment = {
      KUBERNETES_SERVICE_HOST: 'h',
      HOLDFAST_SERVICE_ACCOUNT_FOLDER: '/does/not/exist',
    };
    await expect(findServiceAccount(environment)).rejects.toThrow('/does/not/exist/namespace');
    const account = await findServiceAccount({ ...environment, NAMESPACE: 'mine' });
    expect(account).toMatchObject({ host: 'h', port: '443', namespace: 'mine' });
  });
});
