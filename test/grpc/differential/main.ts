import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';

import {
  countOption,
  createScript,
  drawSeed,
  type ScriptValues,
  seedOption,
} from '../../support/long-run/script-command';
import { runScript, type ScriptRun } from '../../support/long-run/script-run';
import { GrpcFixture } from '../grpc-fixture';
import { SINGLE_BYTES, SplittingProxy } from '../splitting-proxy';
import { type RawAnswer, RawClient } from './answers';
import { MOST_MESSAGE_BYTES, type RawCall, RAW_CALLS, TOKEN } from './calls';
import { mayDiffer } from './exclusions';

interface DifferentialValues extends ScriptValues {
  readonly conversations: number;
  readonly seed?: number;
  readonly split?: true;
}

/** Conversations of one seed, for which both servers and connections are new. */
const A_SEED = 1000;

/** Seeds at a time. */
const AT_ONCE = 8;

/** Differences after which there is no point in going on. */
const MOST_TOLD = 10;

const CONVERSATIONS = fc.array(RAW_CALLS, { minLength: 1, maxLength: 4 });

const command = createScript({
  name: 'test:grpc-differential',
  description:
    'Random calls to both gRPC servers, grpc-js and our own: their answers must be alike.',
  example: '--conversations 10000 --seed 7',
})
  .addOption(
    countOption('--conversations <number>', 'how many, of 1 to 4 calls at a time').default(1000),
  )
  .addOption(seedOption())
  .option('--split', 'behind a proxy that puts every byte into a TCP segment of its own');

/** Exit code 1 where answers differ. */
async function main(values: DifferentialValues, script: ScriptRun): Promise<void> {
  const { conversations: total, seed: first = drawSeed(), split = false } = values;
  script.begin({ total, unit: 'conversations' });
  let [begun, done, calls, different, seed] = [0, 0, 0, 0, first];
  const compareSeeds = async () => {
    while (begun < total && different < MOST_TOLD) {
      const [ofSeed, numRuns] = [seed, Math.min(A_SEED, total - begun)];
      [seed, begun] = [seed + 1, begun + numRuns];
      const conversations = fc.sample(CONVERSATIONS, { seed: ofSeed, numRuns });
      for (const found of await compareAll(conversations, split)) {
        different += found.differences.length;
        calls += found.calls;
        for (const difference of found.differences) script.print(`seed ${ofSeed}: ${difference}\n`);
      }
      done += numRuns;
      script.advance(done);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, compareSeeds));
  script.print(
    `${done} conversations of ${calls} calls, seeds ${first} to ${seed - 1}: ` +
      `${different} answers differ\n`,
  );
  if (different > 0) process.exitCode = 1;
}

async function compareAll(conversations: readonly (readonly RawCall[])[], isSplit: boolean) {
  const servers = await Promise.all(
    (['grpc-js', 'lean'] as const).map((transport) =>
      new GrpcFixture({ transport, token: TOKEN, maxMessageBytes: MOST_MESSAGE_BYTES }).start(),
    ),
  );
  const proxies = servers.map(({ port }) => new SplittingProxy(port, SINGLE_BYTES));
  const ports = await Promise.all(
    servers.map(async ({ port }, index) => (isSplit ? proxies[index]!.listen() : port)),
  );
  const clients = ports.map((port) => new RawClient(port));
  try {
    const found = [];
    for (const calls of conversations) found.push(await compare(calls, clients));
    return found;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    for (const closed of [...clients, ...proxies]) closed.close();
  }
}

/** Makes the calls of a conversation at a time, on each server. */
async function compare(calls: readonly RawCall[], clients: readonly RawClient[]) {
  const answers = await Promise.all(
    clients.map((client) => Promise.all(calls.map((call) => client.call(call)))),
  );
  const [ofGrpcJs = [], ofLean = []] = answers;
  const differences = calls.flatMap((call, index) => {
    const [theirs, ours] = [ofGrpcJs[index], ofLean[index]];
    if (theirs === undefined || ours === undefined) throw new Error('a call without an answer');
    const isAlike = theirs.code !== undefined && isDeepStrictEqual(theirs, ours);
    return isAlike || mayDiffer(call, theirs, ours) ? [] : [describe(call, theirs, ours)];
  });
  return { calls: calls.length, differences };
}

function describe(call: RawCall, theirs: RawAnswer, ours: RawAnswer): string {
  const pieces = call.pieces.map((piece) => piece.subarray(0, 60).toString('hex'));
  return [
    JSON.stringify({ ...call, pieces }),
    `  grpc-js ${JSON.stringify(theirs)}`,
    `  lean    ${JSON.stringify(ours)}`,
  ].join('\n');
}

void runScript(command, main);
