import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { createScript, type ScriptValues } from '../support/long-run/script-command';
import { runScript, type ScriptRun } from '../support/long-run/script-run';
import { TextServer } from './text-server';

const run = promisify(execFile);

const fixture = (file: string) => readFileSync(path.join(__dirname, '../fixtures/tls', file));

/** The place of the program, as scripts/ensure-h2spec.js finds it. */
function findH2spec(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a script of plain JavaScript
  const { findH2spec: find } = require('../../scripts/ensure-h2spec') as {
    readonly findH2spec: (env: NodeJS.ProcessEnv) => string | undefined;
  };
  return find(process.env) ?? 'h2spec';
}

/** Runs all tests against a server. Returns the summary and, if there are any, the failures. */
async function judge(port: number, more: readonly string[]): Promise<string> {
  const args = ['--strict', '--timeout', '5', '--host', '127.0.0.1', '--port', String(port)];
  const { stdout } = await run(findH2spec(), [...args, ...more]).catch((error: unknown) => {
    // It exits with 1 where a test fails.
    const { stdout: output = '' } = error as { readonly stdout?: string };
    if (output === '') throw error;
    return { stdout: output };
  });
  const at = stdout.lastIndexOf('Failures:');
  return stdout.slice(at === -1 ? stdout.indexOf('Finished in') : at).trim();
}

const command = createScript({
  name: 'test:h2spec',
  description: 'Tests src/http2 by h2spec in strict mode, over plain connections and over TLS.',
  example: '--out /tmp/h2spec',
});

/** Exit code 1 if a test failed or was skipped. */
async function main(_values: ScriptValues, script: ScriptRun): Promise<void> {
  const tls = { cert: fixture('server.crt'), key: fixture('server.key') };
  const kinds = [
    { name: 'plain', server: new TextServer(), args: [] },
    { name: 'TLS', server: new TextServer(tls), args: ['--tls', '--insecure'] },
  ];
  script.begin({ total: kinds.length, unit: 'kinds of connections' });
  for (const [done, { name, server, args }] of kinds.entries()) {
    script.advance(done, name);
    const verdict = await judge(await server.start(), args);
    await server.stop();
    script.print(`${name}: ${verdict}\n`);
    if (!verdict.endsWith(' 0 skipped, 0 failed')) process.exitCode = 1;
  }
}

void runScript(command, main);
