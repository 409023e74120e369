/** Runs something for each number below `count`, so many at a time. Rejects with the first failure. */
export async function inParallel(
  count: number,
  atATime: number,
  act: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) {
      next += 1;
      await act(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
}
