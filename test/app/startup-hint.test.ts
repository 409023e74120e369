import { startupHintOf } from '../support/startup-hint-of';

describe('what is said to whoever starts a sidecar in a terminal', () => {
  it('is where it listens, and a line to paste', () => {
    expect(startupHintOf(['--dapr-http-port', '3555'])).toBe(`
Holdfast listens on http://localhost:3555 (HTTP) and localhost:50001 (gRPC). See all locks: http://localhost:3555/holdfast/ Take a lock:

curl -X POST http://localhost:3555/v1.0-alpha1/lock/lockstore -H 'Content-Type: application/json' -d '{"resourceId":"my_file_name","lockOwner":"random_id_abc123","expiryInSeconds":60}'

`);
  });

  it('names no page where there is none, or no port for a browser', () => {
    for (const args of [['--disable-page'], ['--unix-domain-socket', '/tmp']]) {
      expect(startupHintOf(args)).not.toContain('/holdfast/');
    }
  });

  it('takes any certificate over TLS', () => {
    const files = ['--tls-cert-file', 'cert.pem', '--tls-key-file', 'key.pem'];
    expect(startupHintOf(files)).toContain('curl -k -X POST https://localhost:3500/');
  });

  it('has nothing to paste where there is no store', () => {
    expect(startupHintOf([], null)).toContain('No lock store is loaded.');
  });
});
