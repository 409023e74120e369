'use strict';

const path = require('node:path');
const { isBuiltin } = require('node:module');

/**
 * An ESLint plugin with one rule: which rooms of src/ may import what.
 *
 * Existing plugins were tried on ESLint 10, with one file for each form in FORMS of the rule's
 * test. eslint-plugin-import-x 4.18 (no-restricted-paths) misses `typeof import()`, functions made
 * by createRequire, and `declare module`. eslint-plugin-boundaries 7.2 also misses `import x =
 * require()`.
 *
 * The rule refuses what it can't decide: a computed name, a file outside the rooms, a package
 * without a home.
 */
const rule = {
  meta: {
    type: 'problem',
    messages: {
      loose: '{{file}} is not in any room of MAY_IMPORT',
      computed: 'name the module by a string literal, so that this rule can check the import',
      room: '{{file}} may not import {{target}}: {{room}} may import {{allowed}}',
      homeless: '{{name}} has no entry in HOME_OF_PACKAGE',
      package: '{{name}} may be imported by {{homes}} only',
    },
    // mayImport: allowed places by room, `*` for any room. homeOfPackage: one or several places by
    // package.
    schema: [
      {
        type: 'object',
        properties: { mayImport: { type: 'object' }, homeOfPackage: { type: 'object' } },
        required: ['mayImport', 'homeOfPackage'],
        additionalProperties: false,
      },
    ],
  },
  create(context) {
    const importer = toImporter(context);
    const report = (node, problem) => {
      if (problem !== undefined) context.report({ node, ...problem });
    };
    const check = (node) => {
      report(node, judge(toText(node), importer));
    };
    const checkSource = ({ source }) => {
      check(source);
    };
    return {
      Program(node) {
        const data = { file: `src/${importer.file}` };
        if (importer.room === undefined) report(node, { messageId: 'loose', data });
      },
      ImportDeclaration: checkSource,
      ImportExpression: checkSource,
      ExportAllDeclaration: checkSource,
      'ExportNamedDeclaration[source]': checkSource,
      TSImportType: checkSource,
      TSExternalModuleReference: ({ expression }) => {
        check(expression);
      },
      "TSModuleDeclaration[id.type='Literal']": ({ id }) => {
        check(id);
      },
      CallExpression(node) {
        const isImport = isRequire(node.callee, context.sourceCode.getScope(node));
        if (isImport) check(node.arguments[0] ?? node);
      },
      'Identifier[name=/^(?:require|createRequire)$/]': (node) => {
        if (!isPlainUse(node)) report(node, { messageId: 'computed' });
      },
    };
  },
};

/** The importing file, its room, and the tables of allowed imports. */
function toImporter({ cwd, filename, options: [{ mayImport, homeOfPackage }] }) {
  const root = path.join(cwd, 'src');
  const file = toPlace(path.relative(root, filename));
  const room = file === 'main' ? 'main.ts' : roomOf(path.posix.dirname(file), mayImport);
  const toTarget = (name) => toPlace(path.relative(root, path.resolve(filename, '..', name)));
  return { file, room, toTarget, mayImport, homeOfPackage };
}

/** Returns the problem with importing a module, or undefined if it is allowed. */
function judge(name, importer) {
  if (name === undefined) return { messageId: 'computed' };
  if (/^\.{0,2}(?:\/|$)/.test(name)) return judgeFile(importer.toTarget(name), importer);
  if (!isBuiltin(name)) return judgePackage(toPackage(name), importer);
  const builtin = name.startsWith('node:') ? name : `node:${name}`;
  return Object.hasOwn(importer.homeOfPackage, builtin)
    ? judgePackage(builtin, importer)
    : undefined;
}

function judgeFile(target, { file, room, mayImport }) {
  const targetRoom = roomOf(target, mayImport);
  const allowed = mayImport[room] ?? [];
  if (targetRoom !== undefined && (targetRoom === room || allowed === '*')) return undefined;
  const places = allowed === '*' ? [] : allowed;
  const isIn = (place) => isWithin(target, place) && roomOf(place, mayImport) === targetRoom;
  if (places.some(isIn)) return undefined;
  const names = allowed === '*' ? 'any room' : places.join(', ') || 'no other room';
  const data = { file: `src/${file}`, target: `src/${target}`, room, allowed: names };
  return { messageId: 'room', data };
}

function judgePackage(name, { file, homeOfPackage }) {
  if (!Object.hasOwn(homeOfPackage, name)) return { messageId: 'homeless', data: { name } };
  const homes = [homeOfPackage[name]].flat();
  if (homes.some((place) => isWithin(file, place))) return undefined;
  const data = { name, homes: homes.map((place) => `src/${place}`).join(', ') };
  return { messageId: 'package', data };
}

/** The room of a place: the longest entry of the table that contains it. */
function roomOf(place, mayImport) {
  return Object.keys(mayImport)
    .filter((room) => isWithin(place, room))
    .sort((a, b) => b.length - a.length)[0];
}

/** True for the place itself and for everything below it. */
function isWithin(target, place) {
  return target === place || target.startsWith(`${place}/`);
}

/** `stores/redis/scripts.ts` -> `stores/redis/scripts`. */
function toPlace(relative) {
  return relative
    .split(path.sep)
    .join('/')
    .replace(/\.[cm]?[jt]sx?$/, '');
}

/** `protobufjs/minimal` -> `protobufjs`, `@grpc/grpc-js/x` -> `@grpc/grpc-js`. */
function toPackage(name) {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

/** The string value of a node. Undefined if it is known only at run time. */
function toText(node) {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  const isPlain = node.type === 'TemplateLiteral' && node.expressions.length === 0;
  return isPlain ? node.quasis[0].value.cooked : undefined;
}

/** True for `require`, `x.require`, functions made by createRequire, and `.resolve` of each. */
function isRequire(callee, scope) {
  if (isNamed(callee, 'require') || isCreateRequire(callee)) return true;
  if (callee.type === 'Identifier') return isCreateRequire(definitionOf(callee.name, scope));
  return isNamed(callee, 'resolve') && isRequire(callee.object, scope);
}

/** False where `require` or createRequire goes by another name, or on to somebody else: what is it called with? */
function isPlainUse(node) {
  const { parent } = node;
  if (parent.type === 'ImportSpecifier') return parent.local.name === parent.imported.name;
  const use = parent.type === 'MemberExpression' && parent.property === node ? parent : node;
  const { parent: user } = use;
  if (user.type === 'CallExpression') return user.callee === use;
  return user.type === 'MemberExpression' && user.object === use && isNamed(user, 'resolve');
}

function isCreateRequire(node) {
  return node?.type === 'CallExpression' && isNamed(node.callee, 'createRequire');
}

/** The initial value of a variable. */
function definitionOf(name, scope) {
  const variable = scope.set.get(name);
  if (variable !== undefined) return variable.defs[0]?.node.init;
  return scope.upper === null ? undefined : definitionOf(name, scope.upper);
}

/** True for `name` and `x.name`. */
function isNamed(node, name) {
  const last = node.type === 'MemberExpression' ? node.property : node;
  return last.type === 'Identifier' && last.name === name;
}

module.exports = { rules: { walls: rule } };
