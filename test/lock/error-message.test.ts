import { toErrorMessage } from '../../src/lock/error-message';

describe('toErrorMessage', () => {
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
