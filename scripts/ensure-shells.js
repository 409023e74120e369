'use strict';
// Runs before `npm run test:shells`, where the scripts of `holdfast completion` complete in zsh and fish. If one is
// missing and apt can install it without a question, installs it. Otherwise prints the command to run.

const { ensureProgram, findOnPath } = require('./find-binary');

const SHELLS = ['zsh', 'fish'];

for (const shell of SHELLS) {
  ensureProgram({
    name: shell,
    package: shell,
    variable: '',
    find: (env) => findOnPath(shell, env),
    toAdvice: () => `The tests of completion need ${shell}. Install it by:
  sudo apt-get install -y ${shell}`,
  });
}
