import { execFileSync } from 'node:child_process';
import { machine } from 'node:os';

/** The numbers of Linux for the address families that a unit may allow. */
const FAMILIES: Readonly<Record<string, number>> = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  AF_NETLINK: 16,
};

/** The number of the system call `socket` where it is known. */
const SOCKET_CALLS: Readonly<Record<string, number>> = { x86_64: 41, aarch64: 198 };

/**
 * Installs a filter for system calls, and then becomes another program. `socket` with another family
 * ends with EAFNOSUPPORT (97), as under RestrictAddressFamilies of systemd.
 */
const SCRIPT = `
import ctypes, os, struct, sys
call, families = int(sys.argv[1]), [int(number) for number in sys.argv[2].split(',')]
code = [(0x20, 0, 0, 0), (0x15, 0, len(families) + 2, call), (0x20, 0, 0, 16)]
code += [(0x15, len(families) - n, 0, family) for n, family in enumerate(families)]
code += [(0x06, 0, 0, 0x00050000 | 97), (0x06, 0, 0, 0x7fff0000)]
text = b''.join(struct.pack('HBBI', *line) for line in code)
kept = ctypes.create_string_buffer(text)
program = ctypes.create_string_buffer(struct.pack('HL', len(code), ctypes.addressof(kept)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit('the filter can not be installed')
os.execvp(sys.argv[3], sys.argv[3:])
`;

/** The words before a command that limit it to address families. */
export function limitFamilies(families: readonly string[]): readonly [string, ...string[]] {
  const numbers = families.map((name) => {
    const number = FAMILIES[name];
    if (number === undefined) throw new Error(`the address family ${name} is not known here`);
    return number;
  });
  return ['python3', '-c', SCRIPT, String(SOCKET_CALLS[machine()]), numbers.join(',')];
}

/** True where {@link limitFamilies} works: on Linux with Python, if filters are allowed. */
export function canLimitFamilies(): boolean {
  try {
    const [python, ...words] = limitFamilies(['AF_UNIX']);
    execFileSync(python, [...words, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
