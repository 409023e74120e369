import { parseComponents } from '../../src/components/component-file';
import { resolveProperties } from '../../src/components/resolve-properties';
import { parseFile } from '../../src/manifests/manifest-file';

/** The text of a metadata value that is written so in a file. */
function valueOf(written: string): string | undefined {
  const text = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: c
x: &anchor anchored
spec:
  type: lock.redis
  metadata:
  - name: p
    value: ${written}
`;
  const [entry] = parseComponents('f.yaml', parseFile('f.yaml', text)).manifests;
  const property = entry?.manifest.properties.find(({ name }) => name === 'p');
  return property && (property.value ?? '');
}

describe('the text of a metadata value', () => {
  it.each([
    ['plain', 'plain'],
    ['"quoted"', 'quoted'],
    ["'it''s'", "it's"],
    ['"\\u9396"', '鎖'],
    ['"`x`"', '`x`'],
    ['yes', 'true'],
    ['on', 'true'],
    ['y', 'true'],
    ['True', 'true'],
    ['no', 'false'],
    ['off', 'false'],
    ['n', 'false'],
    ['"yes"', 'yes'],
    ['0644', '420'],
    ['0x10', '16'],
    ['0b11', '3'],
    ['1_000', '1000'],
    ['1e3', '1000'],
    ['1.10', '1.1'],
    ['10.0', '10'],
    ['-5', '-5'],
    ['9007199254740993', '9007199254740993'],
    ['18446744073709551615', '18446744073709551615'],
    ['100000000000000000000', '100000000000000000000'],
    ['1000000000000000000000', '1e+21'],
    ['12:30', '12:30'],
    ['1:30:00', '1:30:00'],
    ['2026-01-02', '2026-01-02'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['5s', '5s'],
    ['localhost:6379', 'localhost:6379'],
    ['null', ''],
    ['~', ''],
    ['', ''],
    ['""', ''],
    ['{b: 1, a: [yes, "<x>"]}', '{"a":[true,"\\u003cx\\u003e"],"b":1}'],
    ['*anchor', 'anchored'],
    ['|\n      two\n      lines', 'two\nlines\n'],
  ])('written %j is %j', (written, text) => {
    expect(valueOf(written)).toBe(text);
  });

  it('of a name given twice is the last, whatever its case', async () => {
    const text = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: c}
spec:
  type: lock.redis
  metadata:
  - {name: redisHost, value: a}
  - {name: REDISHOST, value: b}
`;
    const [entry] = parseComponents('f.yaml', parseFile('f.yaml', text)).manifests;
    const { properties } = await resolveProperties(entry!.manifest, {
      secretStores: new Map(),
      environment: {},
      appId: 'myapp',
    });
    expect(properties.get('redishost')).toBe('b');
    expect(properties.names).toEqual(['REDISHOST']);
  });
});
