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
import {
  grpcRapidResets,
  grpcReconnects,
  grpcResetsAtOnce,
  grpcTinyFields,
} from './attacks/grpc-stalls';
import { metricsPipelined, metricsUnread } from './attacks/metrics';
import { tlsSilence, tlsSilenceAtStop } from './attacks/tls-silence';

/** Every attack, in the order of the table. One import and one line each. */
export const ATTACKS: readonly Attack[] = [
  floor,
  grpcWatchNames,
  ...grpcUnfinished,
  grpcConnections,
  grpcSilent,
  grpcLongHeaders,
  grpcWatchers,
  grpcUnread,
  grpcDrops,
  ...grpcRapidResets,
  grpcResetsAtOnce,
  grpcReconnects,
  grpcTinyFields,
  grpcCancels,
  metricsPipelined,
  metricsUnread,
  tlsSilence,
  tlsSilenceAtStop,
];
