'use strict';
// What the package exports as `holdfast/client`: a CommonJS module, an ES module that hands its
// exports on, and their types.
//
// The ES module is not a second bundle: a program that loads the client both ways would have two of
// each class, and `instanceof` would be false for errors of the other.

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const { bundleClient } = require('./index');

const source = path.join(__dirname, '..', '..', 'src');

/**
 * Writes the client into a folder, which package.json names in `exports`. Returns the files that it consists
 * of.
 */
async function writeClient(folder) {
  mkdirSync(folder, { recursive: true });
  const commonJs = path.join(folder, 'client.js');
  const { text, inputs } = await bundleClient();
  writeFileSync(commonJs, text);
  const names = Object.keys(require(commonJs));
  const esModule = `import client from './client.js';\n\nexport const { ${names.join(', ')} } = client;\n`;
  writeFileSync(path.join(folder, 'client.mjs'), esModule);
  writeDeclarations('client/client', path.join(folder, 'types'));
  const handOn = (from) => `export * from '${from}';\n`;
  writeFileSync(path.join(folder, 'client.d.ts'), handOn('./types/client/client'));
  writeFileSync(path.join(folder, 'client.d.mts'), handOn('./types/client/client.js'));
  return inputs;
}

/** Writes the types of a module and of those that it imports, without checking them: `npm run typecheck` does. */
function writeDeclarations(entry, folder) {
  const ts = require('typescript');
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.CommonJS };
  const known = new Set();
  const write = (module) => {
    if (known.has(module)) return;
    known.add(module);
    const fileName = path.join(source, `${module}.ts`);
    const text = readFileSync(fileName, 'utf8');
    const output = ts.transpileDeclaration(text, { fileName, compilerOptions });
    const [problem] = output.diagnostics ?? [];
    if (problem !== undefined) {
      const reason = ts.flattenDiagnosticMessageText(problem.messageText, '\n');
      throw new Error(`${fileName}: its types can't be written: ${reason}`);
    }
    const file = path.join(folder, `${module}.d.ts`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, output.outputText);
    for (const [, imported] of output.outputText.matchAll(/from '(\.[^']+)'/g)) {
      write(path.posix.join(path.posix.dirname(module), imported));
    }
  };
  write(entry);
}

module.exports = { writeClient };
