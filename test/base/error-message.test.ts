import { toErrorMessage } from '../../src/base/error-message';

describe('toErrorMessage', () => {
  it('is what the errors of each address say, where the error itself says nothing', () => {
    const refused = ['connect ECONNREFUSED ::1:6379', 'connect ECONNREFUSED 127.0.0.1:6379'];
    const error = new AggregateError(refused.map((message) => new Error(message)));
    expect(toErrorMessage(error)).toBe(refused.join('; '));
    expect(toErrorMessage(new Error(''))).toBe('');
  });

  it.each([
    [new Error('away'), 'away'],
    [{ message: 'from another realm' }, 'from another realm'],
    ['thrown text', 'thrown text'],
    [null, 'null'],
    [undefined, 'undefined'],
  ])('of %j is %s', (error, message) => {
    expect(toErrorMessage(error)).toBe(message);
  });
});
