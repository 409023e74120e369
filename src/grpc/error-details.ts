import { type GrpcStatus, statusOf } from './grpc-status';
import { loadErrorDetailTypes } from './proto-files';
import { ERROR_DOMAIN } from './status-details';
import { AnswerMetadata } from './answer-metadata';
import type { Status } from './status';

/**
 * Creates a status with the ErrorInfo detail that daprd adds when it refuses a call before any
 * method runs (dapr/dapr pkg/messaging/v1, ErrorFromHTTPResponseCode).
 */
export function createDaprStatus(
  code: Status,
  error: { readonly httpCode: number; readonly title: string; readonly reason: string },
): GrpcStatus {
  const types = loadErrorDetailTypes();
  const { httpCode, title, reason } = error;
  const errorInfo = types.errorInfo.serialize({
    reason: title,
    domain: ERROR_DOMAIN,
    metadata: { 'http.code': String(httpCode), 'http.error_message': reason },
  });
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: errorInfo }];
  const metadata = new AnswerMetadata();
  metadata.set(
    'grpc-status-details-bin',
    types.status.serialize({ code, message: title, details }),
  );
  return statusOf(code, title, metadata);
}
