import { readFileSync } from 'node:fs';
import { Agent, globalAgent } from 'node:https';
import type { SecureContext } from 'node:tls';

import { diag } from '@opentelemetry/api';

import { toErrorMessage } from '../base/error-message';
import type { Identity, SystemAuthorities } from '../trust/system-authorities';

/** What says whom to trust with traces, and by which certificate they are sent. */
export interface TracingTrust {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly authorities: SystemAuthorities;
}

/** The files of OpenTelemetry's own variables; those of traces count before those of everything. */
const VARIABLES = { ca: 'CERTIFICATE', cert: 'CLIENT_CERTIFICATE', key: 'CLIENT_KEY' } as const;

/**
 * What node:tls speaks with to an OTLP receiver: OTEL_EXPORTER_OTLP_CERTIFICATE and its like, and
 * the machine's authorities where none are named.
 */
export function toContext({ environment, authorities }: TracingTrust): SecureContext {
  const read = (member: keyof typeof VARIABLES): Identity => {
    const file =
      environment[`OTEL_EXPORTER_OTLP_TRACES_${VARIABLES[member]}`] ??
      environment[`OTEL_EXPORTER_OTLP_${VARIABLES[member]}`] ??
      '';
    if (file.trim() === '') return {};
    try {
      return { [member]: readFileSync(file.trim(), 'utf8') };
    } catch (error) {
      diag.warn(`the file of ${VARIABLES[member]} can't be read: ${toErrorMessage(error)}`);
      return {};
    }
  };
  const pair = { ...read('cert'), ...read('key') };
  return authorities.contextOf({
    ...read('ca'),
    ...(pair.cert === undefined || pair.key === undefined ? {} : pair),
  });
}

/** Makes the agent of an OTLP exporter over HTTP. */
export function toAgentFactory(trust: TracingTrust): () => Agent {
  return () => new Agent({ keepAlive: true, secureContext: toContext(trust) });
}

/**
 * Lets Node's own agent trust the machine's authorities: Zipkin's exporter knows no other, and
 * nothing else in the process uses it.
 */
export function trustByDefault({ authorities }: TracingTrust): void {
  globalAgent.options.secureContext = authorities.contextOf();
}
