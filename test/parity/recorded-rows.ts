import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

interface Runs {
  readonly runs: readonly { readonly text: string; readonly times: number }[];
}

/** A request over HTTP and what daprd answered to it. */
export interface HttpRow {
  readonly transport: 'http';
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

/** A call over gRPC and what daprd answered to it. */
export interface GrpcRow {
  readonly transport: 'grpc';
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly message: Readonly<Record<string, unknown>>;
  };
  readonly answer: {
    readonly res?: Readonly<Record<string, unknown>>;
    readonly code?: number;
    readonly details?: string;
    readonly meta?: readonly string[];
  };
}

/** Reads the answers of a running daprd; `@` becomes a suffix of this run, long bodies are joined. */
export function loadRecordedRows(): readonly (HttpRow | GrpcRow)[] {
  const file = path.join(__dirname, '../fixtures/daprd-1.18.3.json');
  const suffix = randomUUID();
  const expand = (_key: string, value: unknown): unknown => {
    if (isRuns(value)) return value.runs.map(({ text, times }) => text.repeat(times)).join('');
    return value;
  };
  const text = readFileSync(file, 'utf8').replaceAll('@', suffix);
  return (JSON.parse(text, expand) as { rows: (HttpRow | GrpcRow)[] }).rows;
}

function isRuns(value: unknown): value is Runs {
  return typeof value === 'object' && value !== null && 'runs' in value;
}
