import type { InteropProgram } from '../../client';
import { grpcurl } from '../../grpcurl/client';

/** The whole native API by the two tools that its page shows: the system's curl, and the grpcurl that is built anyway. */
export const surface: InteropProgram = { ...grpcurl, name: 'native API, curl and grpcurl' };
