#!/usr/bin/env node
'use strict';
// The command of the image: /daprd, the path at which containers that were written for daprd start it. Without
// --resources-path (or the older --components-path), the sidecar loads /components. The image provides that
// folder, and a deployment can mount its own over it. In mode kubernetes, resources come from the cluster unless
// HOLDFAST_RESOURCES_PATH is set. The other commands (`run`, `locks`, …) work too.

const { COMMANDS, start } = require('./dist/main.js');

const words = process.argv.slice(2);
const namesFolder = words.some((word) => /^--?(?:resources|components)-path(?:=|$)/.test(word));
const isInCluster = /(?:^| )--?mode[= ]kubernetes(?: |$)/.test(words.join(' '));
const folder = process.env.HOLDFAST_RESOURCES_PATH || (isInCluster ? '' : '/components');
if (folder !== '' && !namesFolder && !COMMANDS.includes(words[0])) {
  process.argv.splice(2, 0, '--resources-path', folder);
}
start();
