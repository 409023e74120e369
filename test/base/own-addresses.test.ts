import os from 'node:os';

import { toComponentEnvironment } from '../../src/app/component-environment';
import { readOwnAddresses } from '../../src/base/own-addresses';
import { foreignOriginOf } from '../../src/http/foreign-origins';

const ASIDE = { appId: 'a', appConnection: { port: 1 } } as Parameters<
  typeof toComponentEnvironment
>[1];

describe('the addresses of this machine', () => {
  it('are those of its interfaces', () => {
    expect(readOwnAddresses()).toContainEqual(expect.objectContaining({ address: '127.0.0.1' }));
  });

  describe('where the system does not tell them', () => {
    beforeEach(() => {
      jest.spyOn(os, 'networkInterfaces').mockImplementation(() => {
        throw new Error('uv_interface_addresses returned Unknown system error 97');
      });
    });
    afterEach(() => jest.restoreAllMocks());

    it('are none', () => {
      expect(readOwnAddresses()).toEqual([]);
    });

    it('are loopback for components, or what DAPR_HOST_IP says', () => {
      expect(toComponentEnvironment({}, ASIDE)).toMatchObject({ HOST_ADDRESS: '127.0.0.1' });
      const given = { DAPR_HOST_IP: '10.0.0.1' };
      expect(toComponentEnvironment(given, ASIDE)).toMatchObject({ HOST_ADDRESS: '10.0.0.1' });
    });

    it('are no origins of their own, other than loopback', () => {
      const origin = (host: string) => foreignOriginOf({ host, origin: `http://${host}` });
      expect(origin('127.0.0.1:3500')).toBeUndefined();
      expect(origin('10.1.2.3:3500')).toBe('http://10.1.2.3:3500');
    });
  });
});
