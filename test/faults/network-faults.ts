import { setTimeout as pause } from 'node:timers/promises';

import type { TcpProxy } from '../support/tcp-proxy';
import type { Fault, Target } from './injector';
import type { Random } from './random';

/** A fault of the network between one sidecar and its server, for a while. */
const onOneProxy =
  (act: (proxy: TcpProxy, random: Random) => void | Promise<void>, longestMs = 400) =>
  async ({ sidecar: { proxy }, random }: Target<unknown>): Promise<void> => {
    await act(proxy, random);
    await pause(random.between(20, longestMs));
    proxy.heal();
  };

/** Faults of the network between a sidecar and its server, by the name that the report gives it. */
export const NETWORK_FAULTS = {
  'reply dropped, then cut': {
    run: onOneProxy(async (proxy, random) => {
      proxy.dropReplies = true;
      await pause(random.between(1, 30));
      proxy.dropReplies = false;
      proxy.cut();
    }, 30),
  },
  'replies dropped': {
    run: onOneProxy((proxy) => {
      proxy.dropReplies = true;
    }),
  },
  'requests dropped': {
    run: onOneProxy((proxy) => {
      proxy.dropRequests = true;
    }),
  },
  'half-open': {
    run: onOneProxy((proxy) => {
      proxy.dropRequests = true;
      proxy.dropReplies = true;
    }, 700),
  },
  delay: {
    run: onOneProxy((proxy, random) => {
      proxy.delayMs = random.between(5, 150);
    }),
  },
  'held back and delivered late': {
    run: async ({ sidecar: { proxy }, random }) => {
      proxy.holdRequests = true;
      await pause(random.between(5, 50));
      proxy.holdRequests = false;
      proxy.cut();
      await pause(random.between(5, 600));
      proxy.deliverHeld();
    },
  },
  'cut mid-reply': {
    run: onOneProxy((proxy) => {
      proxy.cutNextReply = true;
    }, 50),
  },
  'connection cut': {
    run: onOneProxy((proxy) => {
      proxy.cut();
    }, 50),
  },
  'connections refused': {
    run: onOneProxy((proxy) => {
      proxy.refuse = true;
      proxy.cut();
    }),
  },
} as const satisfies Readonly<Record<string, Fault<unknown>>>;
