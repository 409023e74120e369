import { parseTarget } from '../../bench/target-spec';

describe('a target of the command line', () => {
  it.each(['ours', 'floors'])('may be %s', (kind) => {
    expect(parseTarget(kind)).toEqual({ kind });
  });

  it('is else a sidecar by its ports and process id', () => {
    expect(parseTarget('name=daprd,http=3500,grpc=50001,pid=123')).toEqual({
      kind: 'peer',
      name: 'daprd',
      httpPort: 3500,
      grpcPort: 50_001,
      pid: 123,
      storeName: 'lockstore',
    });
  });

  it('may have one port only, and another store', () => {
    expect(parseTarget('name=daprd,grpc=50001,pid=1,store=locks')).toMatchObject({
      httpPort: undefined,
      storeName: 'locks',
    });
  });

  it.each([
    ['theirs', '"theirs" is no field=value'],
    ['name=daprd,grpc=50001,pid=1,host=there', 'no field host'],
    ['grpc=50001,pid=1', 'name= must be'],
    ['name=ours,grpc=50001,pid=1', 'name= must be'],
    ['name=a@b,grpc=50001,pid=1', 'name= must be'],
    ['name=daprd,pid=1', 'http= or grpc= must name a port'],
    ['name=daprd,grpc=70000,pid=1', '70000 is no port'],
    ['name=daprd,grpc=50001', 'pid= must be'],
  ])('is refused as %s', (text, reason) => {
    expect(() => parseTarget(text)).toThrow(reason);
  });
});
