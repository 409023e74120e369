'use strict';
// What dist/main.js is for a command, for a measured run: the same command from single files.

require('../../plain/commands/main.js').main(process.argv.slice(2));
