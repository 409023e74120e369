import type { EnsureNode } from './bench-tools';
import { runCommand } from './run-command';

/** A Node that servers are run on. */
export interface NodeBinary {
  readonly path: string;
  /** As it says itself, without the v: `22.1.0`. */
  readonly version: string;
}

/** How long a Node may take to say its version, or to compile the sidecar, in milliseconds. */
const WITHIN_MS = 30_000;

/**
 * The Nodes of `--node`: a path as it stands, a number by installing the pinned release of it, `image`
 * for the one of the image. The running one where none is asked for.
 */
export async function findNodes(
  wanted: readonly string[],
  { ensureNode, findImageNode }: Pick<EnsureNode, 'ensureNode' | 'findImageNode'>,
): Promise<readonly NodeBinary[]> {
  const paths = wanted.map((node) => {
    if (node === 'image') return findImageNode(process.env);
    return /^\d+$/.test(node) ? ensureNode(node, process.env) : node;
  });
  const nodes: NodeBinary[] = [];
  for (const path of paths.length > 0 ? paths : [process.execPath]) {
    const said = await runCommand(path, ['--version'], { withinMs: WITHIN_MS });
    nodes.push({ path, version: said.trim().replace(/^v/, '') });
    // What a build does for the Node that runs it: no other can use it.
    await runCommand(path, ['scripts/write-code-cache.js'], { withinMs: WITHIN_MS });
  }
  const versions = nodes.map(({ version }) => version);
  const twice = versions.find((version, index) => versions.indexOf(version) !== index);
  if (twice !== undefined) throw new Error(`--node: Node ${twice} is named twice`);
  return nodes;
}
