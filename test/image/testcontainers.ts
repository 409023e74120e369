/** How a Testcontainers module starts daprd's image, and how it knows that it is ready. */
export interface ModuleStart {
  readonly name: string;
  /** Its command line, without the words that set the ports. */
  readonly command: readonly string[];
  /** Where the module puts the component files. */
  readonly components: string;
  /** A path that answers with 2xx, or a line of the log. */
  readonly readyAt: { readonly path: string } | { readonly line: string };
}

const CONTROL_PLANE = [
  ...['--placement-host-address', 'placement:50005'],
  ...['--scheduler-host-address', 'scheduler:51005'],
];

/** The command lines of the modules, with an app beside the sidecar where they allow for one. */
export const MODULES: readonly ModuleStart[] = [
  {
    // Java: io.dapr:testcontainers-dapr 1.16.0, DaprContainer.
    name: "Java's",
    command: [
      ...['./daprd', '--app-id', 'dapr-app', '--dapr-listen-addresses=0.0.0.0'],
      ...['--app-protocol', 'http', ...CONTROL_PLANE],
      ...['--app-channel-address', 'host.testcontainers.internal', '--app-port', '8080'],
      ...['--enable-app-health-check', '--app-health-check-path', '/actuator/health'],
      ...['--app-health-probe-interval', '5', '--app-health-probe-timeout', '500'],
      ...['--app-health-threshold', '3', '--config', '/dapr-resources/dapr-config.yaml'],
      ...['--log-level', 'info', '--resources-path', '/dapr-resources'],
    ],
    components: '/dapr-resources',
    readyAt: { path: '/v1.0/healthz/outbound' },
  },
  {
    // .NET: Dapr.Testcontainers, DaprdContainer.
    name: ".NET's",
    command: [
      ...['/daprd', '-app-id', 'dapr-app', '-log-level', 'debug', '-resources-path', '/components'],
      ...['-placement-host-address', '', '-scheduler-host-address', ''],
    ],
    components: '/components',
    readyAt: { line: 'Internal gRPC server is running' },
  },
  {
    // JavaScript: @dapr/testcontainer-node 0.5.1, DaprContainer.
    name: "JavaScript's",
    command: [
      ...['./daprd', '--app-id', 'dapr-app', '--dapr-listen-addresses=0.0.0.0'],
      ...['--app-protocol', 'http', ...CONTROL_PLANE, '--log-level', 'info'],
      ...['--resources-path', '/dapr-resources', '--app-port', '8080', '--enable-api-logging'],
    ],
    components: '/dapr-resources',
    readyAt: { path: '/v1.0/healthz/outbound' },
  },
  {
    // Go: modules/dapr, as proposed for testcontainers-go.
    name: "Go's",
    command: [
      ...['./daprd', '-app-id', 'dapr-app', '--dapr-listen-addresses=0.0.0.0'],
      ...['-components-path', '/components'],
    ],
    components: '/components',
    readyAt: { path: '/v1.0/healthz' },
  },
];

/** The files that the modules put beside the component of a test by default. */
export const RESOURCES: Readonly<Record<string, string>> = {
  'kvstore.yaml': `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: kvstore}
spec: {type: state.in-memory, version: v1, metadata: []}
`,
  'local.yaml': `apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: {name: local}
spec: {pubsubname: pubsub, topic: topic, route: /events}
`,
  'dapr-config.yaml': `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: dapr-config}
spec: {tracing: {samplingRate: "1"}}
`,
};
