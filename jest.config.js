'use strict';

/** @type {import('jest').Config} */
module.exports = {
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] },
  // The image takes a minute: npm run test:docker.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/docker/'],
  testTimeout: 20_000,
  maxWorkers: 2,
};
