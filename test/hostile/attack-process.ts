import {
  type Attack,
  type AttackNeeds,
  type AttackSize,
  type AttackTarget,
  type Finding,
  LONGEST_ATTACK_MS,
} from './attack';
import { answerCommands } from './child-program';

/** `attack-process.ts LIST NAME`: the process of one attack of a list of them, asked over IPC. */
async function main(): Promise<void> {
  const [list, name] = process.argv.slice(2) as [string, string];
  const { ATTACKS } = (await import(list)) as { readonly ATTACKS: readonly Attack[] };
  const attack = ATTACKS.find((each) => each.name === name)!;
  answerCommands({
    prepare: async (order: { readonly redisPort: number }): Promise<AttackNeeds> =>
      (await attack.prepare?.(order)) ?? {},
    run: (order: RunOrder): Promise<readonly Finding[]> => run(attack, order),
  });
}

interface RunOrder {
  readonly target: AttackTarget;
  readonly size: AttackSize;
}

async function run(attack: Attack, { target, size }: RunOrder): Promise<readonly Finding[]> {
  const signal = AbortSignal.timeout(LONGEST_ATTACK_MS);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error(`the attack was not over after ${LONGEST_ATTACK_MS} ms`));
    });
  });
  return (await Promise.race([attack.run({ target, size, signal }), late])) ?? [];
}

void main();
