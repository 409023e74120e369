import { type Command, Option } from 'commander';

import type * as check from '../check/check-manifests';
import { toErrorMessage } from '../base/error-message';
import { toVisible } from '../observability/visible-text';
import { EXIT } from './exit-codes';
import { openLocks } from './open-locks';
import { oneMore } from './option-values';
import { addCommand, addRequired, type CommandContext, type Plan } from './program';

interface CheckCommandOptions {
  readonly components: readonly string[];
  readonly config?: readonly string[];
  readonly connect?: true;
  readonly appId: string;
}

/** Adds `holdfast check`, for CI pipelines and init containers. */
export function addCheck(program: Command, context: CommandContext, plan: Plan): void {
  const command = addCommand(
    program,
    'check',
    'say everything that is wrong in component files and configurations',
  );
  const folders = new Option(
    '--components <folder>',
    'folder with component files; can be repeated',
  );
  addRequired(command, folders.argParser(oneMore))
    .option('--config <file>', 'configuration; can be repeated', oneMore)
    .option('--connect', 'also connect to each lock store, with its secrets')
    .option('--app-id <id>', 'app id for --connect', 'holdfast')
    .addHelpText('after', '\nExit codes: 0 nothing is wrong, 1 something is, 64 usage.')
    .action((options: CheckCommandOptions) => {
      plan(() => runCheck(options, context));
    });
}

async function runCheck(
  { components: folders, config: configFiles = [], connect, appId }: CheckCommandOptions,
  { stdout, env }: CommandContext,
): Promise<number> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- other commands don't need it
  const { checkManifests } = require('../check/check-manifests') as typeof check;
  const { problems, components } = await checkManifests({ folders, configFiles, environment: env });
  const all = [...problems];
  const isWhole = problems.length === 0;
  for (const { name, type } of connect === true && isWhole ? components : []) {
    if (type.startsWith('lock.')) all.push(...(await tryToOpen({ store: name, folders, appId })));
  }
  for (const problem of all) stdout.write(toVisible(`${problem}\n`));
  if (all.length > 0) return EXIT.no;
  const names = components.map(({ name }) => name).join(', ');
  stdout.write(toVisible(`nothing is wrong (components: ${names === '' ? 'none' : names})\n`));
  return EXIT.ok;
}

async function tryToOpen(options: {
  readonly store: string;
  readonly folders: readonly string[];
  readonly appId: string;
}): Promise<readonly string[]> {
  const { store, folders: components, appId } = options;
  try {
    const locks = await openLocks({ store, components, appId }, () => undefined);
    await locks.close();
    return [];
  } catch (error) {
    return [toErrorMessage(error)];
  }
}
