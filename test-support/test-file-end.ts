import { after } from 'node:test';

/** How long a file may take whose tests each have their own bound. */
const FILE_MS = 900_000;
/** How long what the tests have made may take to end after the last of them. */
const END_MS = 30_000;

/**
 * Loaded before each test file: a file whose tests are over but which left a server, timer or child process, and one that never comes to its
 * end, fail with a list of what is open. Without it such a file would hold up the whole run: the runner bounds tests, not files.
 */
function giveUp(what: string): void {
  process.stderr.write(`${process.argv[1]}: ${what}; open: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(1);
}

setTimeout(() => giveUp(`not over after ${FILE_MS / 1000} s`), FILE_MS).unref();
after(() => {
  setTimeout(() => giveUp(`its tests were over ${END_MS / 1000} s ago, and something of theirs is not`), END_MS).unref();
});
