import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { findFreePort } from '../support/free-port';
import { callHttp } from '../support/http-call';
import { ATTACKS } from './attacks';
import { type AttackReport, runAttack } from './hostile-run';
import { toNotes, toTable } from './report';
import { ATTACKS as PROVOCATIONS } from './stand-in/attacks';
import type { StartTarget } from './target';

const RUNNER = path.join(__dirname, '../../scripts/run-typescript.js');
const STAND_IN = path.join(__dirname, 'stand-in/sidecar.ts');

/** Nothing that the stand-in does takes long, but for not to stop. */
const PACE = {
  warmUpMs: 100,
  restMs: 100,
  settleAtLeastMs: 100,
  settleWithinMs: 1000,
  settleAtMostMs: 1000,
};
const STOP_WITHIN_MS = 3000;

const startStandIn: StartTarget = async (findNeeds) => {
  await findNeeds(0);
  const httpPort = await findFreePort();
  const child = spawn(process.execPath, [RUNNER, STAND_IN, String(httpPort)]);
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  const pid = child.pid!;
  const ports = { httpPort, grpcPort: 0, metricsPort: 0, publicPort: 0, redisPort: 0 };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    pid,
    forAttack: { pid, ...ports },
    forProbe: { pid, httpPort },
    exited,
    log: () => '',
    findLocks: async () => {
      const { body } = await callHttp(httpPort, { method: 'GET', path: '/locks' });
      return JSON.parse(body) as string[];
    },
    async stop() {
      const askedAt = performance.now();
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await end('SIGTERM');
      clearTimeout(timer);
      return performance.now() - askedAt;
    },
    remove: () => end('SIGKILL'),
  };
};

function provoke(name: string): Promise<AttackReport> {
  return runAttack(
    PROVOCATIONS.find((attack) => attack.name === name)!,
    {
      size: 'small',
      startTarget: startStandIn,
      list: path.join(__dirname, 'stand-in/attacks.ts'),
      pace: PACE,
    },
  );
}

describe('a run of an attack', () => {
  it('finds nothing where nothing happens, and has measured everything', async () => {
    const report = await provoke('nothing');
    expect(report.broken).toEqual([]);
    expect(Object.keys(report.measures).sort()).toEqual(Object.keys(report.bounds).sort());
    expect(report.probe?.calls).toBeGreaterThan(0);
  });

  it.each([
    ['keep-memory', ['heldMb', 'keptMb']],
    ['hold-memory', ['heldMb']],
    ['stall', ['stallMs']],
    ['hoard-descriptors', ['descriptorsLeft']],
    ['leave-a-lock', ['locksLeft']],
    ['fail-calls', ['failedCalls']],
    ['never-stop', ['stopMs']],
    ['die', ['the sidecar']],
    ['impossible', ['the attack']],
    ['own-finding', ['apples:']],
  ])('catches %s', async (name, broken) => {
    const report = await provoke(name);
    const found = report.broken.map(
      (each) => broken.find((start) => each.startsWith(start)) ?? each,
    );
    expect(found).toEqual(broken);
  });
});

describe('the report', () => {
  const attack = { ...PROVOCATIONS[0]!, bounds: { stallMs: 10, because: 'it may' } };
  const bounds = { peakRssMb: 384, heldMb: 64, keptMb: 64, stallMs: 10, failedCalls: 0 };
  const report: AttackReport = {
    attack,
    bounds: { ...bounds, descriptorsLeft: 0, locksLeft: 0, stopMs: 2000 },
    measures: { stallMs: 11.2, heldMb: 3 },
    findings: [{ what: 'apples', value: 1, atLeast: 1 }],
    probe: undefined,
    broken: ['stallMs 11, at most 10'],
    log: '',
  };

  it('puts each value beside its bound', () => {
    const row = toTable([report]).split('\n')[2];
    expect(row).toMatch(/nothing.*\| 3 \/ 64 .*\| 11 \/ 10 .*\| BROKEN/);
  });

  it('says why a bound is another, and what an attack has measured by itself', () => {
    expect(toNotes([report])).toContain('other bounds: it may');
    expect(toNotes([report])).toContain('apples: 1, at least 1');
  });
});

describe('the list of attacks', () => {
  it('has a name once', () => {
    const names = ATTACKS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
