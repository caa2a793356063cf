import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Session } from '../session/session.ts';
import { RESULT_MARK } from './wrk-script.ts';

/** What wrk counted in one run; `status` are answers of 400 and above. */
export interface WrkResult {
  readonly requests: number;
  readonly durationUs: number;
  readonly bytes: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly timeout: number;
  readonly status: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface WrkRun {
  readonly session: Session;
  readonly cores: string | undefined;
  readonly script: string;
  readonly port: number;
  /** Over TLS; in clear unless said. */
  readonly tls?: boolean;
  readonly connections: number;
  readonly seconds: number;
}

/** Loads a port for some seconds. @throws when wrk fails */
export async function runWrk(run: WrkRun): Promise<WrkResult> {
  const child = startWrk(run, 'pipe');
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(child, 'close');
  const line = text.split('\n').find((one) => one.startsWith(RESULT_MARK));
  if (line === undefined) throw new Error(`wrk ended with ${child.exitCode ?? child.signalCode} and no result: ${text}`);
  return JSON.parse(line.slice(RESULT_MARK.length));
}

/** Starts a load whose result nobody wants; end it through the session. */
export function startWrk({ session, cores, script, port, tls, connections, seconds }: WrkRun, output: 'pipe' | 'ignore'): ChildProcess {
  const words = [
    '-t',
    '1',
    '-c',
    String(connections),
    '-d',
    `${seconds}s`,
    '--timeout',
    '10s',
    '-s',
    script,
    `${tls === true ? 'https' : 'http'}://127.0.0.1:${port}/`,
  ];
  return session.spawn('wrk', words, { cores, stdio: ['ignore', output, output === 'pipe' ? 'inherit' : 'ignore'] });
}
