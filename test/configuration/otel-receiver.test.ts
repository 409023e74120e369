import { DEFAULT_CONFIGURATION } from '../../src/configuration/configuration';
import { type OtelMembers, withOtelReceiver } from '../../src/configuration/otel-receiver';

const { tracing } = DEFAULT_CONFIGURATION;

/** The result of the variables, whose names are given without OTEL_EXPORTER_OTLP_. */
const read = (
  variables: Readonly<Record<string, string>>,
  { written = {}, below = tracing }: { written?: OtelMembers; below?: typeof tracing } = {},
) => {
  const entries = Object.entries(variables);
  const environment = Object.fromEntries(
    entries.map(([name, value]) => [`OTEL_EXPORTER_OTLP_${name}`, value]),
  );
  return withOtelReceiver(below, { written, environment });
};

describe('the OTEL_* variables', () => {
  it('are nothing without an endpoint', () => {
    expect(read({ PROTOCOL: 'grpc', HEADERS: 'a' })).toBe(tracing);
  });

  describe('where the configuration names a receiver', () => {
    const written = { address: 'http://x' };

    it('do not replace what it says, nor ask for every trace', () => {
      const members = { ...written, protocol: 'http', headers: { a: '1' }, timeoutMs: 1 } as const;
      const variables = { ENDPOINT: 'http://y', PROTOCOL: 'grpc', HEADERS: 'b=2', TIMEOUT: '2' };
      expect(read(variables, { written: members })).toEqual({
        ...tracing,
        otel: { url: 'http://x/v1/traces', protocol: 'http', headers: { a: '1' }, timeoutMs: 1 },
      });
    });

    it('give the headers and the time-out that it lacks', () => {
      const { otel } = read({ HEADERS: 'b=2', TIMEOUT: '2' }, { written });
      expect(otel).toMatchObject({ headers: { b: '2' }, timeoutMs: 2 });
    });

    it('say nothing of how to speak to it: those are of their own endpoint', () => {
      const variables = { ENDPOINT: 'http://y', PROTOCOL: 'http/protobuf', INSECURE: 'true' };
      const { otel } = read(variables, { written: { address: 'x:1' } });
      expect(otel).toMatchObject({ url: 'https://x:1', protocol: 'grpc' });
    });
  });

  it('for traces count before the general ones', () => {
    const { otel } = read({
      ENDPOINT: 'http://general:4317',
      TRACES_ENDPOINT: 'http://traces:4318/here',
      PROTOCOL: 'http/protobuf',
      HEADERS: 'k=v',
      TRACES_HEADERS: 'Authorization=Basic%20YWJj, l = w=x ,',
      TIMEOUT: '1500',
    });
    expect(otel).toEqual({
      url: 'http://traces:4318/here',
      protocol: 'http',
      headers: { Authorization: 'Basic YWJj', l: 'w=x' },
      timeoutMs: 1500,
    });
  });

  it('ask for every trace, as in daprd, unless a rate is set', () => {
    const variables = { ENDPOINT: 'http://x:4317' };
    expect(read(variables).samplingRate).toBe('1');
    const below = { ...tracing, samplingRate: '0.5' };
    expect(read(variables, { below }).samplingRate).toBe('0.5');
  });

  it.each([
    [{ ENDPOINT: 'http://h:1/otlp' }, 'http://h:1/otlp/v1/traces'],
    [{ ENDPOINT: 'http://h:1/otlp/' }, 'http://h:1/otlp/v1/traces'],
    [{ ENDPOINT: 'http://h:1' }, 'http://h:1/v1/traces'],
    [{ TRACES_ENDPOINT: 'http://h:1/otlp' }, 'http://h:1/otlp'],
    [{ TRACES_ENDPOINT: 'http://h:1' }, 'http://h:1/v1/traces'],
    [{ ENDPOINT: 'h:1' }, 'https://h:1/v1/traces'],
    [{ ENDPOINT: 'h:1', INSECURE: 'true' }, 'http://h:1/v1/traces'],
    [{ ENDPOINT: 'https://h:1', INSECURE: 'true' }, 'https://h:1/v1/traces'],
    [{ ENDPOINT: 'http://h:1/otlp', PROTOCOL: 'grpc' }, 'http://h:1'],
  ])('%j send to %s', (variables, url) => {
    expect(read({ PROTOCOL: 'http/protobuf', ...variables }).otel).toMatchObject({ url });
  });

  it.each([
    [{ TRACES_ENDPOINT: 'ftp://h' }, 'TRACES_ENDPOINT: must be host:port or a URL of http or'],
    [{ HEADERS: 'a=1,hush' }, 'HEADERS: header 2 is not of the form name=value'],
    [{ HEADERS: 'b=1,a b=hush' }, 'HEADERS: header 2 has an invalid name'],
    [{ HEADERS: 'a-bin=hush' }, 'HEADERS: header 1 has an invalid name'],
    [{ HEADERS: 'a=%hush' }, 'HEADERS: the value of header 1 is not percent-encoded'],
    [{ HEADERS: 'a=b%0Ahush' }, 'HEADERS: header a has an invalid value'],
    [{ HEADERS: 'a=%C3%BChush' }, 'HEADERS: header a has an invalid value'],
  ])('%j are refused, and no header is quoted', (variables, problem) => {
    const reading = () => read({ ENDPOINT: 'http://h', ...variables });
    expect(reading).toThrow(`OTEL_EXPORTER_OTLP_${problem}`);
    expect(reading).not.toThrow('hush');
  });
});
