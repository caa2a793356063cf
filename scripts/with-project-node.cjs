// Runs a command with the project's own Node and tools first on the path, after installing what is missing. Old JavaScript,
// because it runs on whatever Node the machine has.
'use strict';

var path = require('path');
var childProcess = require('child_process');
var ensureInstalled = require('../bin/ensure-installed.js').ensureInstalled;
var findNode = require('../bin/find-node.js').findNode;

var root = path.join(__dirname, '..');

try {
  ensureInstalled({ root: root, development: true });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
var found = findNode(root);
if (found.kind === 'none') {
  console.error(found.sentence);
  process.exit(1);
}
var node = found.kind === 'file' ? found.file : process.execPath;
var binaries = [path.dirname(node), path.join(root, 'node_modules', '.bin')];
var environment = Object.assign({}, process.env, { PATH: binaries.concat(process.env.PATH || []).join(path.delimiter) });
var words = process.argv.slice(2);
var child = childProcess.spawn(words[0] === 'node' ? node : words[0], words.slice(1), { cwd: root, stdio: 'inherit', env: environment });
['SIGINT', 'SIGTERM'].forEach((signal) => {
  process.on(signal, () => {
    child.kill(signal);
  });
});
child.on('error', (error) => {
  console.error(words[0] + ' could not be started: ' + error.message);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  process.exit(signal ? 1 : code);
});
