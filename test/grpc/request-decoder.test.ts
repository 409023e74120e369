import fc from 'fast-check';

import { loadDaprService } from '../../src/grpc/proto-files';
import { createRequestDecoder, RequestDecodeError } from '../../src/grpc/request-decoder';

describe('createRequestDecoder', () => {
  const method = loadDaprService().TryLockAlpha1!;
  const decode = createRequestDecoder(method);
  const decodeBytes = (bytes: readonly number[]) => decode(Buffer.from(bytes));
  const EMPTY = { storeName: '', resourceId: '', lockOwner: '', expiryInSeconds: 0 };

  it('reads what a client wrote', () => {
    const anything = fc.record({
      storeName: fc.string({ unit: 'grapheme' }),
      resourceId: fc.string({ unit: 'grapheme' }),
      lockOwner: fc.string({ unit: 'grapheme' }),
      expiryInSeconds: fc.integer(),
    });
    fc.assert(
      fc.property(anything, (request) => {
        expect(decode(method.requestSerialize(request))).toEqual(request);
      }),
    );
  });

  describe('fields of a wire type that is not theirs', () => {
    // As in Go they count as unknown fields, whatever their bytes would say as a text.
    it.each([
      ['a varint for the store', [0x08, 0x01]],
      ['four bytes for the resource', [0x15, 0x01, 0x02, 0x03, 0x04]],
      ['eight bytes for the owner', [0x19, 0x01, 0x61, 3, 4, 5, 6, 7, 8]],
      ['a text for the expiry', [0x22, 0x01, 0x05]],
      ['a group', [0x13, 0x08, 0x01, 0x14]],
    ])('are ignored: %s', (_name, bytes) => {
      expect(decodeBytes(bytes)).toEqual(EMPTY);
    });
  });

  it('ignores unknown fields', () => {
    expect(decodeBytes([0x7a, 0x02, 0xff, 0xfe, 0x12, 0x01, 0x61])).toEqual({
      ...EMPTY,
      resourceId: 'a',
    });
  });

  it.each([
    ['unknown', [0x78, 0x01]],
    ['repeated', [0x0a, 0x00]],
    ['of the wrong type', [0x08, 0x01]],
    ['groups', [0x7b, 0x7c]],
    ['a group in a group', [0x7b]],
  ])('refuses more fields than any request has: %s', (_name, field) => {
    const most = Buffer.alloc(20_002 * field.length, Buffer.from(field));
    expect(() => decode(most)).toThrow(new RequestDecodeError('more than 10000 fields'));
  });

  it('takes ten thousand of them', () => {
    expect(decode(Buffer.alloc(20_000, Buffer.from([0x78, 0x01])))).toEqual(EMPTY);
  });

  it.each([
    ['holds fields and groups', [0x7b, 0x08, 0x01, 0x73, 0x74, 0x7c, 0x12, 0x01, 0x61], 'a'],
    ['holds what would be a field outside', [0x7b, 0x12, 0x01, 0x62, 0x7c], ''],
  ])('skips a group that %s', (_name, bytes, resourceId) => {
    expect(decodeBytes(bytes)).toEqual({ ...EMPTY, resourceId });
  });

  it.each([
    ['never ends', [0x7b, 0x08, 0x01]],
    ['never began', [0x7c]],
  ])('refuses a group that %s', (_name, bytes) => {
    expect(() => decodeBytes(bytes)).toThrow(RequestDecodeError);
  });

  it('takes the last of a field that comes twice', () => {
    expect(decodeBytes([0x12, 1, 0x61, 0x12, 1, 0x62])).toEqual({ ...EMPTY, resourceId: 'b' });
  });

  it.each([
    [[0x20, 0x85, 0x80, 0x80, 0x80, 0x10], 5],
    [[0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], -1],
  ])('keeps the low 32 bits of an integer, as Go does', (bytes, expiryInSeconds) => {
    expect(decodeBytes(bytes)).toEqual({ ...EMPTY, expiryInSeconds });
  });

  it.each([
    ['a text cut short', [0x12, 0x05, 0x61]],
    ['an endless varint', [0x20, ...Array<number>(12).fill(0xff)]],
    ['the end of a group that did not begin', [0x7c]],
    ['field number 0', [0x02, 0x01, 0x61]],
    ['a wire type that does not exist', [0x16, 0x61]],
    ['groups without end', Array<number>(200_000).fill(0x0b)],
    ['a byte that is no UTF-8', [0x1a, 0x02, 0x61, 0xff]],
    ['a surrogate in UTF-8', [0x1a, 0x03, 0xed, 0xa0, 0x80]],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decodeBytes(bytes)).toThrow(RequestDecodeError);
  });

  it('refuses to be made for fields that it can not read', () => {
    const type = { field: [{ name: 'x', number: 1, type: 'TYPE_MESSAGE' }] };
    const foreign = { ...method, requestType: { ...method.requestType, type } };
    expect(() => createRequestDecoder(foreign)).toThrow(
      "requests can't have fields of type TYPE_MESSAGE",
    );
  });
});
