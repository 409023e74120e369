import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';

interface Buildah {
  readonly buildah: (...args: readonly string[]) => string;
}
interface BuildImage {
  readonly IMAGES: { readonly image: string; readonly bare: string };
  readonly AT_MOST_BYTES: number;
  readonly DAPRD_MB: number;
}
const { buildah } = jest.requireActual<Buildah>('../../scripts/image/buildah.js');

/** The image that scripts/build-image.js has built, and its size limit. */
export const { IMAGES, AT_MOST_BYTES, DAPRD_MB } = jest.requireActual<BuildImage>(
  '../../scripts/build-image.js',
);

/**
 * Removes what was built, which is 0.4 GB, and keeps the bases. With HOLDFAST_KEEP_IMAGES, keeps all, so that the tests can be
 * run again without a build.
 */
export function removeImages(): void {
  if (process.env.HOLDFAST_KEEP_IMAGES === undefined) buildah('rmi', ...Object.values(IMAGES));
  buildah('rmi', '--prune');
}

/** The configuration of an image (OCI image specification, "config"). */
export interface ImageConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
}

/** How a container finds out whether it is healthy: Docker's addition to the specification. */
export interface HealthCheck {
  readonly Test: readonly string[];
}

/** The output of buildah for an image. */
interface Inspected {
  readonly OCIv1: {
    readonly config: ImageConfig;
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  readonly Docker: { readonly config: { readonly Healthcheck?: HealthCheck } };
}

/** A built image whose files are mounted. */
export class BuiltImage {
  readonly root: string;
  readonly config: ImageConfig;
  readonly healthCheck: HealthCheck | undefined;
  /** How many layers it has, those of its base among them. */
  readonly layers: number;
  readonly #container: string;

  constructor(name: string) {
    const inspected = JSON.parse(buildah('inspect', '--type', 'image', name)) as Inspected;
    this.config = inspected.OCIv1.config;
    this.healthCheck = inspected.Docker.config.Healthcheck;
    this.layers = inspected.OCIv1.rootfs.diff_ids.length;
    this.#container = buildah('from', '--pull-never', name);
    this.root = buildah('mount', this.#container);
  }

  /** The environment that it sets. */
  get env(): Readonly<Record<string, string>> {
    const pairs = (this.config.Env ?? []).map((entry) => /^([^=]*)=(.*)$/s.exec(entry)?.slice(1));
    return Object.fromEntries(pairs.map((pair) => pair ?? []) as [string, string][]);
  }

  /** The size of all its files, in bytes. */
  get bytes(): number {
    return sizeOf(this.root);
  }

  /** Unmounts the files. */
  close(): void {
    buildah('rm', this.#container);
  }
}

function sizeOf(file: string): number {
  const status = lstatSync(file);
  if (!status.isDirectory()) return status.size;
  return readdirSync(file)
    .map((name) => sizeOf(path.join(file, name)))
    .reduce((all, size) => all + size, 0);
}
