import type { ApiError } from './script';

/** The code as Go and .NET write it: INVALID_ARGUMENT is InvalidArgument. */
export function toPascalCase(code: ApiError['grpcCode']): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('');
}
