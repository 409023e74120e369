import { createAnswerEncoder } from '../../src/grpc/answer-encoder';
import { loadDaprService } from '../../src/grpc/proto-files';

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
