import type { CounterScript } from './counter-scripts.ts';
import { RedisFailure } from './redis-failure.ts';

/** One server or several that keep counters: whatever is asked goes to the one that has the key. */
export interface ScriptServer {
  /** Runs a script with one key; gives what it returns. @throws RedisFailure within the time-out */
  run(script: CounterScript, key: string, args: readonly string[]): Promise<readonly number[]>;
  /** Commands that wait are rejected. */
  close(): void;
}

/** Sends the script by its name, and as a whole where the server does not know it. `send` puts the command on its way. */
export async function runScript(
  send: (command: readonly string[]) => Promise<unknown>,
  script: CounterScript,
  key: string,
  args: readonly string[],
): Promise<readonly number[]> {
  try {
    return numbersOf(await send(['EVALSHA', script.sha, '1', key, ...args]));
  } catch (error) {
    if (!(error instanceof RedisFailure) || error.refusal !== 'NOSCRIPT') throw error;
    return numbersOf(await send(['EVAL', script.text, '1', key, ...args]));
  }
}

function numbersOf(answer: unknown): readonly number[] {
  const list: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  const numbers = list.map(Number);
  if (numbers.every(Number.isFinite)) return numbers;
  throw new RedisFailure('the server gave an answer that makes no sense');
}
