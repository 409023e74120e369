import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import type { InteropProgram } from '../../interop/client';
import type { CommandLine } from '../../interop/process-group';
import { runCommand } from '../../interop/run-command';
import {
  createScript,
  oneMore,
  ScriptUsageError,
  type ScriptValues,
} from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { type PieceSize, SplittingProxy } from '../splitting-proxy';
import {
  createTestServiceTransport,
  MAX_MESSAGE_BYTES,
  MAX_STREAMS,
} from '../test-service-transport';
import { STACKS } from './programs';

/** The length of the fields around the payload of the longest message, in bytes, and some more. */
const FIELDS_BYTES = 64;

/** Bytes that pass one by one at first: settings, heads and first messages of many streams. */
const SINGLE_BYTES = 20_000;

/** The longest piece after them, in bytes: longer than a frame, and than two. */
const LONGEST_PIECE = 50_000;

/** Single bytes, and then pieces of all lengths. */
const CUT: PieceSize = (passed) =>
  passed < SINGLE_BYTES ? 1 : 1 + ((passed * 7919) % LONGEST_PIECE);

interface StacksValues extends ScriptValues {
  readonly stack?: readonly string[];
}

const command = createScript({
  name: 'test:grpc-stacks',
  description: `Calls our own HTTP/2 by the gRPC of Go, Java, Python and Node: ${MAX_STREAMS} streams at a time and messages of 4 MiB, directly and through a proxy that cuts and joins what passes.`,
  example: '--stack go --stack java',
}).option('--stack <name>', 'only this one; can be repeated', oneMore);

/** Exit code 1 if a client fails, or can't be built. */
async function main({ stack: names }: StacksValues, script: ScriptRun): Promise<void> {
  const stacks = selectStacks(names);
  script.begin({ total: stacks.length, unit: 'clients' });
  for (const [done, stack] of stacks.entries()) {
    script.advance(done, stack.name);
    for (const [how, verdict] of await tryStack(stack)) {
      if (verdict !== 'passed') process.exitCode = 1;
      script.print(`${stack.name} ${stack.version}, ${how}: ${verdict}\n`);
    }
  }
}

function selectStacks(names: readonly string[] | undefined): readonly InteropProgram[] {
  const unknown = names?.filter((name) => !STACKS.some(({ folder }) => folder === name)) ?? [];
  if (unknown.length > 0) {
    const known = STACKS.map(({ folder }) => folder).join(', ');
    throw new ScriptUsageError(`no stack ${unknown.join(', ')}; there are ${known}`);
  }
  return STACKS.filter(({ folder }) => names?.includes(folder) ?? true);
}

/** The verdict on a client, by how it was connected. */
async function tryStack(stack: InteropProgram): Promise<readonly (readonly [string, string])[]> {
  const transport = createTestServiceTransport();
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  const proxy = new SplittingProxy(port, CUT);
  try {
    const program = await build(stack);
    return [
      ['direct', await run(program, port)],
      ['cut into pieces', await run(program, await proxy.listen())],
    ];
  } catch (error) {
    return [['built', toFailure(error)]];
  } finally {
    proxy.close();
    await transport.close();
  }
}

async function build(stack: InteropProgram): Promise<CommandLine> {
  const caches = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  const name = `${stack.folder}-${stack.version}`;
  const folder = path.join(caches, 'holdfast', 'grpc-stacks', name);
  await mkdir(folder, { recursive: true });
  return stack.prepare(folder, (part) => runCommand(part));
}

async function run(program: CommandLine, port: number): Promise<string> {
  const args = [port, MAX_STREAMS, MAX_MESSAGE_BYTES - FIELDS_BYTES].map(String);
  try {
    const { stdout } = await runCommand({ ...program, args: [...program.args, ...args] });
    return stdout.trim() === 'ok' ? 'passed' : `FAILED: it printed ${stdout}`;
  } catch (error) {
    return toFailure(error);
  }
}

function toFailure(error: unknown): string {
  return `FAILED: ${error instanceof Error ? error.message : String(error)}`;
}

void runScript(command, main);
