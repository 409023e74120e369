import { setTimeout as pause } from 'node:timers/promises';

/** daprd's poll interval and limit, in milliseconds. */
const INTERVAL_MS = 100;
const CAP_MS = 60_000;

/**
 * Waits until the sidecar on a port of this machine is ready. Returns false if it is not ready in
 * time.
 */
export async function waitUntilReady(options: {
  readonly httpPort: number;
  readonly capMs?: number;
}): Promise<boolean> {
  const { httpPort, capMs = CAP_MS } = options;
  const deadline = performance.now() + capMs;
  while (performance.now() < deadline) {
    if (await isReady(httpPort, deadline - performance.now())) return true;
    await pause(INTERVAL_MS);
  }
  return false;
}

async function isReady(httpPort: number, withinMs: number): Promise<boolean> {
  try {
    const { ok } = await fetch(`http://localhost:${httpPort}/v1.0/healthz/outbound`, {
      signal: AbortSignal.timeout(Math.ceil(withinMs)),
    });
    return ok;
  } catch {
    return false;
  }
}
