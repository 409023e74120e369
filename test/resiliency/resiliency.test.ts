import { setTimeout as pause } from 'node:timers/promises';

import type { CancelSignal } from '../../src/base/cancellation';
import { type StoreError, StoreError as Failure } from '../../src/lock/lock-store';
import { parseFile } from '../../src/manifests/manifest-file';
import type { ManifestFile } from '../../src/manifests/manifest-source';
import { Resiliency, type ResiliencyObserver } from '../../src/resiliency/resiliency';
import { RecordingLogger } from '../support/recording-logger';

const fileOf = (text: string, file = 'res.yaml'): ManifestFile => ({
  file,
  text,
  documents: parseFile(file, text),
  problem: undefined,
});

const POLICIES = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: myres}
spec:
  policies:
    timeouts: {short: 40ms, DefaultComponentTimeoutPolicy: 30}
    retries:
      thrice: {policy: constant, duration: 5ms, maxRetries: 3}
      DefaultRetryPolicy: {duration: 1, maxRetries: 1}
    circuitBreakers: {cb: {trip: consecutiveFailures >= 2, timeout: 60s}}
  targets:
    components:
      timed: {outbound: {timeout: short}}
      retried: {outbound: {retry: thrice}}
      broken: {outbound: {retry: thrice, circuitBreaker: cb}}
      inbound: {inbound: {retry: thrice}}
`;

const unavailable = (outcome: StoreError['outcome'] = 'not-applied') =>
  new Failure('away', { kind: 'unavailable', outcome });

describe('Resiliency', () => {
  const { signal } = new AbortController();
  let logger: RecordingLogger;
  let observer: jest.Mocked<ResiliencyObserver>;
  let resiliency: Resiliency;
  beforeEach(() => {
    logger = new RecordingLogger();
    observer = {
      loaded: jest.fn(),
      executed: jest.fn(),
      activated: jest.fn(),
      breakerState: jest.fn(),
      breakerRemoved: jest.fn(),
    };
    resiliency = new Resiliency({ appId: 'myapp', logger, observer });
  });
  const load = (text: string = POLICIES) => {
    resiliency.load([fileOf(text)]);
  };
  /** A call that fails so often before it works. */
  const failingTimes = (times: number, error: Error = unavailable()) => {
    let calls = 0;
    return jest.fn((_signal: CancelSignal): Promise<string> => {
      calls += 1;
      return calls > times ? Promise.resolve('done') : Promise.reject(error);
    });
  };

  it('runs calls once and plainly without policies', async () => {
    const call = failingTimes(1);
    await expect(resiliency.policyOf('lockstore').run(call, signal)).rejects.toThrow('away');
    expect(call).toHaveBeenCalledTimes(1);
  });

  describe('a retry policy', () => {
    it('tries again as often as it says, and says so at the first failure and at the end', async () => {
      load();
      const call = failingTimes(3);
      await expect(resiliency.policyOf('retried').run(call, signal)).resolves.toBe('done');
      expect(call).toHaveBeenCalledTimes(4);
      expect(logger.messages('warn')).toEqual([
        'Error processing operation component[retried] output. Retrying in 5ms…',
      ]);
      expect(logger.messages('info').at(-1)).toBe(
        'Recovered processing operation component[retried] output after 4 attempts',
      );
    });

    it('gives up with the last failure', async () => {
      load();
      const call = failingTimes(9);
      await expect(resiliency.policyOf('retried').run(call, signal)).rejects.toThrow('away');
      expect(call).toHaveBeenCalledTimes(4);
    });

    it.each<[string, readonly StoreError['outcome'][], StoreError['outcome']]>([
      ['unknown where an earlier try may have taken effect', ['unknown', 'not-applied'], 'unknown'],
      ['unknown whichever try it was', ['not-applied', 'unknown', 'not-applied'], 'unknown'],
      ['that of the last try otherwise', ['not-applied'], 'not-applied'],
    ])('gives up with an outcome that is %s', async (_name, outcomes, outcome) => {
      load();
      let tries = 0;
      const call = (): Promise<string> => {
        const last = outcomes.at(-1)!;
        tries += 1;
        return Promise.reject(
          new Failure('away', { kind: 'unavailable', outcome: outcomes[tries - 1] ?? last }),
        );
      };
      const message = outcome === 'unknown' ? 'away, the outcome is unknown' : 'away';
      const run = resiliency.policyOf('retried').run(call, signal);
      await expect(run).rejects.toMatchObject({ kind: 'unavailable', outcome, message });
    });

    it('ends with an unknown outcome where the store is closed after a try that may stand', async () => {
      load();
      const failures = [
        unavailable('unknown'),
        new Failure('the store is closed', { kind: 'closed', outcome: 'not-applied' }),
      ];
      const call = (): Promise<string> => Promise.reject(failures.shift()!);
      const run = resiliency.policyOf('retried').run(call, signal);
      await expect(run).rejects.toMatchObject({ kind: 'closed', outcome: 'unknown' });
    });

    it('does not repeat a defect, nor a call to a store that was closed', async () => {
      load();
      for (const error of [
        new Error('defect'),
        new Failure('closed', { kind: 'closed', outcome: 'not-applied' }),
      ]) {
        const call = failingTimes(1, error);
        await expect(resiliency.policyOf('retried').run(call, signal)).rejects.toBe(error);
        expect(call).toHaveBeenCalledTimes(1);
      }
    });

    it('ends with its caller, in the middle of a pause too', async () => {
      load(POLICIES.replace('duration: 5ms', 'duration: 1h'));
      const caller = new AbortController();
      const call = failingTimes(9);
      const run = resiliency.policyOf('retried').run(call, caller.signal);
      setTimeout(() => {
        caller.abort();
      }, 20);
      await expect(run).rejects.toThrow('away');
      expect(call).toHaveBeenCalledTimes(1);
    });

    it('of kind exponential begins at half a second, give or take half of it', async () => {
      load(POLICIES.replace('policy: constant, duration: 5ms', 'policy: exponential'));
      const startedAt = performance.now();
      await resiliency.policyOf('retried').run(failingTimes(1), signal);
      expect(performance.now() - startedAt).toBeGreaterThan(240);
    });
  });

  describe('a time-out', () => {
    it('ends each try by its signal, whose reason says so', async () => {
      load();
      const run = resiliency.policyOf('timed').run(
        (own) =>
          new Promise((_resolve, reject) => {
            own.addEventListener('abort', () => {
              if (own.reason instanceof Error) reject(own.reason);
            });
          }),
        signal,
      );
      await expect(run).rejects.toThrow('context deadline exceeded');
    });

    it('hands the caller on', async () => {
      load();
      const run = resiliency
        .policyOf('timed')
        .run((own) => Promise.resolve(own.aborted), AbortSignal.abort());
      await expect(run).resolves.toBe(true);
    });
  });

  describe('a circuit breaker', () => {
    it('ends the retries when it opens, and names the outcome that may stand behind', async () => {
      load();
      const run = resiliency
        .policyOf('broken')
        .run(failingTimes(9, unavailable('unknown')), signal);
      await expect(run).rejects.toMatchObject({
        message: 'circuit breaker is open, the outcome is unknown',
        outcome: 'unknown',
      });
      await expect(
        resiliency.policyOf('broken').run(failingTimes(0), signal),
      ).rejects.toMatchObject({ message: 'circuit breaker is open', outcome: 'not-applied' });
      expect(logger.messages('info').at(-1)).toBe(
        'Circuit breaker "cb-broken" changed state from closed to open',
      );
    });

    it('keeps its state when other policies change', async () => {
      load();
      await resiliency
        .policyOf('broken')
        .run(failingTimes(9), signal)
        .catch(() => undefined);
      load(POLICIES.replace('40ms', '50ms'));
      await expect(resiliency.policyOf('broken').run(failingTimes(0), signal)).rejects.toThrow(
        'circuit breaker is open',
      );
    });
  });

  describe('the state of a breaker that is shown', () => {
    const use = { component: 'broken', name: 'myres' };
    const trip = () =>
      resiliency
        .policyOf('broken')
        .run(failingTimes(9), signal)
        .catch(() => undefined);

    it.each([
      ['its policy is gone', POLICIES.replace(', circuitBreaker: cb', '')],
      ['its policy has changed', POLICIES.replace('timeout: 60s', 'timeout: 50s')],
    ])('is taken back where %s', async (_what, text) => {
      load();
      await trip();
      expect(observer.breakerState.mock.lastCall).toEqual([use, 'open']);
      load(text);
      expect(observer.breakerRemoved.mock.calls).toEqual([[use]]);
    });

    it('is taken back where its component is gone, and begins anew with it', async () => {
      load();
      await trip();
      resiliency.keepOnly(['other', 'broken']);
      expect(observer.breakerRemoved.mock.calls).toEqual([]);
      resiliency.keepOnly(['other']);
      expect(observer.breakerRemoved.mock.calls).toEqual([[use]]);
      await resiliency.policyOf('broken').run(failingTimes(0), signal);
      expect(observer.breakerState.mock.lastCall).toEqual([use, 'closed']);
    });

    it('goes by the new name where the document is renamed, and so do its changes', async () => {
      const renamed = { ...use, name: 'other' };
      load(POLICIES.replace('timeout: 60s', 'timeout: 1ms'));
      await trip();
      load(POLICIES.replace('timeout: 60s', 'timeout: 1ms').replace('myres', 'other'));
      expect(observer.breakerRemoved.mock.calls).toEqual([[use]]);
      expect(observer.breakerState.mock.lastCall?.[0]).toEqual(renamed);
      expect(observer.breakerState.mock.lastCall?.[1]).not.toBe('closed');
      await pause(5);
      await resiliency.policyOf('broken').run(failingTimes(0), signal);
      expect(observer.breakerState.mock.lastCall).toEqual([renamed, 'closed']);
      expect(observer.activated.mock.lastCall?.[0]).toMatchObject(renamed);
      resiliency.keepOnly([]);
      expect(observer.breakerRemoved.mock.calls).toEqual([[use], [renamed]]);
    });

    it('is not shown again by a call that began before', async () => {
      load();
      const old = resiliency.policyOf('broken');
      load(POLICIES.replace(', circuitBreaker: cb', ''));
      observer.breakerState.mockClear();
      await old.run(failingTimes(9), signal).catch(() => undefined);
      expect(observer.breakerState.mock.calls).toEqual([]);
    });
  });

  describe('a component without a target', () => {
    it('has the defaults by name, most specific first', async () => {
      load();
      const call = failingTimes(1);
      await expect(resiliency.policyOf('other').run(call, signal)).resolves.toBe('done');
      expect(observer.executed.mock.calls.map(([{ policy }]) => policy)).toEqual([
        'timeout',
        'retry',
      ]);
    });

    it('has none once it has any target, even for the other direction', async () => {
      load();
      const call = failingTimes(1);
      await expect(resiliency.policyOf('inbound').run(call, signal)).rejects.toThrow('away');
    });
  });

  describe('a document', () => {
    it('is named when it is loaded', () => {
      load();
      expect(logger.messages('info')).toEqual(['Loading Resiliency configuration: myres']);
      expect(resiliency.names).toEqual(['myres']);
      expect(observer.loaded.mock.calls).toEqual([[['myres']]]);
    });

    it('that names what is not defined is warned about, and runs without it', async () => {
      load(POLICIES.replace('circuitBreaker: cb', 'circuitBreaker: nope'));
      expect(logger.messages('warn')).toEqual([
        'res.yaml: component broken names the circuitBreaker policy "nope", which is not defined; it runs without this policy (defined: cb)',
      ]);
      await expect(resiliency.policyOf('broken').run(failingTimes(3), signal)).resolves.toBe(
        'done',
      );
    });

    it.each(['2147483647', '-2147483648'])('may count up to an int32: %s', (maxRetries) => {
      load(POLICIES.replace('maxRetries: 3', `maxRetries: ${maxRetries}`));
      expect(logger.messages('error')).toEqual([]);
    });

    it.each(['2147483648', '-2147483649', '1.5'])('may not count up to %s', (maxRetries) => {
      load(POLICIES.replace('maxRetries: 3', `maxRetries: ${maxRetries}`));
      expect(logger.messages('error').join()).toContain(`invalid number "${maxRetries}"`);
    });

    it('for another app does not count', () => {
      load(`${POLICIES}scopes: [other]\n`);
      expect(resiliency.names).toEqual([]);
    });

    it('that is not the first of its file does not count, as in daprd, and is warned about', () => {
      load(`kind: Component\n---${POLICIES}`);
      expect(resiliency.names).toEqual([]);
      expect(logger.messages('warn')).toHaveLength(1);
    });

    it('that is broken is named with every problem, and the one before stays', async () => {
      load();
      load(POLICIES.replace('40ms', 'soon').replace('maxRetries: 3', 'maxRetries: many'));
      const [problem] = logger.messages('error');
      expect(problem).toMatch(
        /res\.yaml:7:23 spec\.policies\.timeouts\.short: invalid duration "soon"/,
      );
      expect(problem).toMatch(
        /maxRetries: invalid number "many".*its previous contents stay in use$/s,
      );
      await expect(resiliency.policyOf('retried').run(failingTimes(3), signal)).resolves.toBe(
        'done',
      );
    });

    it('that is broken is named once, and again where it was right in between', () => {
      const broken = POLICIES.replace('40ms', 'soon');
      for (const text of [broken, broken, POLICIES, broken]) load(text);
      expect(logger.messages('error')).toHaveLength(2);
      expect(resiliency.load([fileOf(broken)])).toBe(false);
      expect(resiliency.load([fileOf(POLICIES)])).toBe(true);
    });

    it('whose file is broken stays in use, which is said', async () => {
      load();
      const file = { ...fileOf(''), problem: 'res.yaml: the file is empty' };
      for (let reading = 0; reading < 2; reading += 1) expect(resiliency.load([file])).toBe(false);
      expect(logger.messages('error')).toEqual([
        'Could not read resiliency policy: res.yaml: the file is empty; its previous contents stay in use',
      ]);
      await expect(resiliency.policyOf('retried').run(failingTimes(3), signal)).resolves.toBe(
        'done',
      );
    });

    it('of the same name as an earlier one overrides its policies', async () => {
      resiliency.load([
        fileOf(POLICIES, 'a.yaml'),
        fileOf(
          'kind: Resiliency\nmetadata: {name: more}\nspec: {policies: {retries: {thrice: {maxRetries: 0}}}}\n',
          'b.yaml',
        ),
      ]);
      await expect(resiliency.policyOf('retried').run(failingTimes(1), signal)).rejects.toThrow(
        'away',
      );
    });
  });
});
