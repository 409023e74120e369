'use strict';
// Tells how much of src the tests have run in their own processes, room by room, from what `jest --coverage`
// has written, and fails below the thresholds. Whoever runs all tests has it for nothing: their code is counted
// as it is compiled (jest's provider `babel`), while V8's counts double their time. `npm run coverage` takes
// those, which know the started sidecars too.

const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const { createCoverageMap, createCoverageSummary } = require('istanbul-lib-coverage');

const root = path.join(__dirname, '..');
const SOURCES = path.join(root, 'src') + path.sep;

/** A folder for each run of jest: `tests` is that of `npm test`, others add to it. */
const RUNS = path.join(root, 'coverage/in-process');

/**
 * The minimum, in percent of the lines that have code and of all branches. What runs only in a process of its
 * own, such as src/main.ts and most of src/app/ and src/commands/, counts as not run.
 */
const THRESHOLDS = { lines: 84, branches: 76 };

function readMap() {
  const map = createCoverageMap({});
  const runs = readdirSync(RUNS);
  if (!runs.includes('tests')) throw new Error('run `npm test -- --coverage` first');
  for (const run of runs) {
    map.merge(JSON.parse(readFileSync(path.join(RUNS, run, 'coverage-final.json'), 'utf8')));
  }
  console.log(`coverage by ${runs.join(', ')}:`);
  return map;
}

/** Summaries by room: the folder of src, or the file that lies in none. */
function byRoom(map) {
  const rooms = new Map();
  for (const file of map.files()) {
    const [room] = file.replace(SOURCES, '').split(path.sep);
    const summary = rooms.get(room) ?? createCoverageSummary();
    summary.merge(map.fileCoverageFor(file).toSummary());
    rooms.set(room, summary);
  }
  return [...rooms].sort(([one], [other]) => one.localeCompare(other));
}

function main() {
  const map = readMap();
  for (const [room, { lines, branches }] of byRoom(map)) {
    console.log(
      `${room.padEnd(16)} ${lines.pct} % of ${lines.total} lines, ${branches.pct} % of ${branches.total} branches`,
    );
  }
  console.log('page             not counted: it runs in a browser (npm run test:page)');
  const summary = map.getCoverageSummary();
  for (const [kind, least] of Object.entries(THRESHOLDS)) {
    const { pct } = summary[kind];
    console.log(
      `coverage of src in the tests' own processes: ${pct} % of ${kind} (at least ${least} %)`,
    );
    if (pct < least) process.exitCode = 1;
  }
}

main();
