import path from 'node:path';

import ts from 'typescript';

const ROOT = path.join(__dirname, '../..');
const STORE = path.join(ROOT, 'src/stores/redis');

/** The parts of node-redis that the Redis store uses, each in order. */
export interface UsesOfNodeRedis {
  /** The methods that send a command of node-redis's list. */
  readonly commands: readonly string[];
  /** The methods of its modules: JSON, search and so on. */
  readonly ofModules: readonly string[];
  /** The values that are imported. */
  readonly imports: readonly string[];
}

/** Asks TypeScript where each name in the sources of the store is declared. */
export function findUsesOfNodeRedis(): UsesOfNodeRedis {
  const program = createStoreProgram();
  const checker = program.getTypeChecker();
  const inStore = ({ fileName }: ts.SourceFile) => !path.relative(STORE, fileName).startsWith('..');
  const nodes = program.getSourceFiles().filter(inStore).flatMap(nodesOf);
  const calledFrom = (place: RegExp) =>
    nodes
      .filter(ts.isPropertyAccessExpression)
      // Not the members of replies, whose types are declared with the commands.
      .filter((access) => ts.isCallExpression(access.parent) && access.parent.expression === access)
      .filter(({ name }) => declaringFiles(name, checker).some((file) => place.test(file)))
      .map(({ name }) => name.text);
  return {
    commands: toList(calledFrom(/@redis\/client\/dist\/lib\/commands\/index\.d\.ts$/)),
    ofModules: toList(calledFrom(/\/redis\/dist\/|@redis\/(?!client\/)/)),
    imports: toList(
      nodes.filter(isImportedValue).map((each) => (each.propertyName ?? each.name).text),
    ),
  };
}

function createStoreProgram(): ts.Program {
  const config = ts.getParsedCommandLineOfConfigFile(
    path.join(ROOT, 'tsconfig.json'),
    { noEmit: true },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  return ts.createProgram([path.join(STORE, 'redis-driver.ts')], config?.options ?? {});
}

function nodesOf(node: ts.Node): readonly ts.Node[] {
  const nodes = [node];
  // A list that grows while it is read.
  for (const each of nodes) ts.forEachChild(each, (child) => void nodes.push(child));
  return nodes;
}

function declaringFiles(name: ts.Node, checker: ts.TypeChecker): readonly string[] {
  const declarations = checker.getSymbolAtLocation(name)?.declarations ?? [];
  return declarations.map((declaration) => declaration.getSourceFile().fileName);
}

function toList(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

/** True for a name of `import { … } from 'redis'` that is there when the program runs. */
function isImportedValue(node: ts.Node): node is ts.ImportSpecifier {
  if (!ts.isImportSpecifier(node) || node.isTypeOnly) return false;
  const { parent } = node.parent;
  const { moduleSpecifier } = parent.parent;
  return (
    parent.phaseModifier === undefined &&
    ts.isStringLiteral(moduleSpecifier) &&
    moduleSpecifier.text === 'redis'
  );
}

function fail({ messageText }: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
}
