import { createAnswerEncoder } from '../../src/grpc/answer-encoder';
import { createMessageEncoder } from '../../src/grpc/message-encoder';
import { loadDaprService, loadNativePackage } from '../../src/grpc/proto-files';

describe('the encoder of answers', () => {
  const service = loadDaprService();

  it.each([
    ['TryLockAlpha1', { success: true }],
    ['TryLockAlpha1', { success: false }],
    ['UnlockAlpha1', { status: 0 }],
    ['UnlockAlpha1', { status: 1 }],
    ['UnlockAlpha1', { status: 2 }],
    ['UnlockAlpha1', { status: 3 }],
    ['SetMetadata', {}],
    ['GetMetadata', { id: 'app', extendedMetadata: { key: '' }, runtimeVersion: '1.18.3' }],
  ])("of %s writes %j as protobuf's own reader takes it", (name, answer) => {
    const method = service[name]!;
    const encode = createAnswerEncoder(method);
    for (const time of ['first', 'second']) {
      const read = method.responseDeserialize(encode(answer));
      expect({ time, read }).toMatchObject({ time, read: answer });
    }
  });

  it.each([{}, { status: 'LOCK_BELONGS_TO_OTHERS' }, { status: undefined }])(
    'refuses %j, which would read as "unlocked"',
    (answer) => {
      const encode = createAnswerEncoder(service.UnlockAlpha1!);
      expect(() => encode(answer)).toThrow('neither a flag nor a number');
    },
  );

  it('puts nothing on the wire for zero values, as proto3 wants it', () => {
    const bytes = createAnswerEncoder(service.UnlockAlpha1!)({ status: 0 });
    expect(bytes).toHaveLength(0);
    expect(createAnswerEncoder(service.TryLockAlpha1!)({ success: false })).toHaveLength(0);
  });
});

describe('the encoder of messages', () => {
  const { service, messages } = loadNativePackage();
  const lease = { fencingToken: 2 ** 53 - 1, validMs: 0 };
  const lock = { resourceId: 'ä', lockOwner: 'o', fencingToken: 1, expiresAtMs: 5, waiters: -1 };
  const without = { ...lock, ttlMs: undefined };

  it.each<[keyof typeof service & string, object]>([
    ['Acquire', {}],
    ['Acquire', { lease, holder: { ...lock, ttlMs: 0 } }],
    ['Renew', { status: 2, lease: { ...lease, fencingToken: 0 } }],
    ['Get', { lock: { ...lock, ttlMs: 0 } }],
    ['Get', { lock: without }],
    ['Get', { lock: undefined }],
    ['List', { locks: [without, { ...lock, ttlMs: 7 }, {}], nextPageToken: 'next' }],
    ['List', { locks: [] }],
    ['Hold', { queued: { ahead: 0 } }],
    ['Hold', { held: { lease } }],
    ['Hold', { atRisk: { validMs: 2, reason: 1 } }],
    ['Hold', { lost: { reason: 0 } }],
    ['Hold', { refused: { holder: undefined } }],
  ])("of %s writes %j as protobuf's own reader takes it", (name, answer) => {
    const { responseType, responseSerialize, responseDeserialize } = service[name]!;
    const encode = createMessageEncoder(responseType.type, messages)!;
    const read = responseDeserialize(encode(answer));
    expect(read).toEqual(responseDeserialize(responseSerialize(answer)));
  });

  it('can encode every answer of the native API', () => {
    const unknown = Object.values(service).filter(
      ({ responseType }) => createMessageEncoder(responseType.type, messages) === undefined,
    );
    expect(unknown).toEqual([]);
  });

  it('leaves messages with other fields to proto-loader', () => {
    const { type } = loadDaprService().GetMetadata!.responseType;
    expect(createMessageEncoder(type, new Map())).toBeUndefined();
  });
});
