import { toErrorMessage } from '../base/error-message';

/** A variable for OTLP exporters with its value. */
export interface OtelVariable {
  readonly name: string;
  readonly value: string;
  /** True for the general variable, false for the one for traces. */
  readonly isGeneral: boolean;
}

/**
 * Finds `OTEL_EXPORTER_OTLP_TRACES_<name>`, or else `OTEL_EXPORTER_OTLP_<name>`. An empty variable
 * counts as not set (opentelemetry-specification, protocol/exporter).
 */
export function findOtelVariable(
  environment: Readonly<Record<string, string | undefined>>,
  suffix: 'ENDPOINT' | 'PROTOCOL' | 'HEADERS' | 'TIMEOUT' | 'INSECURE',
): OtelVariable | undefined {
  for (const isGeneral of [false, true]) {
    const name = `OTEL_EXPORTER_OTLP_${isGeneral ? '' : 'TRACES_'}${suffix}`;
    const value = environment[name] ?? '';
    if (value !== '') return { name, value, isGeneral };
  }
  return undefined;
}

/**
 * Parses the value of a variable.
 *
 * @throws {Error} with the name of the variable, if `parse` throws
 */
export function readOtelVariable<T>({ name, value }: OtelVariable, parse: (text: string) => T): T {
  try {
    return parse(value);
  } catch (cause) {
    throw new Error(`${name}: ${toErrorMessage(cause)}`, { cause });
  }
}
