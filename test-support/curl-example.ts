import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { JsonObject } from '../src/lib/json.ts';

/** A request as curl would send it, as far as its arguments say. */
export interface CurlRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

/** What a page shows: its JSON blocks in order, and the requests of its shell blocks. */
export interface PageExamples {
  readonly json: readonly JsonObject[];
  readonly requests: readonly CurlRequest[];
}

/** Collects the arguments of each call, in place of calling anybody. */
const RECORDING_CURL = `curl() { printf '%s\\0' "$@"; printf '\\1\\0'; }\n`;

/**
 * Reads the examples of a page in `folder`, `README.md` if not said otherwise. The shell blocks are run as one script.
 * Undefined where the script wants openssl and the machine has none.
 */
export async function readPageExamples(folder: string, name = 'README.md'): Promise<PageExamples | undefined> {
  const page = await readFile(path.join(folder, name), 'utf8');
  const json = blocksOf(page, 'json').map((block): JsonObject => JSON.parse(block));
  const script = blocksOf(page, 'sh').join('\n');
  if (script.includes('openssl') && spawnSync('sh', ['-c', 'command -v openssl']).status !== 0) return undefined;
  return { json, requests: readCurlRequests(script) };
}

/** The requests of a shell script, which is run with a curl that only notes what it was told. */
export function readCurlRequests(script: string): readonly CurlRequest[] {
  const { status, stdout, stderr } = spawnSync('sh', ['-eu', '-c', `${RECORDING_CURL}${script}`], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const calls = stdout.split('\u0001\0').slice(0, -1);
  return calls.map((call) => requestOf(call.split('\0').slice(0, -1)));
}

function blocksOf(page: string, language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1] ?? '');
}

function requestOf(words: readonly string[]): CurlRequest {
  const headers: (readonly [string, string])[] = [];
  let method: string | undefined;
  let body: string | undefined;
  let url: string | undefined;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const argument = (): string => words[++index] ?? assert.fail(`${word} has no argument`);
    if (word === '-X') method = argument();
    else if (word === '-H') headers.push(headerOf(argument()));
    else if (word === '-u') headers.push(['Authorization', `Basic ${Buffer.from(argument()).toString('base64')}`]);
    else if (word === '-b') headers.push(['Cookie', argument()]);
    else if (word === '-d') body = argument();
    else if (!word.startsWith('-')) url = word;
    else assert.ok(word === '-i' || word === '-k', `${word} is not known to this curl`);
  }
  const { pathname, search } = new URL(url ?? assert.fail('a curl without a URL'));
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    target: `${pathname}${search}`,
    headers,
    ...(body === undefined ? {} : { body }),
  };
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
