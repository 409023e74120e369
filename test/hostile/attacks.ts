import type { Attack } from './attack';
import { floor } from './attacks/floor';
import { metricsPipelined, metricsUnread } from './attacks/metrics';
import { tlsSilence, tlsSilenceAtStop } from './attacks/tls-silence';

/** Every attack, in the order of the table. One import and one line each. */
export const ATTACKS: readonly Attack[] = [
  floor,
  metricsPipelined,
  metricsUnread,
  tlsSilence,
  tlsSilenceAtStop,
];
