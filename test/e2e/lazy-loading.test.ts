import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');

/** Libraries that few sidecars use. */
const ON_DEMAND =
  /^@(?:bufbuild\/|redis\/|grpc\/reflection|opentelemetry\/(?:core|exporter|resources|sdk))|^redis$|^pg(?:-|$)|^grpc-health-check/;

describe('what a sidecar does not use', () => {
  it('is not loaded: no tracing, no expressions of policies, no driver of a store, no reflection', () => {
    const program = ['scripts/run-typescript.js', 'test/support/print-loaded-packages.ts'];
    const options = { cwd: ROOT, encoding: 'utf8' } as const;
    const packages = execFileSync(process.execPath, program, options).split('\n');
    expect(packages).toContain('fastify');
    expect(packages.filter((name) => ON_DEMAND.test(name))).toEqual([]);
  });

  it('is not part of the bundle where it is large', () => {
    const bundle = readFileSync(path.join(ROOT, 'dist/holdfast.js'), 'utf8');
    expect(bundle).toContain('node_modules/fastify');
    expect(bundle).not.toMatch(
      /node_modules\/(?:@(?:bufbuild|opentelemetry\/(?:exporter|sdk))|pg\/)|src\/stores\/etcd\//,
    );
  });
});
