'use strict';
// Puts what the image adds to its base into a folder, as it is to stand below /:
// node scripts/image/lay-out.js FOLDER NODE
// NODE is the path of Node in the base. The programs name it in their first line, so that they need neither a
// shell nor a PATH.

const { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const [folder, node] = process.argv.slice(2);

const at = (...parts) => {
  const file = path.join(folder, ...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  return file;
};

/**
 * The package's client is for programs beside the sidecar. Commands do without compiled code, which is larger than they
 * are: the sidecar is what is started often.
 */
const LEFT_OUT = /^dist\/(?:client$|commands-.*\.cache$)/;
const isServed = (file) => !LEFT_OUT.test(path.relative(root, file));

cpSync(path.join(root, 'dist'), at('holdfast', 'dist'), { recursive: true, filter: isServed });
cpSync(path.join(root, 'LICENSE'), at('holdfast', 'LICENSE'));
cpSync(path.join(root, 'components', 'lockstore.yaml'), at('components', 'lockstore.yaml'));
for (const program of ['daprd.js', 'healthcheck.js']) {
  const text = readFileSync(path.join(__dirname, program), 'utf8').replace(/^#!.*/, `#!${node}`);
  writeFileSync(at('holdfast', program), text, { mode: 0o755 });
}
symlinkSync('holdfast/daprd.js', at('daprd'));
symlinkSync('../../../holdfast/daprd.js', at('usr', 'local', 'bin', 'holdfast'));
