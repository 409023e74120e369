import { toErrorMessage } from '../base/error-message';

/** A variable of OTLP exporters that is set. */
export interface OtelVariable {
  readonly name: string;
  readonly value: string;
  /** True for the general one, false for the one of traces. */
  readonly isGeneral: boolean;
}

/**
 * Finds `OTEL_EXPORTER_OTLP_TRACES_…`, else the general one, by what follows; an empty one counts as
 * not set (opentelemetry-specification, protocol/exporter).
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
 * Reads a variable's value.
 *
 * @throws {Error} that names the variable which can't be read
 */
export function readOtelVariable<T>({ name, value }: OtelVariable, parse: (text: string) => T): T {
  try {
    return parse(value);
  } catch (cause) {
    throw new Error(`${name}: ${toErrorMessage(cause)}`, { cause });
  }
}
