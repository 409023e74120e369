'use strict';
// Called by the release workflow: node scripts/release-version.js TAG [--notes]
// Checks that the tag, package.json, the Helm chart and the changelog name one version, and that the package
// may be published. Prints the version or, with --notes, the changelog's section of it.

const { readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const read = (file) => readFileSync(path.join(root, file), 'utf8');

/** The section of a version in the changelog, without its heading. Undefined if there is none. */
function findNotes(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.startsWith(`${version}\n`));
  return section?.slice(version.length).trim();
}

/** The problems with a release of a tag. Empty if there is none. */
function problemsOf(tag, { packageVersion, isPrivate = false, chart, changelog }) {
  const version = tag.replace(/^v/, '');
  const [, chartVersion] = /^version: (.+)$/m.exec(chart) ?? [];
  const [, appVersion] = /^appVersion: '?([^'\n]+)'?$/m.exec(chart) ?? [];
  const named = { 'package.json': packageVersion, Chart: chartVersion, appVersion };
  const problems = Object.entries(named)
    .filter(([, value]) => value !== version)
    .map(([name, value]) => `${name} has ${value}`);
  if (isPrivate) problems.push('package.json is private, so npm would refuse it');
  const notes = findNotes(changelog, version);
  if (notes === undefined) problems.push(`CHANGELOG.md has no section "## ${version}"`);
  return problems;
}

function main([tag = '', option]) {
  const changelog = read('CHANGELOG.md');
  const { version: packageVersion, private: isPrivate } = JSON.parse(read('package.json'));
  const chart = read('deploy/helm/holdfast/Chart.yaml');
  const problems = problemsOf(tag, { packageVersion, isPrivate, chart, changelog });
  if (problems.length > 0) {
    console.error(`${tag} can't be released: ${problems.join('; ')}`);
    process.exitCode = 1;
    return;
  }
  const version = tag.replace(/^v/, '');
  console.log(option === '--notes' ? findNotes(changelog, version) : version);
}

module.exports = { findNotes, problemsOf };

if (require.main === module) main(process.argv.slice(2));
