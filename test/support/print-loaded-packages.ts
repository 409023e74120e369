import '../../src/app/app';

/** Run by a process of its own: the packages that are loaded once an app can be made. */
const packages = Object.keys(require.cache).flatMap(
  (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
);
process.stdout.write([...new Set(packages)].join('\n'));
