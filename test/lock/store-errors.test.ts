import { StoreError } from '../../src/lock/lock-store';
import { isWaitOver, PageTokenError, waitOver } from '../../src/lock/store-abilities';

interface Classes {
  readonly StoreError: typeof StoreError;
  readonly PageTokenError: typeof PageTokenError;
  readonly isWaitOver: typeof isWaitOver;
}

/** The module as a part of dist that is bundled by itself has it. */
function copyOf(module: string): Classes {
  let copy: Classes | undefined;
  jest.isolateModules(() => {
    copy = jest.requireActual<Classes>(module);
  });
  return copy!;
}

describe('an error of a store', () => {
  it('is recognised across copies of its class', () => {
    const copy = copyOf('../../src/lock/lock-store');
    expect(copy.StoreError).not.toBe(StoreError);
    const options = { kind: 'unavailable', outcome: 'not-applied' } as const;
    expect(new copy.StoreError('x', options)).toBeInstanceOf(StoreError);
    expect(new StoreError('x', options)).toBeInstanceOf(copy.StoreError);
  });

  it('of a page token, too', () => {
    const copy = copyOf('../../src/lock/store-abilities');
    expect(new copy.PageTokenError()).toBeInstanceOf(PageTokenError);
  });

  it.each([new Error('x'), { name: 'StoreError' }, undefined, null, 'StoreError'])(
    'is not %p',
    (value) => {
      expect(value instanceof StoreError).toBe(false);
      expect(value instanceof PageTokenError).toBe(false);
    },
  );

  it('tells the end of a wait by its reason, in a copy too', () => {
    const options = { kind: 'deadline', outcome: 'not-applied' } as const;
    expect(isWaitOver(waitOver())).toBe(true);
    expect(copyOf('../../src/lock/store-abilities').isWaitOver(waitOver())).toBe(true);
    expect(isWaitOver(new StoreError('the wait is over', options))).toBe(false);
    expect(
      isWaitOver(new StoreError('x', { ...options, outcome: 'unknown', reason: 'wait-over' })),
    ).toBe(false);
  });
});
