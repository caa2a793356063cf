import { equalsIgnoringCase, LOWER_CASE } from './character-classes.ts';

/** The fields that the engine itself must know: framing, connection and those it writes. All others are `other`. */
export const FIELD = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  te: 7,
  trailer: 8,
  upgrade: 9,
  expect: 10,
  server: 11,
  date: 12,
} as const;

interface KnownField {
  readonly name: Buffer;
  readonly kind: number;
}

const NAMES: readonly (readonly [string, number])[] = [
  ['host', FIELD.host],
  ['content-length', FIELD.contentLength],
  ['transfer-encoding', FIELD.transferEncoding],
  ['connection', FIELD.connection],
  ['keep-alive', FIELD.keepAlive],
  ['proxy-connection', FIELD.proxyConnection],
  ['te', FIELD.te],
  ['trailer', FIELD.trailer],
  ['upgrade', FIELD.upgrade],
  ['expect', FIELD.expect],
  ['server', FIELD.server],
  ['date', FIELD.date],
];

/** Length and first letter pick at most one candidate, so most fields cost one look-up. */
const CANDIDATES: readonly (KnownField | undefined)[] = (() => {
  const table: (KnownField | undefined)[] = new Array<KnownField | undefined>(32 * 32).fill(undefined);
  for (const [text, kind] of NAMES) {
    const name = Buffer.from(text, 'latin1');
    table[slotOf(name.length, name[0] ?? 0)] = { name, kind };
  }
  return table;
})();

function slotOf(length: number, firstByte: number): number {
  return (length << 5) | (firstByte & 31);
}

/** Which of the known fields has the name `bytes[start, end)`, in any case. */
export function classifyField(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > 17) return FIELD.other;
  const candidate = CANDIDATES[slotOf(length, LOWER_CASE[bytes[start] ?? 0] ?? 0)];
  return candidate !== undefined && equalsIgnoringCase(bytes, start, end, candidate.name) ? candidate.kind : FIELD.other;
}
