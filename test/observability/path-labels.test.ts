import { PathLabels } from '../../src/observability/path-labels';

describe('the path labels of metrics', () => {
  const create = (increasedCardinality: boolean, ...pathMatching: readonly string[]) =>
    new PathLabels(
      { increasedCardinality, pathMatching, excludeVerbs: false },
      (name) => name === 'lockstore' || name === '$& store',
    );

  it.each([
    ['lockstore', '/v1.0-alpha1/lock/lockstore'],
    ['$& store', '/v1.0-alpha1/lock/$& store'],
    ['x1', '/v1.0-alpha1/lock/{store}'],
    ['', '/v1.0-alpha1/lock/{store}'],
  ])('name the store %j as %s', (storeName, label) => {
    const route = { template: '/v1.0-alpha1/lock/{store}', storeName };
    expect(create(true).labelOf({ path: '//any/../spelling', route })).toBe(label);
    expect(create(false).labelOf({ path: '//any/../spelling', route })).toBe('');
  });

  it('show no key of the metadata', () => {
    const route = { template: '/v1.0/metadata/{key}', storeName: undefined };
    expect(create(true).labelOf({ path: '/v1.0/metadata/mine', route })).toBe(route.template);
  });

  it('show nothing of a path that no route serves', () => {
    expect(create(true).labelOf({ path: '/nope', route: undefined })).toBe('');
  });

  it.each([
    ['/a/{b}', '/a/x', '/a/{b}'],
    ['/a/{b}', '/a/x/y', ''],
    ['/a/{b...}', '/a/x/y', '/a/{b...}'],
    ['/a/', '/a/x/y', '/a/'],
    ['/a.b', '/aXb', ''],
  ])('of template %s take %s for %j', (template, path, label) => {
    expect(create(false, template).labelOf({ path, route: undefined })).toBe(label);
  });
});
