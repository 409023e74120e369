import type { ApiError } from './script';

/** The codes as they go over the wire, which the JavaScript SDK shows. */
export const GRPC_CODES: Readonly<Record<ApiError['grpcCode'], number>> = {
  INVALID_ARGUMENT: 3,
  INTERNAL: 13,
  UNAUTHENTICATED: 16,
};

/** The code as Go, Rust and .NET write it: INVALID_ARGUMENT is InvalidArgument. */
export function toPascalCase(code: ApiError['grpcCode']): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('');
}
