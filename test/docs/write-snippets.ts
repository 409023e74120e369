import { readFileSync, writeFileSync } from 'node:fs';

import { CLIENTS_PAGE, withSnippets } from './client-snippets';

/** `npm run docs`: takes the snippets of docs/clients.md from the programs that are tried. */
writeFileSync(CLIENTS_PAGE, withSnippets(readFileSync(CLIENTS_PAGE, 'utf8')));
