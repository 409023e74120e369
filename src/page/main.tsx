import { render } from 'preact';

import { LockPage } from './lock-page';
import { Monitor } from './monitor';
import { SidecarClient } from './sidecar-client';
import { TabToken } from './token';

/** The entry point of the page. */
function main(): void {
  const root = document.getElementById('page');
  if (root === null) return;
  const token = new TabToken();
  const client = new SidecarClient(() => token.text);
  const monitor = new Monitor(client, () => document.hidden);
  document.addEventListener('visibilitychange', () => {
    monitor.refresh();
  });
  render(<LockPage client={client} monitor={monitor} token={token} />, root);
  monitor.refresh();
}

main();
