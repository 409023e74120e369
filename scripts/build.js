'use strict';
// Compiles src to dist. The old dist is removed first, so that a file deleted from src
// cannot live on in the image.

const { rmSync, chmodSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const root = path.join(__dirname, '..');
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const tsc = require.resolve('typescript/bin/tsc', { paths: [root] });
const result = spawnSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
});
if (result.status === 0) chmodSync(path.join(root, 'dist', 'main.js'), 0o755);
process.exitCode = result.status ?? 1;
