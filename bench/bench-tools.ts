/** What scripts/ensure-bench-tools.js offers: plain JavaScript, so that npm can run it alone. */
interface EnsureBenchTools {
  readonly ensureLoadGenerators: (env: NodeJS.ProcessEnv) => LoadGenerators;
  readonly ensureNode: (major: string, env: NodeJS.ProcessEnv) => string;
  readonly VERSIONS: { readonly vegeta: string };
}

/** The paths of the load generators. */
export interface LoadGenerators {
  readonly h2load: string;
  readonly vegeta: string;
  readonly redisBenchmark: string;
}

/** Finds the load generators and other Nodes, and installs them where they are missing. */
export async function loadBenchTools(): Promise<EnsureBenchTools> {
  const script = '../scripts/ensure-bench-tools.js';
  const { default: tools } = (await import(script)) as { default: EnsureBenchTools };
  return tools;
}
