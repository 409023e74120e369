/**
 * The most header fields that node:http2 receives of a call, or of its answer. Node allows 128, and
 * resets a call with more; grpc-go, and so daprd, bounds only their size, which node:http2 does as
 * well (64 KiB).
 */
export const MOST_HEADERS = 2000;
