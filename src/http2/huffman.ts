import { HUFFMAN_LENGTHS } from './huffman-lengths';

/** The symbol for the end of a string. It must not occur in one. */
const END_OF_STRING = 256;

/** Bits are read four at a time: the shortest code has five, so that each step ends one at most. */
const STEP_BITS = 4;
const STEPS = 2 ** STEP_BITS;

/** In an entry of the table: the octet plus one that ends in this step, above the next node. */
const SYMBOL_SHIFT = 9;
const NODE_MASK = 2 ** SYMBOL_SHIFT - 1;

/** The entry for a code that does not exist in a string. */
const INVALID = -1;

/** The most bits of padding (RFC 7541, 5.2). */
const MOST_PADDING_BITS = 7;

/** A node of the tree of codes: its children by bit, a number for an octet. */
interface Node {
  readonly id: number;
  readonly depth: number;
  /** True if all bits to here are ones, as in the code for the end of the string. */
  readonly isOnes: boolean;
  readonly children: (Node | number | undefined)[];
}

/**
 * Decodes Huffman-coded strings (RFC 7541, 5.2) with a table: for each node of the tree of codes, and
 * the next four bits, the next node and the octet that ends in between. The table has 4,096 entries
 * and takes a millisecond to make, so that all connections share one decoder.
 */
export class HuffmanDecoder {
  readonly #table: Int32Array;
  /** For each node, whether a string may end there: within the padding. */
  readonly #mayEnd: Uint8Array;

  constructor() {
    const nodes = createTree();
    this.#table = new Int32Array(nodes.length * STEPS).fill(INVALID);
    this.#mayEnd = new Uint8Array(nodes.length);
    for (const node of nodes) {
      this.#mayEnd[node.id] = Number(node.isOnes && node.depth <= MOST_PADDING_BITS);
      for (let bits = 0; bits < STEPS; bits += 1) {
        this.#table[node.id * STEPS + bits] = toEntry(node, bits, nodes);
      }
    }
  }

  /** Decodes a string of octets. Undefined if the code is invalid, or is not padded as it must be. */
  decode(bytes: Buffer): string | undefined {
    // The shortest code has five bits.
    const octets = Buffer.allocUnsafe(Math.ceil((bytes.length * 8) / 5));
    let length = 0;
    let node = 0;
    for (let at = 0; at < 2 * bytes.length; at += 1) {
      const octet = bytes[at >> 1] ?? 0;
      const bits = (at & 1) === 0 ? octet >> STEP_BITS : octet & (STEPS - 1);
      const entry = this.#table[node * STEPS + bits] ?? INVALID;
      if (entry === INVALID) return undefined;
      if (entry > NODE_MASK) {
        octets[length] = (entry >> SYMBOL_SHIFT) - 1;
        length += 1;
      }
      node = entry & NODE_MASK;
    }
    return this.#mayEnd[node] === 1 ? octets.toString('latin1', 0, length) : undefined;
  }
}

/** Creates the tree of codes from their lengths, and returns its inner nodes by id. */
function createTree(): readonly Node[] {
  const root: Node = { id: 0, depth: 0, isOnes: true, children: [] };
  const nodes = [root];
  const order = [...HUFFMAN_LENGTHS.keys()].sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let code = 0;
  let last = 0;
  for (const symbol of order) {
    const length = lengthOf(symbol);
    code *= 2 ** (length - last);
    last = length;
    insert(nodes, { symbol, code, length });
    code += 1;
  }
  return nodes;
}

function lengthOf(symbol: number): number {
  return HUFFMAN_LENGTHS[symbol] ?? 0;
}

function insert(
  nodes: Node[],
  leaf: { readonly symbol: number; readonly code: number; readonly length: number },
): void {
  let [node] = nodes;
  for (let left = leaf.length - 1; node !== undefined && left >= 0; left -= 1) {
    const bit = (leaf.code >>> left) & 1;
    if (left === 0) node.children[bit] = leaf.symbol;
    else node = childOf(node, bit, nodes);
  }
}

function childOf(node: Node, bit: number, nodes: Node[]): Node {
  const known = node.children[bit];
  if (typeof known === 'object') return known;
  const isOnes = node.isOnes && bit === 1;
  const child: Node = { id: nodes.length, depth: node.depth + 1, isOnes, children: [] };
  nodes.push(child);
  node.children[bit] = child;
  return child;
}

/** Walks four bits down the tree from a node. After an octet, the walk goes on at the root. */
function toEntry(from: Node, bits: number, [root]: readonly Node[]): number {
  let node: Node | undefined = from;
  let symbol = 0;
  for (let left = STEP_BITS - 1; left >= 0; left -= 1) {
    const child: Node | number | undefined = node?.children[(bits >> left) & 1];
    if (child === undefined || child === END_OF_STRING) return INVALID;
    if (typeof child === 'number') symbol = child + 1;
    node = typeof child === 'number' ? root : child;
  }
  return (symbol << SYMBOL_SHIFT) | (node?.id ?? 0);
}
