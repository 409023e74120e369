import { toLocalTimestamp } from '../../src/observability/local-timestamp';

/** A moment in a zone of our choice: what Date answers in a process that runs there. */
function inZone(offsetMinutes: number): Date {
  const moment = new Date('2026-01-02T03:04:05.678Z');
  moment.getTimezoneOffset = () => -offsetMinutes;
  return moment;
}

describe('toLocalTimestamp', () => {
  it.each([
    [0, '2026-01-02T03:04:05.678Z'],
    [60, '2026-01-02T04:04:05.678+01:00'],
    [345, '2026-01-02T08:49:05.678+05:45'],
    [-210, '2026-01-01T23:34:05.678-03:30'],
  ])('writes the time of a zone %i minutes ahead of UTC as %s', (offset, written) => {
    expect(toLocalTimestamp(inZone(offset))).toBe(written);
  });
});
