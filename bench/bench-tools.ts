/** The exports of scripts/ensure-bench-tools.js: plain JavaScript, so that npm can run it alone. */
interface EnsureBenchTools {
  readonly ensureLoadGenerators: (env: NodeJS.ProcessEnv) => LoadGenerators;
  readonly ensureEtcd: (env: NodeJS.ProcessEnv) => EtcdTools | undefined;
  readonly VERSIONS: { readonly vegeta: string };
}

/** The exports of scripts/ensure-node.js, and of scripts/test-image-node.js. */
export interface EnsureNode {
  readonly ensureNode: (major: string, env: NodeJS.ProcessEnv) => string;
  readonly findImageNode: (env: NodeJS.ProcessEnv) => string;
}

/** The paths of the load generators. */
export interface LoadGenerators {
  readonly h2load: string;
  readonly vegeta: string;
  readonly redisBenchmark: string;
}

/** The paths of etcd, and of the program that hands one of its locks on. */
export interface EtcdTools {
  readonly server: string;
  readonly handOver: string;
}

/** Finds the load generators and other Nodes, and installs them where they are missing. */
export async function loadBenchTools(): Promise<EnsureBenchTools & EnsureNode> {
  return {
    ...(await loadScript<EnsureBenchTools>('ensure-bench-tools')),
    ...(await loadScript<Pick<EnsureNode, 'ensureNode'>>('ensure-node')),
    ...(await loadScript<Pick<EnsureNode, 'findImageNode'>>('test-image-node')),
  };
}

async function loadScript<T>(name: string): Promise<T> {
  return ((await import(`../scripts/${name}.js`)) as { default: T }).default;
}
