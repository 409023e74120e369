import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

import { NATIVE_SERVICE } from '../../../../src/grpc/proto-files';
import { withoutDapr } from '../../../support/plain-environment';
import type { SidecarProcess } from '../../../support/sidecar-process';
import { runCommand } from '../../run-command';

/** The calls that have one answer. */
export type UnaryCall = 'Acquire' | 'Renew' | 'Release' | 'ForceRelease' | 'Get' | 'List';

/** Fields of a message, by their names in JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** A hold in a process of its tool. */
export interface ToolHold {
  /** The output so far: `held`, `renewed`, …; `lost` with its reason. */
  readonly told: readonly string[];
  /** Ends the tool as Ctrl-C does, if it has not ended by itself. */
  end(): Promise<void>;
}

/** A command-line tool that makes calls of the native API; both give the same answers. */
export interface SurfaceTool {
  readonly name: string;
  /** The answer, or `error` with what the tool printed. A lock that nobody holds is an answer without fields. */
  call(call: UnaryCall, fields: Fields): Promise<Record<string, unknown>>;
  hold(fields: Fields): ToolHold;
}

/** The store of all calls. */
const STORE = 'lockstore';

const PATHS: Readonly<Record<UnaryCall | 'Hold', string>> = {
  Acquire: '/acquire',
  Renew: '/renew',
  Release: '/release',
  ForceRelease: '/force-release',
  Hold: '/hold',
  Get: '/lock',
  List: '',
};

/** The system's curl, over HTTP. */
export class CurlTool implements SurfaceTool {
  readonly name = 'curl';
  readonly #httpPort: number;

  constructor({ httpPort }: SidecarProcess) {
    this.#httpPort = httpPort;
  }

  async call(call: UnaryCall, fields: Fields): Promise<Record<string, unknown>> {
    const { stdout } = await runCommand({ file: 'curl', args: this.#toArgs(call, fields) });
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    if (answer.errorCode === 'ERR_LOCK_NOT_HELD') return {};
    return 'errorCode' in answer ? { error: stdout } : answer;
  }

  hold(fields: Fields): ToolHold {
    return new RunningHold('curl', ['-N', ...this.#toArgs('Hold', fields)]);
  }

  #toArgs(call: UnaryCall | 'Hold', fields: Fields): readonly string[] {
    const url = `http://127.0.0.1:${this.#httpPort}/holdfast/v1/locks/${STORE}${PATHS[call]}`;
    if (call === 'Get' || call === 'List') {
      const query = new URLSearchParams(fields as Record<string, string>).toString();
      return ['-s', `${url}?${query}`];
    }
    return ['-s', url, '-H', 'content-type: application/json', '-d', JSON.stringify(fields)];
  }
}

/** grpcurl, which learns of the service by reflection: it is given no proto file. */
export class GrpcurlTool implements SurfaceTool {
  readonly name = 'grpcurl';
  readonly #file: string;
  readonly #grpcPort: number;

  constructor(file: string, { grpcPort }: SidecarProcess) {
    this.#file = file;
    this.#grpcPort = grpcPort;
  }

  async call(call: UnaryCall, fields: Fields): Promise<Record<string, unknown>> {
    try {
      const args = this.#toArgs(call, fields);
      const { stdout } = await runCommand({ file: this.#file, args });
      const answer = withNumbers(JSON.parse(stdout)) as Record<string, unknown>;
      return call === 'Get' ? ((answer.lock ?? {}) as Record<string, unknown>) : answer;
    } catch (error) {
      return { error: String(error) };
    }
  }

  hold(fields: Fields): ToolHold {
    return new RunningHold(this.#file, this.#toArgs('Hold', fields));
  }

  #toArgs(call: UnaryCall | 'Hold', fields: Fields): readonly string[] {
    const message = JSON.stringify({ storeName: STORE, ...fields });
    // Without the flag it leaves out what is false, zero or empty.
    const flags = ['-plaintext', '-emit-defaults', '-d', message];
    return [...flags, `127.0.0.1:${this.#grpcPort}`, `${NATIVE_SERVICE}/${call}`];
  }
}

class RunningHold implements ToolHold {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { env: withoutDapr(process.env) });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdout.on('data', (part: Buffer) => {
      this.#output += part.toString();
    });
  }

  get told(): readonly string[] {
    const names = /"(?:type": ?"(\w+)"|(queued|held|renewed|atRisk|lost|refused)": ?\{)/g;
    const lost = /"reason": ?"(EXPIRED|TAKEN_OVER|STORE_UNREACHABLE)"/.exec(this.#output)?.[1];
    return [...this.#output.matchAll(names)]
      .map(([, byCurl, byGrpcurl]) => byCurl ?? byGrpcurl ?? '')
      .map((name) => (name === 'lost' ? `lost ${String(lost)}` : name));
  }

  async end(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#ended;
  }
}

/** JSON of protobuf writes numbers of 64 bits as texts, and null for a message that is not set. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value);
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(entries.map(([name, field]) => [name, withNumbers(field)]));
}
