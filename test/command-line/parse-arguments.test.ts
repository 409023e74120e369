import { parseArguments } from '../../src/command-line/parse-arguments';
import type { RunOptions } from '../../src/command-line/run-options';

const VERSIONS = { daprVersion: '1.18.3', holdfastVersion: '0.1.0' };
const parse = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  parseArguments(argv, env, VERSIONS);

function run(argv: readonly string[], env: NodeJS.ProcessEnv = {}): RunOptions {
  const invocation = parse(['--app-id', 'myapp', ...argv], env);
  if (invocation.kind !== 'run') throw new Error(JSON.stringify(invocation));
  return invocation.options;
}

describe('parseArguments', () => {
  it("has daprd's defaults", () => {
    expect(run([])).toEqual({
      appId: 'myapp',
      httpPort: 3500,
      grpcPort: 50_001,
      listenAddresses: [],
      resourcesPaths: [],
      httpMaxBodyBytes: 4_194_304,
      grpcServer: 'lean',
      grpcMaxMessageBytes: 4_194_304,
      readBufferBytes: 4096,
      allowedOrigins: [],
      apiLogging: undefined,
      configFiles: [],
      hasBuiltInSecretStore: true,
      mode: 'standalone',
      metricsAddress: { host: '0.0.0.0', port: 9090, isRequired: false },
      publicAddress: undefined,
      reconcileIntervalMs: 60_000,
      tlsFiles: undefined,
      tracesLockDetails: false,
      servesPage: true,
      unixSocketFolder: undefined,
      gracefulShutdownMs: 5000,
      logLevel: 'info',
      logAsJson: false,
      logFile: undefined,
      apiToken: undefined,
      namespace: undefined,
      internalGrpcPort: expect.any(Number) as number,
      appConnection: {
        port: 0,
        protocol: 'http',
        channelAddress: '127.0.0.1',
        maxConcurrency: -1,
      },
      maxConcurrentLockCalls: 1000,
      maxLockWaits: 10_000,
      maxLockHolds: 10_000,
      upstreamEndpoints: undefined,
      maxUpstreamCalls: 1000,
      warnings: [],
    });
  });

  describe('the forms of a flag', () => {
    it.each([
      [['--dapr-http-port', '1']],
      [['--dapr-http-port=1']],
      [['-dapr-http-port', '1']],
      [['-dapr-http-port=1']],
      [['--dapr-http-port', '2', '--dapr-http-port', '1']],
      [['stray', '--dapr-http-port', '1', 'word']],
    ])('%j', (argv) => {
      expect(run(argv).httpPort).toBe(1);
    });

    it.each([
      [['--log-as-json'], true],
      [['--log-as-json=true'], true],
      [['--log-as-json=1'], true],
      [['-log-as-json'], true],
      [['--log-as-json=false'], false],
      [['--log-as-json=F'], false],
      [['--log-as-json', '--log-as-json=0'], false],
      // A boolean takes no second word: this one is a stray.
      [['--log-as-json', 'false'], true],
    ])('boolean %j is %s', (argv, value) => {
      expect(run(argv).logAsJson).toBe(value);
    });

    it('takes negative numbers as values', () => {
      const options = run(['--app-max-concurrency', '-10', '--max-body-size', '-1']);
      expect([options.appConnection.maxConcurrency, options.httpMaxBodyBytes]).toEqual([
        -10, 4_194_304,
      ]);
    });

    it.each([[['--config', '']], [['--config=']], [['--app-port', '']], [['--log-file', '']]])(
      'takes the empty value of %j',
      (argv) => {
        expect(run(argv).warnings).toEqual([]);
      },
    );

    it.each([
      ['0', undefined],
      ['1', 1],
    ])('takes %s for the bound of lock calls', (text, bound) => {
      expect(run(['--max-concurrent-lock-calls', text]).maxConcurrentLockCalls).toBe(bound);
    });

    it.each([
      [[], [10_000, 10_000]],
      [
        ['--max-lock-waits', '3', '--max-lock-holds=4'],
        [3, 4],
      ],
      [
        ['--max-lock-waits=0', '--max-lock-holds', '0'],
        [Infinity, Infinity],
      ],
    ])('takes %j for the bounds of waits and holds', (argv, bounds) => {
      const { maxLockWaits, maxLockHolds } = run(argv);
      expect([maxLockWaits, maxLockHolds]).toEqual(bounds);
    });

    it('ends at --', () => {
      expect(run(['--', '--dapr-http-port', 'x']).httpPort).toBe(3500);
    });

    it.each([
      [['--components-path', 'a', '--components-path=b'], ['b']],
      [['--components-path', 'a', '--components-path='], []],
      [['--components-path', 'a,b'], ['a,b']],
    ])('takes the last of %j', (argv, paths) => {
      expect(run(argv).resourcesPaths).toEqual(paths);
    });

    it('takes the last of --dapr-listen-addresses, which is a list by commas alone', () => {
      const argv = ['--dapr-listen-addresses', '::1', '--dapr-listen-addresses=127.0.0.1,[::1]'];
      expect(run(argv).listenAddresses).toEqual(['127.0.0.1', '::1']);
    });

    it('takes a list repeated and by commas', () => {
      const argv = ['--resources-path', 'a,b', '--resources-path=c', '--components-path', 'd'];
      expect(run(argv).resourcesPaths).toEqual(['a', 'b', 'c']);
    });
  });

  describe('a command line that can not be understood', () => {
    it.each([
      [['--nope'], 'unknown flag: --nope'],
      [['-nope', 'x'], 'unknown flag: --nope'],
      [['-x'], 'unknown shorthand flag: -x'],
      [['--resource-path', 'x'], 'unknown flag: --resource-path; did you mean --resources-path?'],
      [['-ap-id', 'x'], 'unknown flag: --ap-id; did you mean --app-id?'],
      [['--dapr-http-port'], 'flag needs an argument: --dapr-http-port'],
      [
        ['--log-as-json=maybe'],
        'invalid argument "maybe" for "--log-as-json" flag: true or false is allowed',
      ],
      [
        ['--app-max-concurrency', 'x'],
        'invalid argument "x" for "--app-max-concurrency" flag: a whole number is allowed',
      ],
    ])('%j ends with 2, says why and shows the usage', (argv, reason) => {
      const { kind, exitCode, message } = parse(argv) as Record<string, unknown>;
      expect([kind, exitCode]).toEqual(['invalid', 2]);
      expect(message).toMatch(/^Usage: holdfast/);
      expect(String(message).trimEnd().split('\n').at(-1)).toBe(reason);
    });
  });

  describe('options that can not be run with', () => {
    it.each([
      [[], 'parameter app-id cannot be empty'],
      [['--app-id='], 'parameter app-id cannot be empty'],
      [['--app-id', 'a.b'], 'parameter app-id cannot contain dots'],
      [
        ['--app-id=a', '--dapr-http-port', 'x'],
        'error parsing dapr-http-port flag: "x" is not a port (allowed: 1 to 65535)',
      ],
      [
        ['--app-id=a', '--dapr-grpc-port', '70000'],
        'error parsing dapr-grpc-port flag: "70000" is not a port (allowed: 1 to 65535)',
      ],
      [
        ['--app-id=a', '--dapr-internal-grpc-port', 'x'],
        'error parsing dapr-internal-grpc-port flag: "x" is not a port (allowed: 1 to 65535, 0 for a port that Holdfast chooses)',
      ],
      [
        ['--app-id=a', '--metrics-port', '-1'],
        'error parsing metrics-port flag: "-1" is not a port (allowed: 1 to 65535, 0 for any free port)',
      ],
      [
        ['--app-id=a', '--dapr-http-port', '0'],
        "the 'dapr-http-port' argument value 0 conflicts with 'app-port' (0 is not allowed)",
      ],
      [
        ['--app-id=a', '--app-port', '50001'],
        "the 'dapr-grpc-port' argument value 50001 conflicts with 'app-port'",
      ],
      [
        ['--app-id=a', '--dapr-http-port', '50001'],
        'dapr-http-port and dapr-grpc-port are both 50001: they must differ',
      ],
      [['--app-id=a', '--mode', 'x'], 'invalid mode: x (allowed: standalone, kubernetes)'],
      [
        ['--app-id=a', '--grpc-server', 'x'],
        'invalid value for --grpc-server: x (allowed: grpc-js, lean)',
      ],
      [
        ['--app-id=a', '--log-level', 'x'],
        'invalid value for --log-level: x (allowed: debug, info, warn, error, fatal)',
      ],
      [
        ['--app-id=a', '--max-body-size', '4MB'],
        'invalid value for --max-body-size: "4MB" (allowed: a quantity below 2Gi, such as 4Mi)',
      ],
      [
        ['--app-id=a', '--read-buffer-size', ''],
        'invalid value for --read-buffer-size: "" (allowed: a quantity below 2Gi, such as 4Ki)',
      ],
      [
        ['--app-id=a', '--max-concurrent-lock-calls', '-1'],
        'invalid value for --max-concurrent-lock-calls: -1 (allowed: 1 or more, or 0 for no limit)',
      ],
      [
        ['--app-id=a', '--max-lock-waits', '-1'],
        'invalid value for --max-lock-waits: -1 (allowed: 1 or more, or 0 for no limit)',
      ],
      [
        ['--app-id=a', '--max-lock-holds', '-2'],
        'invalid value for --max-lock-holds: -2 (allowed: 1 or more, or 0 for no limit)',
      ],
    ])('%j end with 1 and say why', (argv, message) => {
      expect(parse(argv)).toEqual({ kind: 'invalid', exitCode: 1, message: `${message}\n` });
    });
  });

  it('takes mode kubernetes with and without folders', () => {
    expect(run(['--mode', 'kubernetes'])).toMatchObject({ mode: 'kubernetes', resourcesPaths: [] });
    expect(run(['--mode=kubernetes', '--resources-path', 'x']).resourcesPaths).toEqual(['x']);
    expect(run(['--disable-builtin-k8s-secret-store']).hasBuiltInSecretStore).toBe(false);
  });

  describe('sizes', () => {
    it.each([
      [['--max-body-size', '1Ki'], 1024, 1024],
      [['--max-body-size', '0'], undefined, 0],
      [['--max-body-size', '-1'], 4_194_304, 4_194_304],
      [['--dapr-http-max-request-size', '2'], 2_097_152, 2_097_152],
      [['--dapr-http-max-request-size', '2', '--max-body-size', '1k'], 1000, 1000],
    ])('%j', (argv, http, grpc) => {
      const { httpMaxBodyBytes, grpcMaxMessageBytes } = run(argv);
      expect([httpMaxBodyBytes, grpcMaxMessageBytes]).toEqual([http, grpc]);
    });

    it.each([
      [['--read-buffer-size', '8Ki'], 8192],
      [['--dapr-http-read-buffer-size', '16'], 16_384],
      [['--dapr-http-read-buffer-size', '16', '--read-buffer-size', '1Ki'], 1024],
    ])('%j', (argv, bytes) => {
      expect(run(argv).readBufferBytes).toBe(bytes);
    });
  });

  describe('the grace period', () => {
    it.each([
      ['3', 3000],
      ['-1', 5000],
      ['0', undefined],
    ])('of %s s', (seconds, ms) => {
      expect(run(['--dapr-graceful-shutdown-seconds', seconds]).gracefulShutdownMs).toBe(ms);
    });

    it('that does not end is warned about in the words of daprd', () => {
      expect(run(['--dapr-graceful-shutdown-seconds=0']).warnings).toEqual([
        'Graceful shutdown timeout is infinite, will wait indefinitely to shutdown',
      ]);
    });
  });

  it('takes brackets off IPv6 addresses', () => {
    expect(run(['--dapr-listen-addresses', '[::1],127.0.0.1']).listenAddresses).toEqual([
      '::1',
      '127.0.0.1',
    ]);
  });

  it('reads token and namespace from the environment', () => {
    const { apiToken, namespace } = run([], { DAPR_API_TOKEN: 't', NAMESPACE: 'n' });
    expect([apiToken, namespace]).toEqual(['t', 'n']);
  });

  it('warns about what people may count on and is not served', () => {
    const argv = ['--dapr-block-shutdown-duration', '5s', '--enable-mtls=false'];
    expect(run(argv).warnings).toEqual([
      '--dapr-block-shutdown-duration is accepted but not served yet: A pause before the shutdown begins',
    ]);
  });

  it('takes what dapr run passes, word for word', () => {
    const argv = [
      ...['--config', '', '--app-protocol', 'http', '--log-level', 'info'],
      ...['--app-max-concurrency', '-1', '--placement-host-address', 'localhost:50005'],
      ...['--resources-path', 'r', '--max-body-size', '4Mi', '--read-buffer-size', '4Ki'],
      ...['--scheduler-host-address', 'localhost:50006', '--app-port', '0'],
      ...['--dapr-http-port', '3501', '--dapr-grpc-port', '50002', '--profile-port', '-1'],
      ...['--metrics-port', '9091', '--dapr-internal-grpc-port', '50003', '--log-as-json'],
    ];
    expect(run(argv)).toMatchObject({
      httpPort: 3501,
      grpcPort: 50_002,
      internalGrpcPort: 50_003,
      logAsJson: true,
      warnings: [],
    });
  });

  describe('the internal port', () => {
    it('is the same for the same app in the same place, and another for another app', () => {
      const port = run([]).internalGrpcPort;
      expect(run(['--dapr-internal-grpc-port', '0']).internalGrpcPort).toBe(port);
      expect(run(['--app-id', 'other']).internalGrpcPort).not.toBe(port);
      expect(port).toBeGreaterThanOrEqual(47_300);
    });
  });

  describe('what is printed', () => {
    it('--version is the Dapr version alone', () => {
      expect(parse(['--version'])).toEqual({ kind: 'print', text: '1.18.3\n' });
    });

    it('--build-info has three lines of daprd and ours', () => {
      expect(parse(['--build-info'])).toEqual({
        kind: 'print',
        text: 'Version: 1.18.3\nGit Commit: holdfast-0.1.0\nGit Version: v1.18.3\nHoldfast Version: 0.1.0\n',
      });
    });

    it.each(['--help', '-h', '-help'])('%s names every flag', (flag) => {
      const { text } = parse([flag]) as { text: string };
      expect(text).toContain('--app-id TEXT');
      expect(text).toContain('--sentry-address');
    });
  });

  it('--wait asks for a port', () => {
    expect(parse(['--wait', '--dapr-http-port', '7'])).toEqual({ kind: 'wait', httpPort: 7 });
  });
});
