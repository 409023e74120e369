import { execFileSync } from 'node:child_process';
import path from 'node:path';

import { testsOf } from './tool-tests';

const { findPromtool } = jest.requireActual<{
  readonly findPromtool: (env: NodeJS.ProcessEnv) => string | undefined;
}>('../../scripts/ensure-promtool.js');

const FOLDER = path.join(__dirname, '../../deploy/prometheus');

const promtool = findPromtool(process.env);
const { held, note } = testsOf({
  path: promtool,
  isRequired: process.env.CI !== undefined,
  missing: 'no promtool here, `npm run test:alerts` installs it',
});

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
