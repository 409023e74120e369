import packageJson from '../../package.json';
import { HOLDFAST_VERSION } from '../../src/base/version';

describe('HOLDFAST_VERSION', () => {
  it('is the version of the package', () => {
    expect(HOLDFAST_VERSION).toBe(packageJson.version);
  });
});
