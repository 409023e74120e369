import fc from 'fast-check';

import { decodeLockRequest, TRY_LOCK_FIELDS, UNLOCK_FIELDS } from '../../src/http/request-body';

const decode = (body: string | Buffer) => decodeLockRequest(Buffer.from(body), TRY_LOCK_FIELDS);

describe('decodeLockRequest', () => {
  describe('a sound body', () => {
    const whole = { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 };
    it.each([
      ['in camelCase', '{"resourceId":"r","lockOwner":"o","expiryInSeconds":5}'],
      ['in snake_case', '{"resource_id":"r","lock_owner":"o","expiry_in_seconds":5}'],
      ['with white space', ' {\n"resourceId" : "r" ,\t"lockOwner":"o","expiryInSeconds": 5 }\r\n'],
      ['with the store', '{"storeName":"x","resourceId":"r","lockOwner":"o","expiryInSeconds":5}'],
      ['with the expiry as text', '{"resourceId":"r","lockOwner":"o","expiryInSeconds":"5.0"}'],
      ['with escapes', '{"resource\\u0049d":"\\u0072","lockOwner":"o","expiryInSeconds":5}'],
      [
        'with unknown fields',
        '{"x":{"resourceId":[1]},"resourceId":"r","lockOwner":"o","expiryInSeconds":5,"x":2}',
      ],
      [
        'with __proto__',
        '{"__proto__":{"a":1},"resourceId":"r","lockOwner":"o","expiryInSeconds":5}',
      ],
      [
        'with null for the store',
        '{"storeName":null,"resourceId":"r","lockOwner":"o","expiryInSeconds":5}',
      ],
    ])('is read %s', (_name, body) => {
      expect(decode(body)).toMatchObject(whole);
    });

    it.each(['', '{}', '{"ResourceId":"r"}', '{"resourceId":null}'])(
      'leaves what %j does not name at its zero value',
      (body) => {
        expect(decode(body)).toEqual({ resourceId: '', lockOwner: '', expiryInSeconds: 0 });
      },
    );

    it('keeps quotes, backslashes, NUL and emoji of a value', () => {
      const text = 'a"b\\c\u0000d🔒\\"';
      expect(decode(JSON.stringify({ resourceId: text, lockOwner: text }))).toMatchObject({
        resourceId: text,
        lockOwner: text,
      });
    });

    it('of an unlock does not look at an expiry', () => {
      const body = Buffer.from('{"resourceId":"r","expiryInSeconds":"never"}');
      expect(decodeLockRequest(body, UNLOCK_FIELDS).resourceId).toBe('r');
    });
  });

  describe('a body that is refused', () => {
    it.each([
      ['null', 'null'],
      ['a list', '[]'],
      ['a string', '"x"'],
      ['a number', '1'],
      ['white space only', ' '],
      ['trailing data', '{}x'],
      ['a second object', '{}{}'],
      ['a trailing comma', '{"a":1,}'],
      ['a comment', '{/*c*/}'],
      ['a byte order mark', '\ufeff{}'],
      ['an open object', '{"resourceId":'],
      ['single quotes', "{'a':1}"],
      ['a line break in a string', '{"a":"\n"}'],
      ['a lone surrogate', '{"resourceId":"\\ud800"}'],
      ['a lone surrogate in a name', '{"\\udc00":1}'],
      ['a lone surrogate in an unknown field', '{"x":[{"y":"\\ud83d"}]}'],
      ['a field twice', '{"resourceId":"a","resourceId":"a"}'],
      ['a field in both spellings', '{"resourceId":"a","resource_id":"b"}'],
      ['a field twice, once null', '{"lockOwner":null,"lock_owner":"b"}'],
      ['a number for a text', '{"resourceId":5}'],
      ['a list for a text', '{"resourceId":["a"]}'],
      ['a number for the store', '{"storeName":1}'],
      ['a fraction for the expiry', '{"expiryInSeconds":10.5}'],
      ['an empty text for the expiry', '{"expiryInSeconds":""}'],
      ['a spaced text for the expiry', '{"expiryInSeconds":" 10"}'],
      ['true for the expiry', '{"expiryInSeconds":true}'],
      ['an object for the expiry', '{"expiryInSeconds":{}}'],
      ['an expiry out of range', '{"expiryInSeconds":2147483648}'],
      ['depth beyond 10000', `{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ])('has %s', (_name, body) => {
      expect(() => decode(body)).toThrow(/^failed deserializing HTTP body: proto: /);
    });

    it.each([
      ['a bad byte', [0x22, 0xff, 0x22]],
      ['an overlong form', [0x22, 0xc0, 0x80, 0x22]],
      ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ])('is not UTF-8: %s', (_name, bytes) => {
      const body = Buffer.concat([
        Buffer.from('{"resourceId":'),
        Buffer.from(bytes),
        Buffer.from('}'),
      ]);
      expect(() => decode(body)).toThrow('invalid UTF-8');
    });

    it('is described without the owner', () => {
      for (const body of ['{"lockOwner":"secret-owner","x":}', '{"lockOwner":["secret-owner"]}']) {
        expect(() => decode(body)).not.toThrow(/secret/);
        expect(() => decode(body)).toThrow();
      }
    });

    it('names the field and shows no more than the beginning of a long value', () => {
      const body = `{"expiryInSeconds":"${'9'.repeat(1000)}"}`;
      expect(() => decode(body)).toThrow(/int32 field expiryInSeconds: "9{39}$/);
    });
  });

  describe('hostile bodies', () => {
    it.each([
      ['4 MiB of brackets', '['.repeat(4 * 2 ** 20)],
      ['4 MiB of brackets in an object', `{"x":${'['.repeat(4 * 2 ** 20)}`],
      ['4 MiB of quotes', `{"x":"${'\\"'.repeat(2 * 2 ** 20)}`],
    ])('are refused without harm: %s', (_name, body) => {
      expect(() => decode(body)).toThrow(/^failed deserializing/);
    });

    it.each([
      ['ends in a digit behind zeros', `1.${'0'.repeat(4 * 2 ** 20)}1`],
      ['is a fraction that small', `0.${'0'.repeat(4 * 2 ** 20)}1`],
      ['has that many digits', '9'.repeat(4 * 2 ** 20)],
      ['has such an exponent', `1e${'9'.repeat(4 * 2 ** 20)}`],
    ])('are refused without harm: a number of 4 MiB that %s', (_name, number) => {
      for (const text of [number, `"${number}"`]) {
        expect(() => decode(`{"expiryInSeconds":${text}}`)).toThrow('invalid value for int32');
      }
    });

    it('that are long but sound are read', () => {
      const resourceId = '\\"'.repeat(2 ** 20);
      const body = `{"x":"${'\\\\'.repeat(2 ** 20)}","resourceId":"${resourceId}"}`;
      expect(decode(body).resourceId).toHaveLength(2 ** 20);
    });
  });

  it('reads a request alike whatever unknown fields stand around it', () => {
    const known = new Set(Object.keys(TRY_LOCK_FIELDS));
    const unknownName = fc.string().filter((name) => !known.has(name) && !name.includes('_'));
    const unknown = fc.array(fc.tuple(unknownName, fc.jsonValue()), { maxLength: 5 });
    fc.assert(
      fc.property(unknown, unknown, fc.string(), fc.integer(), (before, after, text, number) => {
        const fields: [string, unknown][] = [
          ...before,
          ['resourceId', text],
          ...after,
          ['expiryInSeconds', number],
        ];
        const members = fields.map(
          ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
        );
        expect(decode(`{${members.join(',')}}`)).toEqual({
          resourceId: text,
          lockOwner: '',
          expiryInSeconds: number,
        });
      }),
    );
  });
});
