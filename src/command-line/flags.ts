/** The syntax of a flag's value. A `boolean` can have no value, a `list` can be repeated. */
export type FlagKind = 'text' | 'boolean' | 'integer' | 'list';

/**
 * The effect of a flag.
 * - `used`: it has an effect.
 * - `accepted`: a lock sidecar does not need it. It is accepted silently, because launchers pass
 *   it.
 * - `unserved`: a feature of daprd that is missing here. Setting it causes a warning.
 */
export type FlagEffect = 'used' | 'accepted' | 'unserved';

/**
 * A flag of daprd 1.18 (dapr/dapr cmd/daprd/options/options.go), or one of Holdfast's own, whose
 * meaning says so.
 */
export interface Flag {
  readonly kind: FlagKind;
  readonly default: string;
  readonly effect: FlagEffect;
  /** One line for `--help` and docs/flags.md. */
  readonly meaning: string;
}

const used = (kind: FlagKind, value: string, meaning: string): Flag => ({
  kind,
  default: value,
  effect: 'used',
  meaning,
});
const accepted = (kind: FlagKind, meaning: string): Flag => ({
  kind,
  default: '',
  effect: 'accepted',
  meaning,
});
const unserved = (kind: FlagKind, meaning: string): Flag => ({
  kind,
  default: '',
  effect: 'unserved',
  meaning,
});

const ACTORS = 'Actors: not part of a lock sidecar';
const CONTROL_PLANE = "Dapr's control plane: not used";
const APP = 'Calls to the app: never made';
const SCHEDULER = 'Jobs: not part of a lock sidecar';

/**
 * Every accepted flag, by its name without dashes. A test compares docs/flags.md with this table.
 */
export const FLAGS = {
  'app-id': used(
    'text',
    '',
    'App id, the default prefix of lock keys. Required; must not contain dots',
  ),
  'dapr-http-port': used('text', '3500', 'Port of the HTTP API'),
  'dapr-grpc-port': used('text', '50001', 'Port of the gRPC API'),
  'dapr-listen-addresses': used('text', '', 'Comma-separated listen addresses; empty for all'),
  'resources-path': used(
    'list',
    '',
    'Folder with component files, used instead of the Kubernetes API; can be repeated',
  ),
  'components-path': used('text', '', 'Older name of --resources-path, used if that is not set'),
  mode: used(
    'text',
    'standalone',
    'standalone, or kubernetes: read resources and secrets from the Kubernetes API',
  ),
  'max-body-size': used(
    'text',
    '4Mi',
    'Maximum size of a request body, as a quantity; 0 for no limit',
  ),
  'read-buffer-size': used('text', '4Ki', 'Maximum size of request headers, as a quantity'),
  'dapr-http-max-request-size': used('integer', '-1', 'Older form of --max-body-size, in MB'),
  'dapr-http-read-buffer-size': used('integer', '-1', 'Older form of --read-buffer-size, in KB'),
  'dapr-graceful-shutdown-seconds': used(
    'integer',
    '5',
    'Time for calls in flight to finish at shutdown; 0 for no limit',
  ),
  'log-level': used('text', 'info', 'debug, info, warn, error or fatal'),
  'log-as-json': used('boolean', 'false', 'Log in JSON'),
  'log-file': used('text', '', 'Append the log to this file instead of standard output'),
  'app-port': used('text', '0', 'Port of the app, shown by the metadata API; never called'),
  'app-protocol': used('text', 'http', 'Protocol of the app, shown by the metadata API'),
  'app-channel-address': used('text', '127.0.0.1', 'Address of the app, shown by the metadata API'),
  'app-max-concurrency': used('integer', '-1', 'Shown by the metadata API'),
  config: used(
    'list',
    '',
    'Configuration file, or its name in mode kubernetes; can be repeated, later ones override earlier ones',
  ),
  'enable-api-logging': used('boolean', 'false', 'Log each API call; overrides --config'),
  'unix-domain-socket': used('text', '', 'Folder for unix sockets, used instead of both API ports'),
  'dapr-public-port': used('text', '', 'Second HTTP port, for health and metadata only'),
  'dapr-public-listen-address': used(
    'text',
    '',
    'Listen address of --dapr-public-port; empty for all',
  ),
  'allowed-origins': used(
    'text',
    '',
    'Comma-separated origins whose pages may call (CORS); * for all',
  ),
  'metrics-port': used('text', '9090', 'Port of the Prometheus metrics'),
  'metrics-listen-address': used('text', '0.0.0.0', 'Listen address of the metrics'),
  'enable-metrics': used('boolean', 'true', 'false turns metrics off'),
  'hot-reload-reconcile-interval': used(
    'text',
    '60s',
    'How often resources and secrets are read, besides being watched; 0 means 60s',
  ),
  'tls-cert-file': used(
    'text',
    '',
    'Certificate chain (PEM) for both API ports; not a flag of daprd',
  ),
  'tls-key-file': used('text', '', 'Key of the certificate (PEM); not a flag of daprd'),
  'tls-client-ca-file': used(
    'text',
    '',
    'CAs (PEM); only clients with a certificate from them are accepted; not a flag of daprd',
  ),
  'trace-lock-details': used(
    'boolean',
    'false',
    'Add resource and owner of a lock to spans; not a flag of daprd',
  ),
  'max-concurrent-lock-calls': used(
    'integer',
    '1000',
    'Limit of concurrent lock calls; further ones are refused at once, 0 for no limit; not a flag of daprd',
  ),
  'max-lock-waits': used(
    'integer',
    '10000',
    'Limit of calls that wait for a lock; further ones are refused at once, 0 for no limit; not a flag of daprd',
  ),
  'max-lock-holds': used(
    'integer',
    '10000',
    'Limit of calls that hold a lock, or wait to; further ones are refused at once, 0 for no limit; not a flag of daprd',
  ),
  'disable-page': used(
    'boolean',
    'false',
    'Do not serve the page at /holdfast/, and keep nothing for it; not a flag of daprd',
  ),
  'upstream-grpc-endpoint': used(
    'text',
    '',
    'gRPC endpoint of a daprd that answers all calls except those of locks; not a flag of daprd',
  ),
  'upstream-http-endpoint': used(
    'text',
    '',
    'HTTP endpoint of a daprd that answers all calls except those of locks; not a flag of daprd',
  ),
  'max-upstream-calls': used(
    'integer',
    '1000',
    'Limit of concurrent calls to the upstream; further ones are refused at once, 0 for no limit; not a flag of daprd',
  ),
  'grpc-server': used(
    'text',
    'lean',
    'What carries gRPC calls: lean, the HTTP/2 of Holdfast, or the library grpc-js; not a flag of daprd',
  ),
  'disable-builtin-k8s-secret-store': used(
    'boolean',
    'false',
    'In mode kubernetes: no secret store named kubernetes',
  ),
  'dapr-internal-grpc-port': used('text', '', 'Only shown in the log line that launchers wait for'),
  version: used('boolean', 'false', 'Print the Dapr version that is served, and exit'),
  'build-info': used('boolean', 'false', 'Print all versions, and exit'),
  wait: used('boolean', 'false', 'Wait until a sidecar on --dapr-http-port is ready, and exit'),
  help: used('boolean', 'false', 'Print this text, and exit'),

  'dapr-block-shutdown-duration': unserved('text', 'A pause before the shutdown begins'),
  'enable-mtls': unserved('boolean', 'TLS by the control plane'),

  'profile-port': accepted('text', "Go's profiler"),
  'enable-profiling': accepted('boolean', "Go's profiler"),
  'dapr-internal-grpc-listen-address': accepted(
    'text',
    'Calls between sidecars: not part of a lock sidecar',
  ),
  'app-ssl': accepted('boolean', APP),
  'enable-app-health-check': accepted('boolean', APP),
  'app-health-check-path': accepted('text', APP),
  'app-health-probe-interval': accepted('integer', APP),
  'app-health-probe-timeout': accepted('integer', APP),
  'app-health-threshold': accepted('integer', APP),
  'app-binding-options-timeout': accepted('text', APP),
  'placement-host-address': accepted('text', ACTORS),
  'actors-service': accepted('text', ACTORS),
  'actors-disseminate-timeout': accepted('text', ACTORS),
  'reminders-service': accepted('text', ACTORS),
  'scheduler-host-address': accepted('list', SCHEDULER),
  'scheduler-job-streams': accepted('integer', SCHEDULER),
  'control-plane-address': accepted('text', CONTROL_PLANE),
  'control-plane-trust-domain': accepted('text', CONTROL_PLANE),
  'control-plane-namespace': accepted('text', CONTROL_PLANE),
  'sentry-address': accepted('text', CONTROL_PLANE),
  'sentry-request-jwt-audiences': accepted('list', CONTROL_PLANE),
  'disable-init-endpoints': accepted('list', CONTROL_PLANE),
} as const satisfies Readonly<Record<string, Flag>>;

/** The name of a flag, without dashes. */
export type FlagName = keyof typeof FLAGS;

/** True for the names in {@link FLAGS}. */
export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}
