import type { SidecarProcess } from '../support/sidecar-process';
import type { TcpProxy } from '../support/tcp-proxy';
import type { Holder, Transport } from './holder';

/** The participants of a departure: a client that holds a lock, by a proxy, and the sidecar that ends, if one does. */
export interface Parties {
  readonly holder: Holder;
  readonly proxy: TcpProxy;
  readonly ownSidecar: SidecarProcess | undefined;
}

/** A way in which a lock loses its holder, or the sidecar that renews it. */
export interface Departure {
  readonly name: string;
  readonly transports: readonly Transport[];
  /** The client with a sidecar of its own, which ends: the holder, or somebody who waits before the next waiter. */
  readonly endsSidecarOf?: 'holder' | 'first waiter';
  /** True where the client may still believe in its lock: nobody may get it before its lease is over. */
  readonly keepsLease: boolean;
  /** After how long the next waiter has the lock at the latest, in milliseconds. Infinity: not promised. */
  boundMs(ttlMs: number): number;
  /** The parts of the bound. */
  readonly why: string;
  leave(parties: Parties): Promise<void>;
}

/** How long the tickets of a dead sidecar live (promise N7). */
const TICKET_MS = 3000;

/** A wake-up that was lost is made up for by the next look at the lock (promise N7 of docs/decisions/0012). */
export const LOOK_MS = 500;

/**
 * How long the sidecar goes on to renew over gRPC for a client that has fallen silent: the PING that it leaves unanswered
 * is sent within one interval, and missed after another one (docs/native-api.md, "When a client is gone").
 */
function toSilenceMs(ttlMs: number): number {
  const everyMs = Math.min(20, Math.max(1, Math.floor(ttlMs / 3000))) * 1000;
  return 2 * everyMs;
}

const BOTH: readonly Transport[] = ['gRPC', 'HTTP'];

const SILENT_OVER_GRPC = {
  transports: ['gRPC'],
  keepsLease: true,
  boundMs: (ttlMs: number) => toSilenceMs(ttlMs) + ttlMs + LOOK_MS,
  why: 'a PING that nobody answers, then the lease',
} as const;

const SILENT_OVER_HTTP = {
  transports: ['HTTP'],
  keepsLease: true,
  boundMs: () => Infinity,
  why: 'HTTP has no PING: renewed while the connection takes events',
} as const;

const stopClient = async ({ holder }: Parties): Promise<void> => {
  holder.pause();
};

const dropBytes = async ({ proxy }: Parties): Promise<void> => {
  proxy.dropRequests = true;
  proxy.dropReplies = true;
};

/** Every departure that is measured. */
export const DEPARTURES: readonly Departure[] = [
  {
    name: 'client: kill -9',
    transports: BOTH,
    keepsLease: false,
    boundMs: () => LOOK_MS,
    why: 'released at once',
    leave: ({ holder }) => holder.kill(),
  },
  { name: 'client: SIGSTOP', ...SILENT_OVER_GRPC, leave: stopClient },
  { name: 'client: SIGSTOP', ...SILENT_OVER_HTTP, leave: stopClient },
  { name: 'client: half-open connection', ...SILENT_OVER_GRPC, leave: dropBytes },
  { name: 'client: half-open connection', ...SILENT_OVER_HTTP, leave: dropBytes },
  {
    name: 'sidecar: SIGTERM',
    transports: BOTH,
    endsSidecarOf: 'holder',
    keepsLease: true,
    boundMs: (ttlMs) => ttlMs + LOOK_MS,
    why: 'the lease; the client is told how long it lasts',
    leave: async ({ ownSidecar, holder }) => {
      await ownSidecar?.stop('SIGTERM');
      if (!holder.isAtRisk) throw new Error('the client was not told that the sidecar stops');
    },
  },
  {
    name: 'sidecar: SIGKILL',
    transports: BOTH,
    endsSidecarOf: 'holder',
    keepsLease: true,
    boundMs: (ttlMs) => ttlMs + LOOK_MS,
    why: 'the lease',
    leave: async ({ ownSidecar }) => {
      await ownSidecar?.stop('SIGKILL');
    },
  },
  {
    name: 'waiter ahead: its sidecar gets SIGTERM, then kill -9 of the holder',
    transports: ['HTTP'],
    endsSidecarOf: 'first waiter',
    keepsLease: false,
    boundMs: () => LOOK_MS,
    why: 'its wait is withdrawn',
    leave: async ({ ownSidecar, holder }) => {
      await ownSidecar?.stop('SIGTERM');
      await holder.kill();
    },
  },
  {
    name: 'waiter ahead: its sidecar gets SIGKILL, then kill -9 of the holder',
    transports: ['HTTP'],
    endsSidecarOf: 'first waiter',
    keepsLease: false,
    boundMs: () => TICKET_MS + LOOK_MS,
    why: 'its ticket lives for 3 s',
    leave: async ({ ownSidecar, holder }) => {
      await ownSidecar?.stop('SIGKILL');
      await holder.kill();
    },
  },
];
