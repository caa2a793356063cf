import type { LocalAnswer } from '../../engine/index.ts';
import { ERROR_CODES } from '../../errors/index.ts';
import { isFieldName, isFieldValue } from '../../lib/field-syntax.ts';
import { ENGINE_FIELDS, type PluginAnswer } from '../../plugin-kit/index.ts';

const FIRST_ERROR = 400;

/** Frozen answers, which plugins make once for each configuration, are checked and encoded once. */
const encodedAnswers = new WeakMap<PluginAnswer, LocalAnswer>();

/**
 * Turns what a plugin returned into an answer of the engine, or gives undefined when it is no answer at all. Without a
 * Content-Type of its own the answer is `text/plain; charset=utf-8`, as APISIX sends it.
 */
export function localAnswerOf(answer: PluginAnswer): LocalAnswer | undefined {
  const known = encodedAnswers.get(answer);
  if (known !== undefined) return known;
  try {
    return encode(answer);
  } catch {
    // Looking at it is enough to make it fail.
    return undefined;
  }
}

function encode(answer: PluginAnswer): LocalAnswer | undefined {
  if (!isPluginAnswer(answer)) return undefined;
  let lines = '';
  let typed = false;
  for (const [name, value] of answer.headers) {
    const lowerCaseName = name.toLowerCase();
    if (!isFieldName(name) || !isFieldValue(value) || ENGINE_FIELDS.has(lowerCaseName)) return undefined;
    if (lowerCaseName === 'content-type') typed = true;
    lines += `${name}: ${value}\r\n`;
  }
  if (!typed) lines += 'Content-Type: text/plain; charset=utf-8\r\n';
  const { status, reason = status >= FIRST_ERROR ? 'plugin_answer' : undefined } = answer;
  const encoded = { status, headerLines: Buffer.from(lines, 'latin1'), body: Buffer.from(answer.body, 'utf8'), reason };
  if (Object.isFrozen(answer) && Object.isFrozen(answer.headers)) encodedAnswers.set(answer, encoded);
  return encoded;
}

/** Plugins are code of others: what they return is looked at before it is trusted. */
function isPluginAnswer(value: unknown): value is PluginAnswer {
  if (typeof value !== 'object' || value === null) return false;
  const answer: { status?: unknown; headers?: unknown; body?: unknown } = value;
  if (typeof answer.status !== 'number' || !Number.isInteger(answer.status)) return false;
  if (answer.status < 200 || answer.status > 599 || typeof answer.body !== 'string') return false;
  const reason: unknown = 'reason' in answer ? answer.reason : undefined;
  if (reason !== undefined && !(typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason))) return false;
  return Array.isArray(answer.headers) && answer.headers.every(isHeaderPair);
}

function isHeaderPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'string';
}
