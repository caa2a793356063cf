#!/usr/bin/env node
// Plain old JavaScript, because this file runs on whatever Node the machine has. It installs what is missing, finds a Node that
// is new enough and hands over to the command line in src/cli (or dist/cli in a released package).
'use strict';

var fs = require('fs');
var path = require('path');
var childProcess = require('child_process');
var pathToFileURL = require('url').pathToFileURL;
var ensureInstalled = require('./ensure-installed.js').ensureInstalled;
var findNode = require('./find-node.js').findNode;

var root = path.join(__dirname, '..');

function commandLineFile() {
  var compiled = path.join(root, 'dist', 'cli', 'main.js');
  return fs.existsSync(compiled) ? compiled : path.join(root, 'src', 'cli', 'main.ts');
}

function compileCacheFolder() {
  return process.env.NODE_COMPILE_CACHE || path.join(root, 'node_modules', '.cache', 'portcullis');
}

function runHere(file) {
  var nodeModule = require('module');
  process.env.NODE_COMPILE_CACHE = compileCacheFolder();
  if (nodeModule.enableCompileCache) nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  import(pathToFileURL(file).href).catch(function (error) {
    console.error(error);
    process.exit(1);
  });
}

function runWith(node, file) {
  var environment = Object.assign({}, process.env, { NODE_COMPILE_CACHE: compileCacheFolder() });
  // The channel carries no messages: its end tells the child that this process is gone.
  var child = childProcess.spawn(node, [file].concat(process.argv.slice(2)), {
    env: environment,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc']
  });
  var signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].concat(process.platform === 'win32' ? [] : ['SIGUSR2']);
  signals.forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on('error', function (error) {
    console.error(
      'Portcullis could not start ' + node + ' (' + error.code + '): install Node.js 26 from https://nodejs.org and try again.'
    );
    process.exit(1);
  });
  child.on('exit', function (code, signal) {
    process.exit(signal ? 1 : code);
  });
}

try {
  ensureInstalled({ root: root, development: false });
  var found = findNode(root);
  if (found.kind === 'none') {
    console.error(found.sentence);
    process.exit(1);
  } else if (found.kind === 'this') {
    runHere(commandLineFile());
  } else {
    runWith(found.file, commandLineFile());
  }
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
