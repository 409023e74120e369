import type { InteropProgram } from '../client';
import { dotnet } from './dotnet/client';
import { go } from './go/client';
import { java } from './java/client';
import { javascript } from './javascript/client';
import { python } from './python/client';

/** Programs on stubs that are generated from proto/holdfast/v1/locks.proto, as their user would do it. */
export const NATIVE_PROGRAMS: readonly InteropProgram[] = [go, python, java, javascript, dotnet];
