'use strict';

const path = require('node:path');

/** @type {import('jest').Config} */
module.exports = {
  rootDir: __dirname,
  // Sources that no test loads are counted as not run.
  roots: ['<rootDir>/test', '<rootDir>/src'],
  testMatch: ['**/*.test.ts'],
  // Node's, which names a file that leaves something open.
  testEnvironment: '<rootDir>/test/support/closing-environment.ts',
  // Types are removed but not checked; `npm run typecheck` checks them. The compiler itself needs 25 times as long for it.
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' } }],
  },
  // What takes a library long to make is made once in a test file, and not for each server and client.
  moduleNameMapper: {
    '^redis$': '<rootDir>/test/support/shared/node-redis.js',
    '^@grpc/proto-loader$': '<rootDir>/test/support/shared/proto-loader.js',
  },
  // The image takes a minute: npm run test:image. The page needs a browser: npm run test:page. Servers of etcd
  // and PostgreSQL, and Redis Clusters, that die, stop and break take minutes: npm run test:etcd,
  // npm run test:postgresql, npm run test:cluster. A real API server of Kubernetes takes minutes to build:
  // npm run test:kubernetes.
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/image/',
    '<rootDir>/test/page/',
    '<rootDir>/test/etcd/',
    '<rootDir>/test/kubernetes/real/',
    '<rootDir>/test/cluster/',
    '<rootDir>/test/postgresql/',
  ],
  testTimeout: 20_000,
  // Tests wait for most of their time, also where there are two processors; with three, times are missed.
  maxWorkers: 2,
  // Of `--coverage`: scripts/coverage-in-process.js reads it. The page runs in a browser.
  coverageProvider: 'babel',
  collectCoverageFrom: ['src/**/*.ts', '!src/page/**'],
  coverageDirectory: path.join(__dirname, 'coverage/in-process/tests'),
  coverageReporters: ['json'],
};
