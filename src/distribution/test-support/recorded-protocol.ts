import { readFileSync } from 'node:fs';

/** Messages of one protocol by name, as one side wrote them. Texts in `{{…}}` stand for what only the keys of a test can make. */
export type RecordedMessages = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** What `side` wrote when the protocol was new. Recorded files are never changed: what they hold is running somewhere. */
export function recordedMessages(protocol: number, side: 'gateway' | 'control-plane'): RecordedMessages {
  const file = new URL(`../testdata/protocol-${protocol}/${side}.json`, import.meta.url);
  return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8'))));
}

/** The text of a recorded message with what the test has for its placeholders and with what a later version may add. */
export function textOfRecorded(
  messages: RecordedMessages,
  name: string,
  values: Readonly<Record<string, unknown>> = {},
  added: Readonly<Record<string, unknown>> = {},
): string {
  const message = messages.get(name);
  if (message === undefined) throw new Error(`nothing is recorded as ${name}`);
  const filled = Object.entries(message).map(([field, value]) => [field, values[field] ?? value]);
  const text = JSON.stringify({ ...Object.fromEntries(filled), ...added });
  if (text.includes('{{')) throw new Error(`${name} has a placeholder without a value`);
  return text;
}

/** Each field of `recorded` that `present` lacks or has with another type, as a path. What `present` has besides is no difference. */
export function missingFields(recorded: unknown, present: unknown, path = ''): readonly string[] {
  if (typeof recorded !== typeof present || Array.isArray(recorded) !== Array.isArray(present)) return [path];
  if (Array.isArray(recorded) && Array.isArray(present)) {
    return recorded.length > 0 && present.length > 0 ? missingFields(recorded[0], present[0], `${path}[]`) : [];
  }
  if (typeof recorded !== 'object' || recorded === null || typeof present !== 'object' || present === null) return [];
  const fields = new Map(Object.entries(present));
  return Object.entries(recorded).flatMap(([field, value]) => missingFields(value, fields.get(field), `${path}.${field}`));
}
