import { isExpected } from './script';

describe('isExpected', () => {
  it.each([
    ['true', 'true', true],
    ['false', 'true', false],
    [undefined, 'true', false],
    ['error: 3 INVALID_ARGUMENT: lock store nope not found', ['not found'], true],
    ['error: 3 INVALID_ARGUMENT: lock store nope not found', ['not found', 'UNKNOWN'], false],
    ['lock store nope not found', ['not found'], false],
  ] as const)('takes %s for %j: %s', (answer, expectation, expected) => {
    expect(isExpected(answer, expectation)).toBe(expected);
  });
});
