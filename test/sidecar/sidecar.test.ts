import { createTokenCheck } from '../../src/sidecar/api-token';
import { Health } from '../../src/sidecar/health';
import { MAX_EXTENDED_BYTES, MetadataFullError, SidecarMetadata } from '../../src/sidecar/metadata';

describe('createTokenCheck', () => {
  it.each([undefined, ''])('asks for no token where the sidecar has %j', (token) => {
    expect(createTokenCheck(token)).toBeUndefined();
  });

  it.each([
    ['sesame', 'valid'],
    [undefined, 'missing'],
    ['', 'mismatch'],
    ['Sesame', 'mismatch'],
    ['sesame ', 'mismatch'],
  ])('judges the token %j as %s', (given, verdict) => {
    expect(createTokenCheck('sesame')?.(given)).toBe(verdict);
  });
});

describe('createTokenCheck with a token beyond ASCII', () => {
  /** As a header arrives: a character for each byte. */
  const asHeader = (text: string) => Buffer.from(text).toString('latin1');

  it.each(['päss', 'ключ', '🔑', 'ÿ', '\u0080', '日本語'])('takes %j by its bytes', (token) => {
    const check = createTokenCheck(token);
    expect(check?.(asHeader(token))).toBe('valid');
    expect(check?.(asHeader(`${token}x`))).toBe('mismatch');
  });

  it('takes no other characters for it', () => {
    // By their low bytes these would be the same.
    expect(createTokenCheck('a')?.('\u0161')).toBe('mismatch');
    expect(createTokenCheck('ÿ')?.('ÿ')).toBe('mismatch');
  });
});

describe('Health', () => {
  it('names what is not ready yet', () => {
    const health = new Health(['runtime', 'grpc-api-server']);
    health.markReady('grpc-api-server');
    expect(health.unreadyTargets).toEqual(['runtime']);
  });

  it('is ready once every target is', () => {
    const health = new Health(['runtime']);
    health.markReady('runtime');
    expect(health.unreadyTargets).toEqual([]);
  });

  it('has the outbound side apart', () => {
    const health = new Health(['runtime']);
    health.markOutboundReady();
    expect([health.outboundReady, health.unreadyTargets]).toEqual([true, ['runtime']]);
  });
});

describe('SidecarMetadata', () => {
  let metadata: SidecarMetadata;
  beforeEach(() => {
    metadata = new SidecarMetadata({
      appId: 'a',
      daprVersion: '1.18.3',
      holdfastVersion: '0.1.0',
      appConnection: { port: 0, protocol: 'http', channelAddress: '127.0.0.1', maxConcurrency: -1 },
    });
  });

  it('shows extended entries in order of their keys', () => {
    metadata.set('zebra', '1');
    metadata.set('appPID', '2');
    expect(Object.keys(metadata.view().extended)).toEqual([
      'appPID',
      'daprRuntimeVersion',
      'holdfastVersion',
      'zebra',
    ]);
  });

  it('ignores an empty key', () => {
    metadata.set('', 'x');
    expect(metadata.view().extended).not.toHaveProperty('');
  });

  it('keeps its own entries whatever is set', () => {
    metadata.set('daprRuntimeVersion', 'x');
    expect(metadata.view().extended.daprRuntimeVersion).toBe('1.18.3');
  });

  describe('with entries of others', () => {
    const room = MAX_EXTENDED_BYTES - 64 - 'key'.length;

    it('takes as many bytes as it says, in characters of any length', () => {
      expect(() => {
        metadata.set('key', 'é'.repeat(room / 2 + 1));
      }).toThrow(MetadataFullError);
      metadata.set('key', 'x'.repeat(room));
      expect(metadata.view().extended.key).toHaveLength(room);
    });

    it('counts each entry, however short', () => {
      let set = 0;
      expect(() => {
        for (; set < 10_000; set += 1) metadata.set(String(set), '');
      }).toThrow(MetadataFullError);
      expect(set).toBeLessThan(1000);
    });

    it('counts an entry that is set anew once', () => {
      for (let count = 0; count < 10; count += 1) metadata.set('key', 'x'.repeat(room - count));
      metadata.set('key', '');
      metadata.set('other', 'x'.repeat(room - 'other'.length - 64));
      expect(metadata.view().extended.key).toBe('');
    });

    it('leaves everything as it was where one is refused', () => {
      metadata.set('key', 'before');
      expect(() => {
        metadata.set('key', 'x'.repeat(MAX_EXTENDED_BYTES));
      }).toThrow(MetadataFullError);
      expect(metadata.view().extended.key).toBe('before');
    });
  });

  it.each<[string, () => void]>([
    [
      'a component',
      () => {
        metadata.setComponent({ name: 'l', type: 't', version: '' });
      },
    ],
    [
      'an entry',
      () => {
        metadata.set('key', 'value');
      },
    ],
    [
      'a feature',
      () => {
        metadata.setFeatures(['f']);
      },
    ],
    [
      'a Resiliency document',
      () => {
        metadata.setResiliencies(['r']);
      },
    ],
  ])('shows another view once %s has changed, and the same until then', (_what, change) => {
    const before = metadata.view();
    expect(metadata.view()).toBe(before);
    change();
    expect(metadata.view()).not.toEqual(before);
  });

  it('keeps an entry named like a property of every object', () => {
    metadata.set('__proto__', 'x');
    expect(Object.entries(metadata.view().extended)).toContainEqual(['__proto__', 'x']);
  });
});
