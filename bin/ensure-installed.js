'use strict';

var fs = require('fs');
var path = require('path');
var childProcess = require('child_process');

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What the lockfile wants and node_modules lacks. npm writes node_modules/.package-lock.json last, so a broken-off install shows. */
function missingPackages(root, development) {
  var wanted = readJson(path.join(root, 'package-lock.json'));
  if (wanted === undefined) return [];
  var installed = readJson(path.join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return ['everything'];
  return Object.keys(wanted.packages).filter(function (name) {
    var entry = wanted.packages[name];
    if (name === '' || entry.link) return false;
    if ((entry.dev || entry.devOptional) && !development) return false;
    var present = installed.packages[name];
    if (present === undefined) return !entry.optional;
    return present.version !== entry.version;
  });
}

/** Somebody works on the product here: npm would remove what only he needs. */
function hasDevelopmentPackages(root) {
  var installed = readJson(path.join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  return Object.keys(installed.packages).some(function (name) {
    return installed.packages[name].dev === true;
  });
}

function npmCommand() {
  var script = process.env.npm_execpath;
  if (script && /npm-cli\.js$/.test(script)) return { file: process.env.npm_node_execpath || process.execPath, first: [script] };
  return { file: process.platform === 'win32' ? 'npm.cmd' : 'npm', first: [] };
}

/**
 * Brings node_modules to the exact versions of package-lock.json, from the npm registry alone and without any install script.
 * Does nothing in a released package, which has no lockfile, and nothing when all is there already.
 */
function ensureInstalled(options) {
  if (missingPackages(options.root, options.development).length === 0) return;
  console.error('Installing dependencies from the npm registry (once; about half a minute) ...');
  var npm = npmCommand();
  // `ci` begins by removing node_modules, from under whatever runs there; `install` adds what is missing, at the lockfile's versions.
  var isNew = !fs.existsSync(path.join(options.root, 'node_modules', '.package-lock.json'));
  var words = (isNew ? ['ci'] : ['install', '--no-save']).concat(['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  if (!options.development && !hasDevelopmentPackages(options.root)) words.push('--omit=dev');
  var result = childProcess.spawnSync(npm.file, npm.first.concat(words), { cwd: options.root, stdio: ['ignore', 2, 2] });
  if (result.error || result.status !== 0) {
    throw new Error(
      'The dependencies could not be installed: npm ' +
        words[0] +
        ' ' +
        (result.error ? 'did not start (' + result.error.code + ').' : 'ended with code ' + result.status + '.') +
        ' Check that the npm registry can be reached and try again.'
    );
  }
  console.error('Dependencies installed.');
}

exports.ensureInstalled = ensureInstalled;
