import { Console } from 'node:console';
import { PassThrough } from 'node:stream';

import { logLibraryOutput } from '../../src/observability/library-output';
import { RecordingLogger } from '../support/recording-logger';

it('logs what libraries print, and prints none of it', () => {
  const stream = new PassThrough();
  const target = new Console(stream, stream);
  const logger = new RecordingLogger();
  logLibraryOutput(target, logger);
  target.error('E No address added: %s', 'EADDRINUSE', { port: 1 });
  target.warn('odd');
  target.log('said');
  target.dir({ a: 1 });
  expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'E No address added: EADDRINUSE { port: 1 }'],
    ['warn', 'odd'],
    ['info', 'said'],
    ['info', '{ a: 1 }'],
  ]);
  expect(stream.readableLength).toBe(0);
});
