import type { Attack } from './attack';
import { floor } from './attacks/floor';
import { grpcCancels } from './attacks/grpc-cancels';
import {
  grpcConnections,
  grpcDrops,
  grpcLongHeaders,
  grpcSilent,
  grpcUnfinished,
  grpcUnread,
  grpcWatchers,
  grpcWatchNames,
} from './attacks/grpc-memory';
import { grpcIdleConnections, grpcShortDeadlines } from './attacks/grpc-neighbours';
import {
  grpcRapidResets,
  grpcRapidResetsKnown,
  grpcReconnects,
  grpcResetsAtOnce,
  grpcTinyFields,
} from './attacks/grpc-stalls';
import { httpCancels } from './attacks/http-cancels';
import { httpCostlyJson } from './attacks/http-json';
import {
  publicMetadataUnread,
  publicMetadataValues,
  publicUnfinishedBodies,
} from './attacks/http-memory';
import { httpPipelined, httpReconnecting } from './attacks/http-pipelined';
import { metricsCrowd, metricsPipelined, metricsUnread } from './attacks/metrics';
import { outOfDescriptors } from './attacks/out-of-descriptors';
import { redisEndlessReply } from './attacks/redis-endless-reply';
import { tlsSilence, tlsSilenceAtStop } from './attacks/tls-silence';
import { unreadLog } from './attacks/unread-log';

/** Every attack, in the order of the table. One import and one line each. */
export const ATTACKS: readonly Attack[] = [
  floor,
  publicMetadataValues,
  publicMetadataUnread,
  publicUnfinishedBodies,
  httpCostlyJson,
  grpcWatchNames,
  ...grpcUnfinished,
  grpcConnections,
  grpcSilent,
  grpcLongHeaders,
  grpcWatchers,
  grpcUnread,
  grpcDrops,
  ...grpcRapidResets,
  grpcRapidResetsKnown,
  grpcResetsAtOnce,
  grpcReconnects,
  grpcTinyFields,
  grpcCancels,
  httpCancels,
  httpPipelined,
  httpReconnecting,
  metricsPipelined,
  metricsCrowd,
  metricsUnread,
  tlsSilence,
  tlsSilenceAtStop,
  unreadLog,
  redisEndlessReply,
  outOfDescriptors,
  grpcShortDeadlines,
  grpcIdleConnections,
];
