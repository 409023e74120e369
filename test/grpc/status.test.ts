import { Metadata, status } from '@grpc/grpc-js';

import { AnswerMetadata } from '../../src/grpc/answer-metadata';
import { toGrpcJsMetadata, toGrpcJsStatus } from '../../src/grpc/grpc-js/grpc-js-status';
import { Status } from '../../src/grpc/status';

describe('the codes of gRPC', () => {
  it('are those of grpc-js', () => {
    expect(Status).toEqual(status);
  });

  it('are converted by their names', () => {
    const answered = { code: Status.UNAVAILABLE, details: 'away' };
    expect(toGrpcJsStatus(answered)).toEqual({ code: status.UNAVAILABLE, details: 'away' });
  });
});

describe('metadata of an answer', () => {
  const metadata = new AnswerMetadata();
  metadata.set('a-bin', Buffer.from([0, 255]));
  metadata.set('text', 'first');
  metadata.set('text', ' ~');

  it('has the form of node:http2 that grpc-js gives it', () => {
    const theirs = new Metadata();
    theirs.set('a-bin', Buffer.from([0, 255]));
    theirs.set('text', ' ~');
    expect(metadata.toHttp2Headers()).toEqual(theirs.toHttp2Headers());
    expect(toGrpcJsMetadata(metadata)).toEqual(theirs);
  });

  it.each(['\n', 'ä', '\u007f'])('refuses the text %j, which grpc-js refuses as well', (text) => {
    expect(() => {
      metadata.set('text', text);
    }).toThrow('text has characters that are not printable ASCII');
    expect(() => {
      new Metadata().set('text', text);
    }).toThrow('illegal characters');
  });
});
