import { Option } from 'commander';

/** The variable that names what serves gRPC: `HOLDFAST_TEST_GRPC_SERVER=grpc-js npx jest test/e2e`. */
const VARIABLE = 'HOLDFAST_TEST_GRPC_SERVER';

/** Arguments of a sidecar whose test does not say what serves gRPC: none for the default. */
export function grpcServerArguments(): readonly string[] {
  const name = process.env[VARIABLE];
  return name === undefined ? [] : ['--grpc-server', name];
}

/** The option of a script that says it for all sidecars that the script starts. */
export function grpcServerOption(): Option {
  return new Option('--grpc-server <name>', 'what serves gRPC').choices(['grpc-js', 'lean']);
}

/** Carries out what {@link grpcServerOption} was given, here and in processes that are started. */
export function chooseGrpcServer(name: string | undefined): void {
  if (name !== undefined) process.env[VARIABLE] = name;
}
