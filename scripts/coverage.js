'use strict';
// Runs the tests with coverage of src, including the sidecars that they start, and fails below the
// thresholds. jest measures its own processes. A started `node plain/main.js` writes V8's counts
// (NODE_V8_COVERAGE), which are mapped back to src and merged.

const { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { spawnSync } = require('node:child_process');

const { createCoverageMap } = require('istanbul-lib-coverage');
const { createContext } = require('istanbul-lib-report');
const reports = require('istanbul-reports');
const v8ToIstanbul = require('v8-to-istanbul');

const { testPathIgnorePatterns } = require('../jest.config');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'coverage');
const spawned = path.join(folder, 'spawned');
const plain = path.join(root, 'plain') + path.sep;

/** The minimum coverage of src, in percent. */
const THRESHOLDS = { lines: 95, branches: 90 };

/**
 * Tests of what is not in src. They run with `npm test`, as do those of whole processes: these take half of the time, and
 * add less than one percent.
 */
const OTHERS = ['bench', 'deploy', 'docs', 'e2e', 'faults', 'hostile', 'interop', 'scripts'];

function runJest(args) {
  const jest = require.resolve('jest/bin/jest');
  const coverage = ['--coverage', '--coverageProvider=v8', '--coverageReporters=json'];
  // A file that no test loads counts by the started sidecars alone.
  const sources = [`--coverageDirectory=${folder}`, `--roots=${path.join(root, 'test')}`];
  // An option on the command line replaces the list of the configuration.
  const left = [...testPathIgnorePatterns, ...OTHERS.map((name) => `<rootDir>/test/${name}/`)];
  const ignored = left.map((pattern) => `--testPathIgnorePatterns=${pattern}`);
  const options = [...coverage, ...sources, ...ignored];
  const { status } = spawnSync(process.execPath, [jest, ...options, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, HOLDFAST_COVERAGE_DIR: spawned },
  });
  return status ?? 1;
}

async function addSpawned(map) {
  for (const name of readdirSync(spawned)) {
    const { result } = JSON.parse(readFileSync(path.join(spawned, name), 'utf8'));
    for (const { url, functions } of result) {
      const file = url.startsWith('file:') ? fileURLToPath(url) : url;
      if (!file.startsWith(plain) || !existsSync(file)) continue;
      const converter = v8ToIstanbul(file);
      await converter.load();
      converter.applyCoverage(functions);
      map.merge(converter.toIstanbul());
    }
  }
}

async function main() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(spawned, { recursive: true });
  const status = runJest(process.argv.slice(2));
  const map = createCoverageMap(
    JSON.parse(readFileSync(path.join(folder, 'coverage-final.json'), 'utf8')),
  );
  await addSpawned(map);
  const context = createContext({ dir: folder, coverageMap: map });
  reports.create('text', { skipFull: true }).execute(context);
  reports.create('lcovonly').execute(context);
  const summary = map.getCoverageSummary();
  let failed = status !== 0;
  for (const [kind, least] of Object.entries(THRESHOLDS)) {
    const { pct } = summary[kind];
    console.log(`coverage of src: ${pct} % of ${kind} (at least ${least} %)`);
    if (pct < least) failed = true;
  }
  process.exitCode = failed ? 1 : 0;
}

void main();
