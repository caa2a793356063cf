import { type ChildProcessByStdio, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';

/** A program of this folder in a process of its own, which does not outlive the test. */
export interface ChildProgram {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** Its lines on standard output; ends when it ends. */
  readonly lines: Interface;
}

/** Starts `program`; with `fileSizeBlocks` the system refuses it files above that many blocks of 512 bytes, as a full disk would. */
export function startChild(
  test: TestContext,
  program: string,
  programArguments: readonly string[],
  options: { readonly fileSizeBlocks?: number } = {},
): ChildProgram {
  const limit = options.fileSizeBlocks === undefined ? '' : `ulimit -f ${options.fileSizeBlocks}; `;
  const file = path.join(import.meta.dirname, program);
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, file, ...programArguments], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  test.after(() => child.kill('SIGKILL'));
  return { process: child, lines: createInterface({ input: child.stdout }) };
}
