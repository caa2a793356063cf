import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Session } from '../session/session.ts';

const START_LIMIT_MS = 60_000;

/** Starts one of our own peers, which prints the port it listens on when it is ready. */
export async function startNodeChild(
  session: Session,
  file: URL,
  words: readonly string[],
  cores: string | undefined,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = session.spawn(process.execPath, [fileURLToPath(file), ...words], { cores, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`${file.pathname} ended with code ${code}`);
  });
  exited.catch(() => {});
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  while (!text.includes('\n')) await Promise.race([once(child.stdout ?? child, 'data', { signal: limit }), exited]);
  return { child, port: Number(text) };
}
