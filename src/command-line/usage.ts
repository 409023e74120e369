import { type Flag, FLAGS } from './flags';

/** The text of `--help`: every flag, with those that have an effect first. */
export function toUsage(): string {
  const flags: [string, Flag][] = Object.entries(FLAGS);
  const served = flags.filter(([, { effect }]) => effect === 'used');
  const others = flags.filter(([, { effect }]) => effect !== 'used');
  return `Usage: holdfast --app-id ID [flags]

Serves Dapr's distributed-lock API over HTTP and gRPC.

Flags:
${served.map(toLine).join('\n')}

Flags of daprd that are accepted without effect:
${others.map(toLine).join('\n')}

Environment: DAPR_API_TOKEN (the token that callers need), NAMESPACE (filters component files).
`;
}

function toLine([name, flag]: [string, Flag]): string {
  const value = flag.kind === 'boolean' ? '' : ` ${flag.kind.toUpperCase()}`;
  const preset = ['', 'false'].includes(flag.default) ? '' : ` (default ${flag.default})`;
  return `  --${`${name}${value}`.padEnd(46)} ${flag.meaning}${preset}`;
}
