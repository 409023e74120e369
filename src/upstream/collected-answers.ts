/**
 * The most bytes of an answer of the upstream that is collected before it is read, over either
 * transport. All others are streams. Metadata are a few KB, the descriptors of Dapr's API some
 * hundred.
 */
export const MOST_COLLECTED_BYTES = 16 * 2 ** 20;
