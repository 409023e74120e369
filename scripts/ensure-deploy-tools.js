'use strict';
// Runs before `npm run test:deploy`, which renders the Helm chart and checks the GitHub workflows. Helm
// and actionlint are looked for on the PATH, and otherwise built by `go install` into a cache folder, which
// takes minutes once. Without Go, prints what to install.

const { existsSync } = require('node:fs');
const path = require('node:path');

const { findOnPath, installByGo, toolFolder } = require('./find-binary');

/** The versions that are built, and their modules. They are pinned only here. */
const TOOLS = {
  helm: { module: 'helm.sh/helm/v3/cmd/helm', version: 'v3.22.0' },
  actionlint: { module: 'github.com/rhysd/actionlint/cmd/actionlint', version: 'v1.7.12' },
};

/** The path of a built tool. */
function builtPath(name, env) {
  return path.join(toolFolder(env), `${name}-${TOOLS[name].version}`, name);
}

/** The path of a tool. Undefined if it is not installed. */
function findTool(name, env) {
  const built = builtPath(name, env);
  return existsSync(built) ? built : findOnPath(name, env);
}

/** Finds or builds a tool. Undefined if it can't be built. */
function ensureTool(name, env) {
  const { module, version } = TOOLS[name];
  return findTool(name, env) ?? installByGo(`${module}@${version}`, builtPath(name, env), env);
}

function main() {
  const missing = Object.keys(TOOLS).filter((name) => !ensureTool(name, process.env));
  if (missing.length === 0) return;
  const modules = missing.map((name) => `${TOOLS[name].module}@${TOOLS[name].version}`);
  console.error(`The tests of the Helm chart and of the workflows need ${missing.join(' and ')}. Install Go, and by it:
${modules.map((module) => `  go install ${module}`).join('\n')}`);
  process.exitCode = 1;
}

module.exports = { findTool };

if (require.main === module) main();
