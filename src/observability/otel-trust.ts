import { readFileSync } from 'node:fs';
import { Agent, globalAgent } from 'node:https';
import type { SecureContext } from 'node:tls';

import { diag } from '@opentelemetry/api';

import { toErrorMessage } from '../base/error-message';
import type { Identity, SystemAuthorities } from '../trust/system-authorities';

/** The sources for CAs and client certificates of trace receivers. */
export interface TracingTrust {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly authorities: SystemAuthorities;
}

/** OpenTelemetry's variables for certificate files. Those for traces override the general ones. */
const VARIABLES = { ca: 'CERTIFICATE', cert: 'CLIENT_CERTIFICATE', key: 'CLIENT_KEY' } as const;

/**
 * The TLS context for an OTLP receiver: from OTEL_EXPORTER_OTLP_CERTIFICATE and related variables,
 * or with the system's CAs.
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

/** Creates the agent of an OTLP exporter over HTTP. */
export function toAgentFactory(trust: TracingTrust): () => Agent {
  return () => new Agent({ keepAlive: true, secureContext: toContext(trust) });
}

/**
 * Makes Node's global agent trust the system's CAs. The Zipkin exporter supports no other agent,
 * and nothing else in the process uses it.
 */
export function trustByDefault({ authorities }: TracingTrust): void {
  globalAgent.options.secureContext = authorities.contextOf();
}
