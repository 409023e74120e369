import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';

import { eventually } from '../support/eventually';

/** How a cluster starts a container of an image. */
export interface ContainerOptions {
  /** The files of the image: its root, which is mounted read-only. */
  readonly root: string;
  readonly command: readonly string[];
  /** The environment of the image and the deployment; nothing else is set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders and files of this machine by their path in the container, read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Default 1000, the user of the image. */
  readonly uid?: number;
  readonly gid?: number;
}

/** How long a container may take to end or to say something; a stated allowance for a busy machine. */
const PATIENCE = { withinMs: 20_000 };

/** Where the root is mounted: a path that every user may follow. */
const MOUNT_POINT = '/mnt';

/** Mounts the root there, in a mount namespace of its own, and goes on as the user of the container. */
const AS_USER = `mount --bind "$1" ${MOUNT_POINT}; shift; exec setpriv "$@"`;

/**
 * A process as in a container of a cluster, by bubblewrap: read-only root, no capabilities, no way to get any, process id 1,
 * and nothing that can be written, not even /tmp. It shares the network of this machine, so that its ports can be called.
 */
export class Container {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #options: ContainerOptions;
  #info = '';
  output = '';

  constructor(options: ContainerOptions) {
    this.#options = options;
    const user = ['--mount', '--propagation', 'private', 'sh', '-ec', AS_USER, 'sh', options.root];
    this.#child = spawn('unshare', [...user, ...toUser(options), ...toSandbox(options)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.exited = new Promise((resolve) => this.#child.once('close', resolve));
    const [, stdout, stderr, info] = this.#child.stdio as Readable[];
    for (const stream of [stdout, stderr])
      stream?.on('data', (part: Buffer) => {
        this.output += part.toString();
      });
    info?.on('data', (part: Buffer) => {
      this.#info += part.toString();
    });
  }

  /** Waits until the process has written a text. */
  async says(text: string): Promise<void> {
    await eventually(() => {
      expect(this.output).toContain(text);
    }, PATIENCE);
  }

  /** The signal that the runtime of a cluster sends to process 1. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.#pid(), signal);
  }

  /** Runs a command in the container, as `docker exec` does, and returns its exit code and output. */
  async exec(command: readonly string[]): Promise<{ code: number | null; output: string }> {
    const { uid = 1000, gid = uid } = this.#options;
    const target = ['--target', String(await this.#pid()), '--user', '--pid', '--mount'];
    const user = ['--setuid', String(uid), '--setgid', String(gid)];
    const options = { encoding: 'utf8', env: {} } as const;
    const { status, stdout, stderr } = spawnSync(
      '/usr/bin/nsenter',
      [...target, ...user, '--', ...command],
      options,
    );
    return { code: status, output: stdout + stderr };
  }

  /** Ends the process, however far it is. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** The process id outside of the container. */
  #pid(): Promise<number> {
    return eventually(
      () => (JSON.parse(this.#info) as { readonly 'child-pid': number })['child-pid'],
      PATIENCE,
    );
  }
}

/** Runs a command in a container to its end, and returns its exit code and output. */
export async function runInContainer(
  options: ContainerOptions,
): Promise<{ code: number | null; output: string }> {
  const container = new Container(options);
  const code = await container.exited;
  return { code, output: container.output };
}

function toUser({ uid = 1000, gid = uid }: ContainerOptions): readonly string[] {
  const ids = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  return [...ids, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'];
}

function toSandbox(options: ContainerOptions): readonly string[] {
  const { command, env = {}, mounts = {}, uid = 1000, gid = uid } = options;
  const spaces = ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts'];
  const user = ['--uid', String(uid), '--gid', String(gid), '--cap-drop', 'ALL'];
  const files = [...toRoot(options.root), '--proc', '/proc', '--dev', '/dev'];
  const mounted = Object.entries(mounts).flatMap(([to, from]) => ['--ro-bind', from, to]);
  const variables = Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]);
  const process = ['--as-pid-1', '--die-with-parent', '--info-fd', '3', '--chdir', '/'];
  return [
    'bwrap',
    ...spaces,
    ...user,
    ...files,
    ...mounted,
    '--remount-ro',
    '/',
    '--clearenv',
    ...variables,
    ...process,
    '--',
    ...command,
  ];
}

/** The root, entry by entry, so that there can be mounts which it has no folder for. */
function toRoot(root: string): readonly string[] {
  const entries = readdirSync(root, { withFileTypes: true });
  const shown = entries.filter(({ name }) => !['dev', 'proc', 'sys'].includes(name));
  return shown.flatMap((entry) =>
    entry.isSymbolicLink()
      ? ['--symlink', readlinkSync(path.join(root, entry.name)), `/${entry.name}`]
      : ['--ro-bind', `${MOUNT_POINT}/${entry.name}`, `/${entry.name}`],
  );
}
