import type { Random } from '../lib/random.ts';
import { type DemoAnswer, textAnswer } from './demo-answer.ts';

/** What httpbin sends along with some statuses. */
function extraHeaders(status: number): Readonly<Record<string, string>> {
  if ([301, 302, 303, 305, 307, 308].includes(status)) return { Location: '/get' };
  if (status === 401) return { 'WWW-Authenticate': 'Basic realm="Fake Realm"' };
  return status === 407 ? { 'Proxy-Authenticate': 'Basic realm="Fake Realm"' } : {};
}

/**
 * An empty answer with the status that `codes` asks for: one (`503`), or several to choose from at random, with weights if wished
 * (`200:3,500:1`). Statuses from 200 to 599; those from 100 to 199 are no final answers (RFC 9110 §15.2).
 */
export function answerStatus(codes: string, random: Random): DemoAnswer {
  const choices = codes.split(',').map(readChoice);
  const known = choices.filter((choice) => choice !== undefined);
  if (known.length < choices.length) return textAnswer(400, 'Invalid status code: use 200 to 599, or a list such as 200:3,500:1.');
  const status = choose(known, random);
  return { status, headers: extraHeaders(status), body: Buffer.alloc(0) };
}

interface Choice {
  readonly status: number;
  readonly weight: number;
}

function readChoice(text: string): Choice | undefined {
  const match = /^([2-5][0-9]{2})(?::([0-9]{1,6}(?:\.[0-9]{1,6})?))?$/.exec(text);
  return match === null ? undefined : { status: Number(match[1]), weight: Number(match[2] ?? '1') };
}

function choose(choices: readonly Choice[], random: Random): number {
  const total = choices.reduce((sum, choice) => sum + choice.weight, 0);
  let rest = (random.bytes(4).readUInt32BE() / 2 ** 32) * total;
  for (const { status, weight } of choices) {
    if (rest < weight) return status;
    rest -= weight;
  }
  return choices.at(-1)?.status ?? 200;
}
