import { parseBenchOptions } from '../../bench/bench-options';

describe("the benchmark's command line", () => {
  it('measures ours beside the floors by default, in nine rounds', () => {
    expect(parseBenchOptions([])).toMatchObject({
      targets: [{ kind: 'ours' }, { kind: 'floors' }],
      nodes: [],
      stores: ['memory', 'redis'],
      transports: ['grpc', 'http'],
      rounds: 9,
      inFlight: [1, 10, 100, 500],
      held: [1, 10_000, 1_000_000],
      soakMinutes: 0,
      profile: false,
    });
  });

  it('takes targets and Nodes in their order', () => {
    const peer = ['--target', 'ours', '--target', 'name=daprd,grpc=50001,pid=1'];
    const options = parseBenchOptions([...peer, '--node', '22', '--node', '24']);
    expect(options.targets.map(({ kind }) => kind)).toEqual(['ours', 'peer']);
    expect(options.nodes).toEqual(['22', '24']);
  });

  it('does everything once in a smoke run, unless told otherwise', () => {
    const options = parseBenchOptions(['--smoke', '--rounds', '2', '--stores', 'redis']);
    expect(options).toMatchObject({ rounds: 2, seconds: 0.1, stores: ['redis'] });
    expect(options.sections).toEqual(parseBenchOptions([]).sections);
  });

  it('takes lists of numbers', () => {
    const options = parseBenchOptions(['--held', '1,500', '--in-flight', '7', '--soak', '10']);
    expect(options).toMatchObject({ held: [1, 500], inFlight: [7], soakMinutes: 10 });
  });

  it.each([
    [['--stores', 'disk'], '--stores: disk is not of memory, redis'],
    [['--only', 'all'], '--only: all is not of refused'],
    [['--rounds', '1.5'], '--rounds: 1.5 is no whole number'],
    [['--seconds', '0'], '--seconds: 0 is no number above 0'],
    [['--held', '1,x'], '--held: x is no number above 0'],
    [['--target', 'floors'], '--target: ours is missing'],
    [['--target', 'ours', '--target', 'ours'], '--target: ours is named twice'],
    [['--fast'], "unknown option '--fast'"],
  ])('refuses %j', (args, reason) => {
    expect(() => parseBenchOptions(args)).toThrow(reason);
  });
});
