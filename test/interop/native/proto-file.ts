import { cp } from 'node:fs/promises';
import path from 'node:path';

/** The folder that stubs are generated from. */
const PROTO_FOLDER = path.join(__dirname, '../../../proto');

/** The service's file, below a folder of proto files. */
export const PROTO_FILE = 'holdfast/v1/locks.proto';

/** Copies the proto file to where a user would have it: below `proto` in the folder of the program. */
export async function copyProtoFile(folder: string): Promise<void> {
  await cp(path.join(PROTO_FOLDER, PROTO_FILE), path.join(folder, 'proto', PROTO_FILE));
}
