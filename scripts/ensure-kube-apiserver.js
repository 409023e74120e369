'use strict';
// Runs before `npm run test:kubernetes`, which needs a real API server of Kubernetes. It is looked for in
// HOLDFAST_KUBE_APISERVER and on the PATH, and otherwise built from its Go module into a cache folder, which
// takes some minutes once. `go install` refuses the module, because its go.mod replaces others by
// folders of its repository. They are published as well, as v0.X.Y, and so a module of our own names them.

const { spawnSync } = require('node:child_process');
const {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const { findNamed, findOnPath, toolFolder } = require('./find-binary');

/** The version that is built. It is pinned only here. */
const VERSION = 'v1.34.0';

function builtPath(env) {
  return path.join(toolFolder(env), `kube-apiserver-${VERSION}`, 'kube-apiserver');
}

/** The path of an API server. Undefined if there is none. */
function findKubeApiserver(env) {
  if (env.HOLDFAST_KUBE_APISERVER) {
    return findNamed('HOLDFAST_KUBE_APISERVER', 'kube-apiserver', env);
  }
  const built = builtPath(env);
  return existsSync(built) ? built : findOnPath('kube-apiserver', env);
}

/** The text of a go.mod that requires Kubernetes, given that of Kubernetes itself. */
function toGoMod(ofKubernetes) {
  const staged = [...ofKubernetes.matchAll(/^\s*(\S+) => \.\/staging\//gm)].map(([, name]) => name);
  const published = VERSION.replace(/^v1/, 'v0');
  const [go] = /^go .*$/m.exec(ofKubernetes) ?? [];
  return [
    'module holdfast.test/kube-apiserver',
    go,
    `require k8s.io/kubernetes ${VERSION}`,
    ...staged.map((name) => `replace ${name} => ${name} ${published}`),
    '',
  ].join('\n');
}

function build(file, env) {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-kube-apiserver-'));
  const go = (...args) => {
    const { status, stdout, stderr } = spawnSync('go', args, {
      cwd: folder,
      env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`go ${args[0]} failed: ${stderr}`);
    return stdout;
  };
  try {
    const { GoMod } = JSON.parse(go('mod', 'download', '-json', `k8s.io/kubernetes@${VERSION}`));
    writeFileSync(path.join(folder, 'go.mod'), toGoMod(readFileSync(GoMod, 'utf8')));
    const name = 'k8s.io/kubernetes/cmd/kube-apiserver';
    writeFileSync(path.join(folder, 'needed.go'), `package needed\n\nimport _ "${name}"\n`);
    mkdirSync(path.dirname(file), { recursive: true });
    const flags = `-s -w -X k8s.io/component-base/version.gitVersion=${VERSION}`;
    go('build', '-trimpath', '-ldflags', flags, '-o', file, name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main() {
  const { env } = process;
  if (findKubeApiserver(env) !== undefined) return;
  const isBuilt = !env.HOLDFAST_KUBE_APISERVER && findOnPath('go', env) !== undefined;
  if (isBuilt) {
    console.error(`kube-apiserver is missing; building ${VERSION}, which takes some minutes`);
    build(builtPath(env), env);
    return;
  }
  console.error(
    'test:kubernetes needs kube-apiserver. Install Go, which builds it, or set HOLDFAST_KUBE_APISERVER to its path.',
  );
  process.exitCode = 1;
}

module.exports = { findKubeApiserver, toGoMod };

if (require.main === module) main();
