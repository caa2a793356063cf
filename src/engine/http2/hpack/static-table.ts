/** Fields that both sides know from the beginning, name and value, in the order of their indexes, which begin at 1 (RFC 7541 appendix A). */
const FIELDS: readonly (readonly [name: string, value: string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...(
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition ' +
    'content-encoding content-language content-length content-location content-range content-type cookie date etag expect expires from ' +
    'host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards ' +
    'proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security ' +
    'transfer-encoding user-agent vary via www-authenticate'
  )
    .split(' ')
    .map((name): [string, string] => [name, '']),
];

/** How many fields the table has; the dynamic table begins behind them (RFC 7541 §2.3.3). */
export const STATIC_FIELD_COUNT = FIELDS.length;

/** Names by index; nothing is at 0. */
export const STATIC_NAMES: readonly string[] = ['', ...FIELDS.map(([name]) => name)];

/** Values by index. */
export const STATIC_VALUES: readonly string[] = ['', ...FIELDS.map(([, value]) => value)];

/** A name of the static table: the first index at which it stands, and the indexes of its values. */
export interface StaticName {
  readonly index: number;
  /** Undefined where the table has the name alone. */
  readonly valueIndexes: ReadonlyMap<string, number> | undefined;
}

/** What the static table has of a name. */
export const STATIC_NAME_BY_TEXT: ReadonlyMap<string, StaticName> = (() => {
  const found = new Map<string, StaticName>();
  for (let index = 1; index <= STATIC_FIELD_COUNT; index++) {
    const name = STATIC_NAMES[index] ?? '';
    if (found.has(name)) continue;
    const values = new Map<string, number>();
    for (let at = index; STATIC_NAMES[at] === name; at++) {
      const value = STATIC_VALUES[at] ?? '';
      if (value !== '') values.set(value, at);
    }
    found.set(name, { index, valueIndexes: values.size === 0 ? undefined : values });
  }
  return found;
})();
