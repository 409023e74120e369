import { readFileSync } from 'node:fs';
import path from 'node:path';

import { StreamsFullError } from '../../src/api/event-streams';
import { FLAGS } from '../../src/command-line/flags';
import { httpErrors } from '../../src/http/http-errors';
import { lockErrors } from '../../src/lock/lock-errors';
import { upstreamErrors } from '../../src/upstream/upstream-error';
import { ETCD_ERRORS } from '../../src/stores/etcd/etcd-errors';
import { POSTGRESQL_ERRORS } from '../../src/stores/postgresql/postgresql-errors';
import { REDIS_PROPERTIES } from '../../src/stores/redis/redis-properties';

/** The tables of a page, or of its part under a heading: each row its cells, without the marks of code. */
function readRows(page: string, heading = ''): readonly (readonly string[])[] {
  const text = readFileSync(path.join(__dirname, '../../docs', page), 'utf8');
  const [, part = ''] = text.split(`${heading}\n`);
  return (heading === '' ? text : part.split('\n#')[0]!)
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('| ---') && !line.startsWith('|--'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
}

describe('docs/flags.md', () => {
  const rows = readRows('flags.md').filter(([name]) => name?.startsWith('--'));

  it('has every flag with its kind, default and meaning, and no other', () => {
    const flags = Object.entries(FLAGS).map(([name, flag]) => [
      `--${name}`,
      flag.kind,
      flag.default,
      flag.meaning,
    ]);
    expect([...rows].sort()).toEqual(flags.sort());
  });
});

describe('docs/configuration.md', () => {
  it('has every property of lock.redis with its effect, and no other', () => {
    const effects = new Set<string>(Object.values(REDIS_PROPERTIES));
    const rows = readRows('configuration.md').filter(([, effect]) => effects.has(effect ?? ''));
    expect(rows.map(([name, effect]) => [name, effect]).sort()).toEqual(
      Object.entries(REDIS_PROPERTIES).sort(),
    );
  });
});

describe('docs/errors.md', () => {
  // A deadline exists over gRPC only, and the end of streams at a stop has the code of the first.
  const upstreamFailures = [
    upstreamErrors.unavailable('ENDPOINT', 'REASON'),
    upstreamErrors.lost('ENDPOINT', 'REASON'),
    upstreamErrors.garbled('ENDPOINT', 'REASON'),
    upstreamErrors.overloaded(1000),
  ];
  const rows = readRows('errors.md').filter(([code]) => code?.startsWith('ERR_'));

  it('has every row of the lock catalogue, in order, and no other', () => {
    const catalogue = [
      lockErrors.expiryNotPositive('STORE'),
      lockErrors.storesNotConfigured(),
      lockErrors.resourceIdEmpty('STORE'),
      lockErrors.lockOwnerEmpty('STORE'),
      lockErrors.storeNotFound('STORE'),
      lockErrors.overloaded(1000),
      lockErrors.tryLockFailed('REASON', undefined),
      lockErrors.unlockFailed('REASON', undefined),
      lockErrors.valueNotAllowed('STORE', 'REASON'),
      lockErrors.unsupported('STORE', 'REASON'),
      lockErrors.tooManyWaits(10_000),
      lockErrors.tooManyHolds(10_000),
      lockErrors.storeUnavailable('TASK', 'REASON', undefined),
      lockErrors.storeFailed('TASK', 'REASON', undefined),
      lockErrors.outcomeUnknown('TASK', 'REASON', undefined),
      lockErrors.stopping('REASON'),
      lockErrors.storeRemoved('STORE'),
      lockErrors.callerGone(),
    ];
    expect(catalogue).toHaveLength(Object.keys(lockErrors).length);
    const documented = rows.filter(([, , grpcCode]) => grpcCode !== '–');
    expect(documented.map((cells) => cells.slice(0, 4))).toEqual(
      catalogue.map(({ errorCode, httpStatus, grpcCode, message }) => [
        errorCode,
        String(httpStatus),
        grpcCode,
        message,
      ]),
    );
  });

  it('has every row of the HTTP catalogue, and no other', () => {
    const catalogue = [
      httpErrors.bodyUnreadable('REASON'),
      httpErrors.bodiesOverloaded(),
      httpErrors.bodyMalformed('REASON'),
      httpErrors.queryMalformed('REASON'),
      httpErrors.bodyNotJson(),
      httpErrors.eventsNotAccepted(),
      httpErrors.jsonNotAccepted(),
      httpErrors.lockNotHeld(),
      httpErrors.notRouted(),
      httpErrors.notReady(['TARGETS']),
      httpErrors.outboundNotReady(),
      httpErrors.appIdMismatch(),
      httpErrors.metadataFull(),
      httpErrors.streamsFull(new StreamsFullError(20_000, 'sidecar')),
      httpErrors.foreignOrigin('ORIGIN'),
      ...upstreamFailures.map(httpErrors.upstream),
      httpErrors.internal('cause'),
    ];
    const rowsOfUpstream = upstreamFailures.length - 1;
    expect(catalogue).toHaveLength(Object.keys(httpErrors).length + rowsOfUpstream);
    const documented = rows.filter(([, , grpcCode]) => grpcCode === '–');
    expect(documented.map(([code, status, , message]) => [code, status, message])).toEqual(
      catalogue.map(({ errorCode, httpStatus, message }) => [
        errorCode,
        String(httpStatus),
        message,
      ]),
    );
  });

  it('has every reason of lock.postgresql with its SQLSTATEs, and no other', () => {
    const states = new Map<string, { kind: string; states: string[] }>();
    for (const [state, { meaning, kind }] of Object.entries(POSTGRESQL_ERRORS)) {
      const row = states.get(meaning) ?? { kind, states: [] };
      states.set(meaning, { kind, states: [...row.states, state].sort() });
    }
    const [, ...documented] = readRows('errors.md', '### Reasons of `lock.postgresql`');
    expect(documented.map((cells) => cells.slice(0, 3)).sort()).toEqual(
      [...states]
        .map(([meaning, row]) => [meaning, row.states.join(', '), toFinal(row.kind)])
        .sort(),
    );
  });

  it('has every reason of lock.etcd, and no other', () => {
    const [, ...documented] = readRows('errors.md', '### Reasons of `lock.etcd`');
    expect(documented.map((cells) => cells.slice(0, 2))).toEqual(
      ETCD_ERRORS.map(([, { meaning, kind }]) => [meaning, toFinal(kind)]),
    );
  });
});

/** What ends a start at once. */
function toFinal(kind: string): string {
  return kind === 'rejected' ? 'yes' : '';
}
