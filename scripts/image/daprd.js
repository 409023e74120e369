#!/usr/bin/env node
'use strict';
// The command of the image: /daprd, the path at which containers that were written for daprd start it. Without
// --resources-path (or the older --components-path), the sidecar loads /components. The image provides that
// folder, and a deployment can mount its own over it. In mode kubernetes, resources come from the cluster unless
// HOLDFAST_RESOURCES_PATH is set. The other commands (`run`, `locks`, …) work too.

/** The words of a command line, with the folder of resources if it needs one and names none. */
function withResources(words, { commands, env }) {
  const namesFolder = words.some((word) => /^--?(?:resources|components)-path(?:=|$)/.test(word));
  const isInCluster = /(?:^| )--?mode[= ]kubernetes(?: |$)/.test(words.join(' '));
  const folder = env.HOLDFAST_RESOURCES_PATH || (isInCluster ? '' : '/components');
  const needsNone = namesFolder || folder === '' || commands.includes(words[0]);
  return needsNone ? words : ['--resources-path', folder, ...words];
}

module.exports = { withResources };

if (require.main === module) {
  const { COMMANDS: commands, start } = require('./dist/main.js');
  const words = withResources(process.argv.slice(2), { commands, env: process.env });
  process.argv.splice(2, Infinity, ...words);
  start();
}
