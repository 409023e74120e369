/** The output of V8's sampling profiler (`node --cpu-prof`), as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  /** The clock of `process.hrtime`, in µs. */
  readonly startTime: number;
  /** Which node was running, sample by sample. */
  readonly samples: readonly number[];
  /** The time from the sample before to this one, in µs. */
  readonly timeDeltas: readonly number[];
}

/** A part of a profile, by the clock of `process.hrtime` in µs. */
export interface Window {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Waiting for something to do: no cost. */
const IDLE = '(idle)';

const V8_OWNERS: Readonly<Record<string, string>> = {
  '(garbage collector)': 'V8: garbage collection',
  '(program)': 'V8: (program), native code and the kernel',
};

/** Node's own files, by what they are for; the first that fits. */
const NODE_OWNERS: readonly (readonly [RegExp, string])[] = [
  [/http2/, 'node: http2'],
  [/^node:(_http|http|internal\/http)/, 'node: http'],
  [/stream_base_commons|^node:(net|internal\/net)/, 'node: net'],
  [/stream/, 'node: streams'],
  [/timers|task_queues/, 'node: timers and queues'],
];

/** Adds up the self time within a window by owner, in µs; time without work is left out. */
export function toOwnerTimes(
  profile: CpuProfile,
  { fromUs, toUs }: Window,
): ReadonlyMap<string, number> {
  const owners = new Map(profile.nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]));
  const times = new Map<string, number>();
  let now = profile.startTime;
  profile.samples.forEach((node, index) => {
    now += profile.timeDeltas[index] ?? 0;
    const owner = owners.get(node);
    if (owner === undefined || now < fromUs || now >= toUs) return;
    // A sample stands for the time until the next one.
    times.set(owner, (times.get(owner) ?? 0) + (profile.timeDeltas[index + 1] ?? 0));
  });
  return times;
}

/** Whose code a frame is: a room of ours, a package, a part of Node, or V8; nobody's when idle. */
export function ownerOf(frame: { functionName: string; url: string }): string | undefined {
  const { functionName, url } = frame;
  if (functionName === IDLE) return undefined;
  if (url === '') return V8_OWNERS[functionName] ?? 'V8: built-in functions';
  if (url.startsWith('node:')) {
    const part = NODE_OWNERS.find(([pattern]) => pattern.test(url))?.[1];
    return part ?? url.replace(/^node:/, 'node: ');
  }
  const library = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (library !== undefined) return library;
  const room = /\/plain\/([^/]+)/.exec(url)?.[1];
  return room === undefined ? 'other' : `${OURS}${room.replace(/\.js$/, '')}`;
}

/** The prefix of the names of our own rooms. */
export const OURS = 'ours: ';
