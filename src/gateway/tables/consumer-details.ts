import type { ReadPlugin } from '../../plugin-kit/index.ts';

/** The length of the labels' text stands before it. */
const LABELS_LENGTH_BYTES = 4;
/** Stands in the record itself, where every request has it. */
const CUSTOM_ID_LABEL = 'custom_id';
const NONE = Buffer.alloc(0);

/**
 * What of a consumer only some requests need, apart from its record: the labels but `custom_id` as JSON of `[name, value][]`, and the
 * plugins as JSON of `[name, ReadPlugin][]`. Empty for a consumer that has neither, which most have not.
 */
export function consumerDetails(labels: ReadonlyMap<string, string>, plugins: ReadonlyMap<string, ReadPlugin>): Buffer {
  const others = [...labels].filter(([name]) => name !== CUSTOM_ID_LABEL);
  if (others.length === 0 && plugins.size === 0) return NONE;
  const labelsText = Buffer.from(others.length === 0 ? '' : JSON.stringify(others));
  const pluginsText = Buffer.from(plugins.size === 0 ? '' : JSON.stringify([...plugins]));
  const head = Buffer.allocUnsafe(LABELS_LENGTH_BYTES);
  head.writeUInt32LE(labelsText.length);
  return Buffer.concat([head, labelsText, pluginsText]);
}

/** The labels of a consumer whose details lie between `start` and `end`; undefined when it has none. */
export function labelsOf(
  details: Buffer,
  start: number,
  end: number,
  customId: string | undefined,
): ReadonlyMap<string, string> | undefined {
  const textEnd = endOfLabels(details, start, end);
  const own: readonly (readonly [string, string])[] = customId === undefined ? [] : [[CUSTOM_ID_LABEL, customId]];
  const textStart = start + LABELS_LENGTH_BYTES;
  const others: [string, string][] = textEnd > textStart ? JSON.parse(details.toString('utf8', textStart, textEnd)) : [];
  return own.length + others.length === 0 ? undefined : new Map([...own, ...others]);
}

/** The plugins of a consumer whose details lie between `start` and `end`, as JSON; undefined when it has none. */
export function pluginsTextOf(details: Buffer, start: number, end: number): string | undefined {
  const textStart = endOfLabels(details, start, end);
  return textStart < end ? details.toString('utf8', textStart, end) : undefined;
}

function endOfLabels(details: Buffer, start: number, end: number): number {
  return start === end ? end : start + LABELS_LENGTH_BYTES + details.readUInt32LE(start);
}
