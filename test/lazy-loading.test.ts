import { execFileSync } from 'node:child_process';
import path from 'node:path';

const DIST = path.join(__dirname, '../dist');

/** The packages that are loaded once the app can be made, by a process of its own. */
function loadedPackages(): readonly string[] {
  const script = `require(${JSON.stringify(path.join(DIST, 'app.js'))});
    console.log(Object.keys(require.cache).join('\\n'))`;
  const files = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).split('\n');
  return files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
}

describe('what a sidecar does not use', () => {
  it('is not loaded: no tracing, no expressions of policies', () => {
    const packages = loadedPackages();
    expect(packages).toContain('fastify');
    expect(
      packages.filter((name) => /^@(?:opentelemetry\/(?:exporter|sdk)|bufbuild)/.test(name)),
    ).toEqual([]);
  });
});
