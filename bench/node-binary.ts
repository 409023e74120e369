import { runCommand } from './run-command';

/** A Node that servers are run on. */
export interface NodeBinary {
  readonly path: string;
  /** As it says itself, without the v: `22.1.0`. */
  readonly version: string;
}

/** How long a Node may take to say its version, in milliseconds. */
const WITHIN_MS = 10_000;

/**
 * The Nodes of `--node`: a path as it stands, a number by installing the pinned release of it. The
 * running one where none is asked for.
 */
export async function findNodes(
  wanted: readonly string[],
  install: (major: string) => string,
): Promise<readonly NodeBinary[]> {
  const paths = wanted.map((node) => (/^\d+$/.test(node) ? install(node) : node));
  const nodes: NodeBinary[] = [];
  for (const path of paths.length > 0 ? paths : [process.execPath]) {
    const said = await runCommand(path, ['--version'], { withinMs: WITHIN_MS });
    nodes.push({ path, version: said.trim().replace(/^v/, '') });
  }
  const versions = nodes.map(({ version }) => version);
  const twice = versions.find((version, index) => versions.indexOf(version) !== index);
  if (twice !== undefined) throw new Error(`--node: Node ${twice} is named twice`);
  return nodes;
}
