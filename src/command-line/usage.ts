import { type Flag, type FlagName, FLAGS } from './flags';

/** The width of a terminal that nobody has widened. */
const COLUMNS = 80;

/** Where the meanings of flags begin. A longer name has its meaning on the next line. */
const MEANING_AT = 30;

/** The flags that have an effect, in groups: first those that people need first. */
const GROUPS: Readonly<Record<string, readonly FlagName[]>> = {
  'Start with': ['app-id', 'resources-path', 'dapr-http-port', 'dapr-grpc-port', 'log-level'],
  'Where it listens': [
    'dapr-listen-addresses',
    'unix-domain-socket',
    'dapr-public-port',
    'dapr-public-listen-address',
    'allowed-origins',
    'disable-page',
    'tls-cert-file',
    'tls-key-file',
    'tls-client-ca-file',
  ],
  'Configuration and components': [
    'config',
    'components-path',
    'hot-reload-reconcile-interval',
    'mode',
  ],
  'Log, metrics and traces': [
    'log-as-json',
    'log-file',
    'enable-api-logging',
    'metrics-port',
    'metrics-listen-address',
    'enable-metrics',
    'trace-lock-details',
  ],
  Limits: [
    'max-concurrent-lock-calls',
    'max-lock-waits',
    'max-lock-holds',
    'max-body-size',
    'read-buffer-size',
    'dapr-http-max-request-size',
    'dapr-http-read-buffer-size',
    'dapr-graceful-shutdown-seconds',
  ],
  'In front of a daprd': ['upstream-grpc-endpoint', 'upstream-http-endpoint', 'max-upstream-calls'],
  'Shown to clients and launchers': [
    'app-port',
    'app-protocol',
    'app-channel-address',
    'app-max-concurrency',
    'dapr-internal-grpc-port',
  ],
  'Print or wait, and exit': ['help', 'version', 'build-info', 'wait'],
};

/** The title of the flags that are in no group. */
const OTHERS = 'More';

/** The text of `--help`, in at most 80 columns. */
export function toUsage(): string {
  return `Usage: holdfast --app-id ID [flags]
       holdfast COMMAND [arguments]

Serves Dapr's distributed-lock API over HTTP and gRPC. Commands: run, locks,
check, completion; see 'holdfast help'.

${toGroups()
  .map(([title, names]) => `${title}:\n${names.map(toEntry).join('\n')}`)
  .join('\n\n')}

Flags of daprd that are accepted without effect:
${wrap(namesWith('accepted', 'unserved').map(dashed).join(', '), '  ')}

Environment:
${wrap('DAPR_API_TOKEN: the token that callers need. NAMESPACE: filters component files.', '  ')}
`;
}

/** All flags that have an effect, by the title of their group. */
function toGroups(): readonly (readonly [string, readonly FlagName[]])[] {
  const grouped = new Set(Object.values(GROUPS).flat());
  const others = namesWith('used').filter((name) => !grouped.has(name));
  const all = [...Object.entries(GROUPS), [OTHERS, others] as const];
  return all.filter(([, names]) => names.length > 0);
}

function namesWith(...effects: readonly Flag['effect'][]): readonly FlagName[] {
  const names = Object.keys(FLAGS) as FlagName[];
  return names.filter((name) => effects.includes(FLAGS[name].effect));
}

function toEntry(name: FlagName): string {
  const flag: Flag = FLAGS[name];
  const value = flag.kind === 'boolean' ? '' : ` ${flag.kind.toUpperCase()}`;
  const preset = ['', 'false'].includes(flag.default) ? '' : ` (default ${flag.default})`;
  const head = `  ${dashed(name)}${value}`;
  const meaning = wrap(flag.meaning + preset, ' '.repeat(MEANING_AT));
  const fits = head.length < MEANING_AT - 1;
  return fits ? head + meaning.slice(head.length) : `${head}\n${meaning}`;
}

function dashed(name: FlagName): string {
  return `--${name}`;
}

/** Breaks a text into lines that begin with an indent and end before the last column. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    const longer = line === undefined ? undefined : `${line} ${word}`;
    if (longer !== undefined && longer.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}
