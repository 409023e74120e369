import { readFileSync } from 'node:fs';
import path from 'node:path';

import { parseComponents, type ScopedManifest } from '../../src/components/component-file';
import { parseFile } from '../../src/manifests/manifest-file';

/** A written scalar, and Go's reading of it as a metadata value and as a text; null: it was refused. */
type Row = readonly [written: string, value: string | null, text: string | null];

const FIXTURE = path.join(__dirname, '../fixtures/go-yaml-scalars.json');
const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { readonly rows: readonly Row[] };

/** YAML 1.2 has this escape, and the library here takes it; who writes it means no error. */
const TAKEN_HERE = '"\\/"';

const rows = fixture.rows.filter(([written]) => written !== TAKEN_HERE);

const HEAD = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: c
x: &anchor anchored
m: &map {a: 1}
spec:
`;

/** The text of a scalar that a component's file has; null where the file is refused. */
function read(spec: string, find: (entry: ScopedManifest) => unknown) {
  try {
    const { manifests, problems } = parseComponents('f.yaml', parseFile('f.yaml', HEAD + spec));
    const [entry] = problems.length > 0 ? [] : manifests;
    return entry === undefined ? null : find(entry);
  } catch {
    return null;
  }
}

const valueOf = (written: string) =>
  read(
    `  type: t\n  metadata:\n  - name: p\n    value: ${written}\n`,
    ({ manifest }) => manifest.properties[0]?.value ?? '',
  );

const textOf = (written: string) =>
  read(`  type: t\n  metadata: []\n  version: ${written}\n`, ({ manifest }) => manifest.version);

describe('a scalar of YAML', () => {
  it('is held against at least 150 that Go has read', () => {
    expect(rows.length).toBeGreaterThan(150);
    expect(valueOf(TAKEN_HERE)).toBe('/');
  });

  it.each(rows)('written %j is %j as a metadata value', (written, value) => {
    expect(valueOf(written)).toBe(value);
  });

  it.each(rows)('written %j is, as a text, %#', (written, _value, text) => {
    expect(textOf(written)).toBe(text);
  });
});
