'use strict';
// Loaded into a sidecar before its own code (node --require): each second it adds a line to the file of its process id
// in the folder HOLDFAST_HEAP_FOLDER. The line has the bytes of V8's heap, and of what its objects hold outside of it.

const { appendFileSync } = require('node:fs');
const path = require('node:path');
const { setInterval } = require('node:timers');

const EVERY_MS = 1000;

const file = path.join(process.env.HOLDFAST_HEAP_FOLDER, `heap-${process.pid}`);
const report = () => {
  const { heapUsed, external } = process.memoryUsage();
  appendFileSync(file, `${heapUsed} ${external}\n`);
};
report();
setInterval(report, EVERY_MS).unref();
