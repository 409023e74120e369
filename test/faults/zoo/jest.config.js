'use strict';
// Jest on the changed sources of an animal. It also runs the tests that start servers and take long.

const path = require('node:path');

const usual = require('../../../jest.config.js');

const [[pattern, [, options]]] = Object.entries(usual.transform);

/** @type {import('jest').Config} */
module.exports = {
  ...usual,
  transform: { [pattern]: [path.join(__dirname, 'changed-sources.js'), options] },
  testPathIgnorePatterns: ['/node_modules/'],
};
