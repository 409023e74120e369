import { findDriver } from '../../src/stores/drivers';

describe('findDriver', () => {
  it.each([
    ['lock.redis', 'v1'],
    ['lock.redis', 'V1'],
    ['lock.redis', 'v0'],
    ['lock.redis', ''],
    ['lock.Redis', 'v1'],
    ['lock.etcd', 'v1'],
    ['lock.PostgreSQL', 'v1'],
    ['lock.in-memory', ''],
    ['lock.In-Memory', 'v1'],
  ])('finds %s version %j', (type, version) => {
    expect(findDriver(type, version)?.type).toBe(type.toLowerCase());
  });

  it.each([
    ['lock.redis', 'v2'],
    ['lock.consul', 'v1'],
    ['Lock.redis', 'v1'],
    ['lock', 'v1'],
    ['', ''],
  ])('does not find %s version %j', (type, version) => {
    expect(findDriver(type, version)).toBeUndefined();
  });
});
