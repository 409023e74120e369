import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/**
 * The addresses of this machine's network interfaces. None where the system does not tell them: a
 * sandbox that refuses netlink sockets, as `RestrictAddressFamilies` of systemd may, makes Node throw.
 */
export function readOwnAddresses(): readonly NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  } catch {
    return [];
  }
}
