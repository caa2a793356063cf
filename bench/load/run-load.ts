import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from '../rows/row.ts';
import { runH2load } from './run-h2load.ts';
import { runWrk, type WrkResult, type WrkRun } from './run-wrk.ts';

const HANDSHAKE_PROGRAM = fileURLToPath(new URL('handshake-process.ts', import.meta.url));

/** Loads a port as a row says. @throws when the load generator fails */
export function runLoad({ arrival, request, setup }: Row, run: WrkRun): Promise<WrkResult> {
  if (arrival === 'http2') return runH2load(run, request);
  if (arrival === 'kept') return runWrk({ ...run, tls: setup.tls });
  return runHandshakes(run, [arrival === 'resumed-handshake' ? 'resumed' : 'full', request.path]);
}

/** The list of keys lies beside the program for wrk. */
async function runHandshakes({ session, cores, script, port, connections, seconds }: WrkRun, more: readonly string[]): Promise<WrkResult> {
  const keys = path.join(path.dirname(script), `${path.basename(script, '.lua')}.keys`);
  const words = [HANDSHAKE_PROGRAM, String(port), String(connections), String(seconds), keys, ...more];
  const child = session.spawn(process.execPath, words, { cores, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`the handshakes ended with ${child.exitCode ?? child.signalCode}`);
  return JSON.parse(text);
}
