import type { InteropClient } from './client';
import { curl } from './curl/client';
import { dotnetClients } from './dotnet/client';
import { go } from './go/client';
import { grpcurl } from './grpcurl/client';
import { java } from './java/client';
import { javascriptClients } from './javascript/client';
import { pythonClients } from './python/client';
import { rust } from './rust/client';

/** Every client that is tried, in the order of the table. */
export const CLIENTS: readonly InteropClient[] = [
  go,
  ...pythonClients,
  java,
  ...javascriptClients,
  ...dotnetClients,
  rust,
  grpcurl,
  curl,
];
