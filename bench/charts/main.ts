import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { toDocumentedCharts } from './documented-charts';
import { renderChart } from './render-chart';

const DOCS = path.join(__dirname, '../../docs');

/** `npm run charts`: draws the charts of the documentation again, after a figure on its pages has changed. */
async function main(): Promise<void> {
  const [performance, guarantees] = await Promise.all(
    ['performance.md', 'guarantees.md'].map((page) => readFile(path.join(DOCS, page), 'utf8')),
  );
  for (const [name, chart] of toDocumentedCharts({
    performance: performance ?? '',
    guarantees: guarantees ?? '',
  })) {
    await writeFile(path.join(DOCS, name), renderChart(chart));
    process.stderr.write(`docs/${name}\n`);
  }
}

void main();
