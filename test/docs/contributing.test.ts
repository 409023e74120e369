import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');
const PAGE = readFileSync(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8');

interface WallOptions {
  readonly mayImport: Readonly<Record<string, '*' | readonly string[]>>;
  readonly homeOfPackage: Readonly<Record<string, string | readonly string[]>>;
}

/** The tables of imports, as ESLint uses them. */
function readWalls(): WallOptions {
  const configs =
    jest.requireActual<{ rules?: Record<string, unknown> }[]>('../../eslint.config.js');
  const rule = configs.find(({ rules }) => rules?.['rooms/walls'] !== undefined);
  return (rule!.rules!['rooms/walls'] as [string, WallOptions])[1];
}

/** The rows of the table with this heading: its cells as text. */
function readTable(heading: string): readonly (readonly string[])[] {
  const lines = PAGE.split('\n');
  const start = lines.findIndex((line) => new RegExp(`^\\| ${heading} +\\|`).test(line));
  const rest = lines.slice(start + 2);
  const rows = rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith('|')),
  );
  return rows.map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

/** The names in backticks. */
function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

/** A folder or a file, in the form that both the page and the tree are compared in. */
function toPath(name: string): string {
  return name.replace(/\/$/, '');
}

function foldersIn(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.posix.join(folder, name));
}

/** The places that a room may import, by the page. */
function readAllowed(cell: string): '*' | readonly string[] {
  if (cell === 'any room') return '*';
  const [, contract = ''] = /The contract of a store is ([^]*?):\n/.exec(PAGE) ?? [];
  return [
    ...(cell.includes('not `base`') ? [] : ['base']),
    ...(cell.includes('the contract of a store') ? namesIn(contract) : []),
    ...namesIn(cell.replace('not `base`', '')),
  ];
}

describe('the map of CONTRIBUTING.md', () => {
  const places = readTable('folder').flatMap(([, names = '']) => namesIn(names).map(toPath));

  it('names places that exist', () => {
    expect(places.filter((place) => !existsSync(path.join(ROOT, place)))).toEqual([]);
  });

  it('has every folder of src, and no file of src stands outside of them but main.ts', () => {
    const loose = readdirSync(path.join(ROOT, 'src')).filter((name) => name.includes('.'));
    expect([...foldersIn('src')].sort()).toEqual(
      places.filter((place) => /^src\/[^.]+$/.test(place)).sort(),
    );
    expect(loose).toEqual(['main.ts']);
  });

  it('has every folder beside src that git keeps', () => {
    const ignored = readFileSync(path.join(ROOT, '.gitignore'), 'utf8').split('\n').map(toPath);
    const kept = foldersIn('.').filter((name) => !name.startsWith('.') && !ignored.includes(name));
    expect(kept.filter((name) => name !== 'src' && !places.includes(name))).toEqual([]);
  });

  it('names the folders of test as they are', () => {
    const [, , text = ''] = readTable('folder').find(([, name]) => name === '`test/`')!;
    const named = namesIn(text).filter((name) => name.endsWith('/'));
    expect(named.filter((name) => !existsSync(path.join(ROOT, 'test', name)))).toEqual([]);
    expect(named.length).toBeGreaterThan(3);
  });
});

describe('the table of imports in CONTRIBUTING.md', () => {
  const { mayImport, homeOfPackage } = readWalls();
  const rows = readTable('room').flatMap(([, rooms = '', allowed = '']) =>
    namesIn(rooms).map((room) => [room, readAllowed(allowed)] as const),
  );
  const sorted = (allowed: '*' | readonly string[] | undefined) =>
    typeof allowed === 'object' ? [...allowed].sort() : allowed;

  it('is that of ESLint: it has the same rooms', () => {
    expect(rows.map(([room]) => room).sort()).toEqual(Object.keys(mayImport).sort());
  });

  it.each(rows)('is that of ESLint for %s', (room, allowed) => {
    expect(sorted(mayImport[room])).toEqual(sorted(allowed));
  });

  it('names places that exist', () => {
    const places = Object.values(mayImport).flatMap((allowed) => (allowed === '*' ? [] : allowed));
    const homes = Object.values(homeOfPackage).flat();
    const missing = [...Object.keys(mayImport), ...places, ...homes].filter(
      (place) =>
        !['', '.ts', '.tsx'].some((end) => existsSync(path.join(ROOT, 'src', place + end))),
    );
    expect(missing).toEqual([]);
  });
});

describe('the commands of CONTRIBUTING.md', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...PAGE.matchAll(/`npm run ([\w:-]+)/g)].map(([, name = '']) => name);

  it('exist', () => {
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('are all that test, measure or draw', () => {
    const long = Object.keys(scripts).filter((name) => /^(?:test|bench|charts)\b./.test(name));
    expect(long.filter((name) => !named.includes(name))).toEqual([]);
  });
});
