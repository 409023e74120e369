/** A sidecar that runs already, as `--target` names it. */
export interface PeerSpec {
  readonly kind: 'peer';
  readonly name: string;
  readonly pid: number;
  readonly httpPort: number | undefined;
  readonly grpcPort: number | undefined;
  /** The name of its lock store. */
  readonly storeName: string;
}

/** The target that `--target` names: our own sidecar, the floors beside it, or a peer. */
export type TargetSpec = { readonly kind: 'ours' | 'floors' } | PeerSpec;

const FIELDS = ['name', 'http', 'grpc', 'pid', 'store'];
const DEFAULT_STORE = 'lockstore';
const HIGHEST_PORT = 65_535;

/** Reads `ours`, `floors`, or `name=daprd,http=3500,grpc=50001,pid=123[,store=lockstore]`. */
export function parseTarget(text: string): TargetSpec {
  if (text === 'ours' || text === 'floors') return { kind: text };
  const fields = new Map(text.split(',').map((field) => toPair(field, text)));
  const unknown = [...fields.keys()].find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) throw new Error(`--target ${text}: no field ${unknown}`);
  const name = fields.get('name') ?? '';
  if (!/^[\w.-]+$/.test(name) || name === 'ours') {
    throw new Error(`--target ${text}: name= must be letters, digits, dots and dashes, not "ours"`);
  }
  const [httpPort, grpcPort] = [toPort(fields.get('http'), text), toPort(fields.get('grpc'), text)];
  if (httpPort === undefined && grpcPort === undefined) {
    throw new Error(`--target ${text}: http= or grpc= must name a port`);
  }
  const pid = Number(fields.get('pid'));
  if (!Number.isInteger(pid) || pid < 1) {
    throw new Error(`--target ${text}: pid= must be the id of the process that is measured`);
  }
  const storeName = fields.get('store') ?? DEFAULT_STORE;
  return { kind: 'peer', name, pid, httpPort, grpcPort, storeName };
}

function toPair(field: string, text: string): [string, string] {
  const at = field.indexOf('=');
  if (at < 1) throw new Error(`--target ${text}: "${field}" is no field=value`);
  return [field.slice(0, at), field.slice(at + 1)];
}

function toPort(value: string | undefined, text: string): number | undefined {
  if (value === undefined) return undefined;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= HIGHEST_PORT) return port;
  throw new Error(`--target ${text}: ${value} is no port`);
}
