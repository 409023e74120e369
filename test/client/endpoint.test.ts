import { EndpointError, findEndpoint, parseEndpoint } from '../../src/client/endpoint';

describe('the address of a sidecar', () => {
  it.each([
    ['127.0.0.1:50001', 'dns:127.0.0.1:50001', false, true],
    ['localhost:1', 'dns:localhost:1', false, true],
    [':50001', 'dns:localhost:50001', false, true],
    ['[::1]:50001', 'dns:[::1]:50001', false, true],
    ['sidecar', 'dns:sidecar:443', false, false],
    ['sidecar:50001?tls=true', 'dns:sidecar:50001', true, false],
    ['sidecar:50001?tls=false', 'dns:sidecar:50001', false, false],
    ['http://sidecar:3', 'dns:sidecar:3', false, false],
    ['http://sidecar:3/', 'dns:sidecar:3', false, false],
    ['https://sidecar', 'dns:sidecar:443', true, false],
    ['grpc://sidecar:3', 'dns:sidecar:3', false, false],
    ['grpcs://sidecar:3', 'dns:sidecar:3', true, false],
    ['dns:sidecar:3?tls=true', 'dns:sidecar:3', true, false],
    ['dns://8.8.8.8/sidecar:3', 'dns://8.8.8.8/sidecar:3', false, false],
    ['unix:/run/a.socket', 'unix:/run/a.socket', false, true],
    ['unix:///run/a.socket', 'unix:/run/a.socket', false, true],
    ['unix:run/a.socket?tls=true', 'unix:run/a.socket', true, true],
    ['/run/a.socket', 'unix:/run/a.socket', false, true],
    ['unix-abstract:name', 'unix-abstract:name', false, true],
  ])('%s is %s (TLS: %s, on this machine: %s)', (address, target, isTls, isLocal) => {
    expect(parseEndpoint(address)).toEqual({ target, isTls, isLocal });
  });

  it.each([
    ['', 'is empty'],
    ['unix:', 'is empty'],
    ['http://a:1/path', 'has a path, or a scheme that is unknown'],
    ['ftp://a:1', 'has a path, or a scheme that is unknown'],
    ['a:0', 'has a port beyond 1 to 65535'],
    ['a:65536', 'has a port beyond 1 to 65535'],
    ['a:b', 'is not a host and a port'],
    ['a b:1', 'is not a host and a port'],
    ['::1', 'is not a host and a port'],
    ['a:1?tls=yes', 'has a query other than tls=true and tls=false'],
    ['a:1?tls=true?', 'has a query other than tls=true and tls=false'],
    ['https://a:1?tls=false', 'says tls= beside http or https'],
  ])('%j is refused: it %s', (address, what) => {
    const refusal = `${JSON.stringify(address)} ${what} (allowed: host:port, `;
    expect(() => parseEndpoint(address)).toThrow(EndpointError);
    expect(() => parseEndpoint(address)).toThrow(refusal);
  });
});

describe('where no address is given', () => {
  it.each([
    [{}, 'dns:127.0.0.1:50001'],
    [{ DAPR_GRPC_PORT: '4' }, 'dns:127.0.0.1:4'],
    [{ DAPR_GRPC_PORT: '', DAPR_GRPC_ENDPOINT: '' }, 'dns:127.0.0.1:50001'],
    [{ DAPR_GRPC_PORT: '4', DAPR_GRPC_ENDPOINT: 'https://a:5' }, 'dns:a:5'],
  ])('%j leads to %s', (environment, target) => {
    expect(findEndpoint(undefined, environment).target).toBe(target);
  });

  it.each([
    [{ DAPR_GRPC_PORT: 'x' }, 'DAPR_GRPC_PORT: "127.0.0.1:x" is not a host and a port'],
    [{ DAPR_GRPC_ENDPOINT: 'a:b' }, 'DAPR_GRPC_ENDPOINT: "a:b" is not a host and a port'],
  ])('%j is refused by the name of the variable', (environment, message) => {
    expect(() => findEndpoint(undefined, environment)).toThrow(message);
  });

  it('is not looked at where an address is given', () => {
    const environment = { DAPR_GRPC_ENDPOINT: 'a:b' };
    expect(findEndpoint('c:1', environment).target).toBe('dns:c:1');
  });
});
