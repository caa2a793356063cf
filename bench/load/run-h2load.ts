import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RowRequest } from '../rows/row.ts';
import type { WrkResult, WrkRun } from './run-wrk.ts';

/** Requests at once on each connection. */
const STREAMS = 8;

/**
 * Loads a port with HTTP/2 over TLS for some seconds. h2load presents one key all the time, and tells no percentiles: their places are taken
 * by the mean and the longest time. @throws when it fails
 */
export async function runH2load(run: WrkRun, request: RowRequest): Promise<WrkResult> {
  const child = startH2load(run, request, 'pipe');
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`h2load ended with ${child.exitCode ?? child.signalCode}: ${text}`);
  return readResult(text, run.seconds);
}

/** Starts the same load; one whose result nobody wants is ended through the session. */
export function startH2load(
  { session, cores, script, port, connections, seconds }: WrkRun,
  request: RowRequest,
  output: 'pipe' | 'ignore',
): ChildProcess {
  const base = path.join(path.dirname(script), path.basename(script, '.lua'));
  const key = readFileSync(`${base}.keys`, 'utf8').split('\n', 1)[0] ?? '';
  const words = ['-t', '1', '-c', String(connections), '-m', String(STREAMS), '-D', String(seconds), '-H', `apikey: ${key}`];
  for (const [name, value] of Object.entries(request.headers)) words.push('-H', `${name}: ${value}`);
  if (request.method !== 'GET') words.push('-H', `:method: ${request.method}`);
  return session.spawn('h2load', [...words, `https://127.0.0.1:${port}${request.path}`], {
    cores,
    stdio: ['ignore', output, output === 'pipe' ? 'inherit' : 'ignore'],
  });
}

function readResult(text: string, seconds: number): WrkResult {
  const number = (form: RegExp): number => Number(form.exec(text)?.[1] ?? Number.NaN);
  const times = /time for request:\s+\S+\s+(\S+)\s+(\S+)/.exec(text);
  return {
    requests: number(/, (\d+) succeeded/),
    durationUs: seconds * 1_000_000,
    bytes: number(/\((\d+)\) total/),
    connect: 0,
    read: number(/, (\d+) errored/),
    write: 0,
    timeout: number(/, (\d+) timeout/),
    status: number(/ (\d+) 4xx/) + number(/ (\d+) 5xx/),
    p50Us: microseconds(times?.[2]),
    p99Us: microseconds(times?.[1]),
  };
}

/** E.g. `1.50ms`. */
function microseconds(text = ''): number {
  const value = Number.parseFloat(text);
  if (text.endsWith('us')) return Math.round(value);
  return Math.round(text.endsWith('ms') ? value * 1000 : value * 1_000_000);
}
