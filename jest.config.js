'use strict';

/** @type {import('jest').Config} */
module.exports = {
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] },
  // The image takes a minute: npm run test:image. The page needs a browser: npm run test:page. Servers of etcd
  // and PostgreSQL that die, stop and break take minutes: npm run test:etcd, npm run test:postgresql.
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/image/',
    '<rootDir>/test/page/',
    '<rootDir>/test/etcd/',
    '<rootDir>/test/postgresql/',
  ],
  testTimeout: 20_000,
  maxWorkers: 2,
};
