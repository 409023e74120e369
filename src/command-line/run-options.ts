import type { TlsFiles } from '../servers/listen-address';
import type { FlagValues } from './argv';
import { FLAGS } from './flags';
import { toInternalPort } from './internal-port';
import {
  type MetricsAddress,
  orUndefined,
  type PortAddress,
  toMetricsAddress,
  toPort,
  toPublicAddress,
  toReconcileInterval,
  toTlsFiles,
  withoutBrackets,
} from './listener-options';
import { OptionsError } from './options-error';
import { parseQuantity } from './quantity';
import { toUpstreamEndpoints, type UpstreamEndpoints } from './upstream-options';

/** The levels of `--log-level`. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** The values of `--mode`: where Dapr's resources are. */
export type Mode = 'standalone' | 'kubernetes';

/** The values of `--grpc-server`: what carries the calls of the gRPC API. */
export type GrpcServerName = 'grpc-js' | 'lean';

/** All options of a sidecar, checked: from the command line and the environment. */
export interface RunOptions {
  readonly appId: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Hosts without brackets; empty for all. */
  readonly listenAddresses: readonly string[];
  readonly mode: Mode;
  readonly resourcesPaths: readonly string[];
  /** Undefined for no limit. */
  readonly httpMaxBodyBytes: number | undefined;
  readonly grpcServer: GrpcServerName;
  /** 0 accepts only empty messages, as in daprd. */
  readonly grpcMaxMessageBytes: number;
  readonly readBufferBytes: number;
  /** Undefined for no limit. */
  readonly gracefulShutdownMs: number | undefined;
  readonly logLevel: LogLevel;
  readonly logAsJson: boolean;
  /** Undefined for standard output. */
  readonly logFile: string | undefined;
  readonly apiToken: string | undefined;
  readonly namespace: string | undefined;
  readonly internalGrpcPort: number;
  /** Values of --config: files or, in mode kubernetes, names. Later ones override earlier ones. */
  readonly configFiles: readonly string[];
  /** True if the secrets of the cluster can be read in mode kubernetes. */
  readonly hasBuiltInSecretStore: boolean;
  /** Undefined if the configuration decides. */
  readonly apiLogging: boolean | undefined;
  /** Folder for unix sockets that replace the API ports. Undefined for TCP. */
  readonly unixSocketFolder: string | undefined;
  /** Undefined for no public port. */
  readonly publicAddress: PortAddress | undefined;
  readonly allowedOrigins: readonly string[];
  /** Undefined if metrics are turned off. */
  readonly metricsAddress: MetricsAddress | undefined;
  readonly reconcileIntervalMs: number;
  /** Undefined for plain connections. */
  readonly tlsFiles: TlsFiles | undefined;
  /** True if spans contain resource and owner. */
  readonly tracesLockDetails: boolean;
  /** True if the page for people is served. */
  readonly servesPage: boolean;
  /** Undefined for no bound. */
  readonly maxConcurrentLockCalls: number | undefined;
  /** Infinity for no bound. */
  readonly maxLockWaits: number;
  /** Infinity for no bound. */
  readonly maxLockHolds: number;
  /** The sidecar behind this one. Undefined if there is none. */
  readonly upstreamEndpoints: UpstreamEndpoints | undefined;
  /** Infinity for no bound. */
  readonly maxUpstreamCalls: number;
  readonly appConnection: {
    readonly port: number;
    readonly protocol: string;
    readonly channelAddress: string;
    readonly maxConcurrency: number;
  };
  /** Warnings for the log about options without an effect. */
  readonly warnings: readonly string[];
}

/** The environment that determines the internal port. */
export interface RunEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** Folder, user and machine: together they identify the place of an app. */
  readonly place: readonly string[];
}

const DEFAULT_BODY_BYTES = 4 * 2 ** 20;
const DEFAULT_GRACE_SECONDS = 5;
const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal'];

/**
 * Checks all flags and turns them into options. Checks in the same order as daprd, so that the
 * first error is the same.
 *
 * @throws {OptionsError} for errors that make daprd exit with code 1
 */
export function toRunOptions(flags: FlagValues, environment: RunEnvironment): RunOptions {
  const logLevel = toLogLevel(flags.text('log-level'));
  const appId = toAppId(flags.text('app-id'));
  const ports = toPorts(flags);
  const resourcesPaths = toResourcesPaths(flags);
  const mode = toMode(flags.text('mode'));
  const bodyBytes = toBodyBytes(flags);
  const { env, place } = environment;
  return Object.freeze({
    appId,
    ...ports,
    listenAddresses: flags.list('dapr-listen-addresses').map(withoutBrackets),
    mode,
    resourcesPaths,
    httpMaxBodyBytes: bodyBytes === 0 ? undefined : bodyBytes,
    grpcServer: toGrpcServer(flags.text('grpc-server')),
    grpcMaxMessageBytes: bodyBytes,
    readBufferBytes: toReadBufferBytes(flags),
    gracefulShutdownMs: toGraceMs(flags.integer('dapr-graceful-shutdown-seconds')),
    logLevel,
    logAsJson: flags.boolean('log-as-json'),
    logFile: orUndefined(flags.text('log-file')),
    apiToken: orUndefined(env.DAPR_API_TOKEN ?? ''),
    namespace: orUndefined(env.NAMESPACE ?? ''),
    internalGrpcPort: toInternalGrpcPort(flags, [appId, ...place]),
    appConnection: {
      port: toPort(flags, 'app-port'),
      protocol: flags.text('app-protocol'),
      channelAddress: flags.text('app-channel-address'),
      maxConcurrency: flags.integer('app-max-concurrency'),
    },
    configFiles: flags.list('config'),
    hasBuiltInSecretStore: !flags.boolean('disable-builtin-k8s-secret-store'),
    apiLogging: flags.has('enable-api-logging') ? flags.boolean('enable-api-logging') : undefined,
    unixSocketFolder: orUndefined(flags.text('unix-domain-socket')),
    publicAddress: toPublicAddress(flags),
    allowedOrigins: toList(flags.text('allowed-origins')),
    metricsAddress: toMetricsAddress(flags),
    reconcileIntervalMs: toReconcileInterval(flags.text('hot-reload-reconcile-interval')),
    tlsFiles: toTlsFiles(flags),
    tracesLockDetails: flags.boolean('trace-lock-details'),
    servesPage: !flags.boolean('disable-page'),
    maxConcurrentLockCalls: orNoBound(toBound(flags, 'max-concurrent-lock-calls')),
    maxLockWaits: toBound(flags, 'max-lock-waits'),
    maxLockHolds: toBound(flags, 'max-lock-holds'),
    upstreamEndpoints: toUpstreamEndpoints(flags, env, Object.values(ports)),
    maxUpstreamCalls: toBound(flags, 'max-upstream-calls'),
    warnings: toWarnings(flags),
  });
}

function toList(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function toLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text.toLowerCase());
  if (level !== undefined) return level;
  throw new OptionsError(
    `invalid value for --log-level: ${text} (allowed: ${LOG_LEVELS.join(', ')})`,
  );
}

function toAppId(appId: string): string {
  if (appId === '') throw new OptionsError('parameter app-id cannot be empty');
  if (appId.includes('.')) throw new OptionsError('parameter app-id cannot contain dots');
  return appId;
}

function toPorts(flags: FlagValues): { readonly httpPort: number; readonly grpcPort: number } {
  const appPort = toPort(flags, 'app-port');
  const [httpPort, grpcPort] = [toPort(flags, 'dapr-http-port'), toPort(flags, 'dapr-grpc-port')];
  for (const [name, port] of Object.entries({
    'dapr-http-port': httpPort,
    'dapr-grpc-port': grpcPort,
  })) {
    // daprd's check. An app port that is not set is 0, so this also refuses port 0.
    if (port === appPort) {
      throw new OptionsError(
        `the '${name}' argument value ${port} conflicts with 'app-port'${port === 0 ? ' (0 is not allowed)' : ''}`,
      );
    }
  }
  if (httpPort === grpcPort) {
    throw new OptionsError(
      `dapr-http-port and dapr-grpc-port are both ${httpPort}: they must differ`,
    );
  }
  return { httpPort, grpcPort };
}

function toInternalGrpcPort(flags: FlagValues, identity: readonly string[]): number {
  const text = flags.text('dapr-internal-grpc-port');
  if (text === '' || text === '0') return toInternalPort(identity);
  return toPort(flags, 'dapr-internal-grpc-port');
}

function toResourcesPaths(flags: FlagValues): readonly string[] {
  const paths = flags.list('resources-path');
  const older = flags.text('components-path');
  return paths.length > 0 || older === '' ? paths : [older];
}

function toMode(text: string): Mode {
  if (text === 'standalone' || text === 'kubernetes') return text;
  throw new OptionsError(`invalid mode: ${text} (allowed: standalone, kubernetes)`);
}

function toGrpcServer(text: string): GrpcServerName {
  if (text === 'grpc-js' || text === 'lean') return text;
  throw new OptionsError(`invalid value for --grpc-server: ${text} (allowed: grpc-js, lean)`);
}

/** --max-body-size overrides the older flag. -1 means daprd's default. */
function toBodyBytes(flags: FlagValues): number {
  const megabytes = flags.integer('dapr-http-max-request-size');
  if (!flags.has('max-body-size') && megabytes >= 0) return megabytes * 2 ** 20;
  const bytes = toBytes(flags, 'max-body-size');
  return bytes < 0 ? DEFAULT_BODY_BYTES : bytes;
}

function toReadBufferBytes(flags: FlagValues): number {
  const kilobytes = flags.integer('dapr-http-read-buffer-size');
  if (!flags.has('read-buffer-size') && kilobytes > 0) return kilobytes * 2 ** 10;
  return Math.max(toBytes(flags, 'read-buffer-size'), 0);
}

function toBytes(flags: FlagValues, name: 'max-body-size' | 'read-buffer-size'): number {
  const text = flags.text(name);
  const bytes = parseQuantity(text);
  if (bytes !== undefined && bytes < 2 ** 31) return bytes;
  throw new OptionsError(
    `invalid value for --${name}: ${JSON.stringify(text)} (allowed: a quantity below 2Gi, such as ${FLAGS[name].default})`,
  );
}

/** Infinity for no bound. */
function toBound(
  flags: FlagValues,
  name: 'max-concurrent-lock-calls' | 'max-lock-waits' | 'max-lock-holds' | 'max-upstream-calls',
): number {
  const bound = flags.integer(name);
  if (bound >= 0) return bound === 0 ? Infinity : bound;
  throw new OptionsError(
    `invalid value for --${name}: ${bound} (allowed: 1 or more, or 0 for no limit)`,
  );
}

function orNoBound(bound: number): number | undefined {
  return bound === Infinity ? undefined : bound;
}

function toGraceMs(seconds: number): number | undefined {
  if (seconds === 0) return undefined;
  return (seconds < 0 ? DEFAULT_GRACE_SECONDS : Math.min(seconds, 2 ** 21)) * 1000;
}

function toWarnings(flags: FlagValues): readonly string[] {
  const asked = flags.names.filter((name) => {
    const { effect, kind } = FLAGS[name];
    return (
      effect === 'unserved' && (kind === 'boolean' ? flags.boolean(name) : flags.text(name) !== '')
    );
  });
  const warnings = asked.map(
    (name) => `--${name} is accepted but not served yet: ${FLAGS[name].meaning}`,
  );
  if (flags.integer('dapr-graceful-shutdown-seconds') === 0) {
    warnings.push('Graceful shutdown timeout is infinite, will wait indefinitely to shutdown');
  }
  return warnings;
}
