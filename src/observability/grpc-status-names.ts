/** The names of gRPC's status codes as Go writes them, by number. */
const NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

/** A status code's name, as daprd's metrics label it. */
export function toGrpcStatusName(code: number): string {
  return NAMES[code] ?? `Code(${code})`;
}
