import { execFileSync } from 'node:child_process';
import path from 'node:path';

const { findPromtool } = jest.requireActual<{
  readonly findPromtool: (env: NodeJS.ProcessEnv) => string | undefined;
}>('../../scripts/ensure-promtool.js');

const FOLDER = path.join(__dirname, '../../deploy/prometheus');

// A machine without Prometheus is told what is left out; continuous integration has it or fails.
const promtool = findPromtool(process.env);
const isLeftOut = promtool === undefined && process.env.CI === undefined;
const held = isLeftOut ? it.skip : it;
const note = isLeftOut ? ' (left out: no promtool here, `npm run test:alerts` installs it)' : '';

describe('the alert rules, by promtool', () => {
  const run = (...args: readonly string[]): string => {
    if (promtool === undefined) throw new Error('promtool is missing: npm run test:alerts');
    return execFileSync(promtool, args, { cwd: FOLDER, encoding: 'utf8' });
  };

  held(`are rules that Prometheus takes${note}`, () => {
    expect(run('check', 'rules', 'alerts.yaml')).toContain('SUCCESS: 12 rules found');
  });

  held(`fire when they should, by app and store, and only then${note}`, () => {
    expect(run('test', 'rules', 'alerts.test.yaml')).toContain('SUCCESS');
  });
});
