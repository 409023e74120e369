'use strict';
// Makes an image that stands for the base that the Dockerfile names: Debian's smallest system, Node and npm at the
// versions of the real one from npm's registry, and its user. It has the certificate authorities and npm's
// settings of this machine, so that a build works behind the same proxies. It is kept, and made again when
// anything that goes into it changes.

const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { ensureNode } = require('../ensure-node');
const { configOf, imageOf } = require('./buildah');

const SUITE = 'bookworm';
// Node 26 is linked with it.
const INCLUDED = ['--include=libatomic1'];
const NPM_VERSION = '11.19.1';
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** The label with the hash of what an image was made of. */
const INPUTS = 'dev.holdfast.inputs';

/** The name under which buildah finds the base of a Dockerfile. */
function baseName(major) {
  return `docker.io/library/node:${major}-slim`;
}

/** Provides the base for a major version of Node, and one with no shell beside it. Returns both names. */
function ensureBases(major) {
  const base = baseName(major);
  const bare = `localhost/holdfast-no-shell:${major}`;
  const node = ensureNode(major, process.env);
  const files = [AUTHORITIES, path.join(__dirname, 'base.js')];
  const inputs = hashOf([node, NPM_VERSION, SUITE, npmSettings(), ...files.map(read)]);
  if (configOf(base)?.Labels?.[INPUTS] !== inputs) makeBase(base, { node, inputs });
  if (configOf(bare)?.Labels?.[INPUTS] !== inputs) makeBare(bare, { node, inputs });
  return { base, bare };
}

function makeBase(name, { node, inputs }) {
  console.error(`making a base that stands for ${name}`);
  const config = ['--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  imageOf(name, [...config, '--cmd', 'node', '--label', `${INPUTS}=${inputs}`], (root) => {
    run('debootstrap', '--variant=minbase', ...INCLUDED, SUITE, root, ...debianMirrors());
    copyInto(root, node, 'usr/local/bin/node');
    copyInto(root, AUTHORITIES, AUTHORITIES);
    writeInto(root, 'usr/local/etc/npmrc', npmSettings());
    const global = [
      '--global',
      '--prefix',
      path.join(root, 'usr/local'),
      '--no-audit',
      '--no-fund',
    ];
    run('npm', 'install', ...global, `npm@${NPM_VERSION}`);
    run('chroot', root, 'useradd', '--uid', '1000', '--create-home', 'node');
    for (const left of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man'])
      fs.rmSync(path.join(root, left), { recursive: true, force: true });
  });
}

/** Node and the libraries that it is linked with, as in an image that is called distroless. */
function makeBare(name, { node, inputs }) {
  imageOf(name, ['--label', `${INPUTS}=${inputs}`], (root) => {
    copyInto(root, node, 'nodejs/bin/node');
    const libraries = execFileSync('ldd', [node], { encoding: 'utf8' });
    for (const [file] of libraries.matchAll(/\/\S+\.so\S*/g)) copyInto(root, file, file);
  });
}

function copyInto(root, from, to) {
  const file = path.join(root, to);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.copyFileSync(from, file);
}

function writeInto(root, to, text) {
  const file = path.join(root, to);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** Where this machine has Debian's packages from. Empty if it does not say: debootstrap knows a place itself. */
function debianMirrors() {
  const format = ['--format', '$(CODENAME) $(REPO_URI)', 'Created-By: Packages'];
  const lines = execFileSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' }).split(
    '\n',
  );
  const found = lines.map((line) => line.split(' ')).find(([codename]) => codename === SUITE);
  return found === undefined ? [] : found.slice(1, 2);
}

/** Which registry npm asks, and whom it trusts. No credentials: the base is kept. */
function npmSettings() {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  return `registry=${registry}\ncafile=${AUTHORITIES}\nupdate-notifier=false\n`;
}

function run(file, ...args) {
  // What debootstrap says is of use only where it fails.
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function read(file) {
  return fs.readFileSync(file, 'utf8');
}

function hashOf(texts) {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 16);
}

module.exports = { ensureBases };
