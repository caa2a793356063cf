import { IDENTITY_NAMES } from './identity-lines.ts';

/** What becomes of a header that the client sent. */
export type ClientHeaderRule = 'passes' | 'cut' | 'forwarded-for' | 'forwarding' | 'cookie';

interface NamePattern {
  readonly name: Uint8Array;
  /** The name is only the beginning: anything may follow. */
  readonly open: boolean;
  readonly rule: ClientHeaderRule;
}

/** Headers that the gateway alone writes on the way to an upstream (APISIX overwrites or removes them before any plugin runs). */
const GATEWAY_HEADERS = ['x-real-ip', 'portcullis-request-id'] as const;
/** Headers by which a proxy in front says what it saw; believed of trusted addresses only. */
const FORWARDING_HEADERS = ['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded'] as const;

/**
 * Framing, which is the engine's: many upstreams read `Content_Length` as the same name, and would see another body than the gateway.
 * With dashes the engine writes these anew.
 */
const FRAMING_HEADERS = ['content-length', 'transfer-encoding', 'keep-alive', 'proxy-connection'] as const;

const DASH = 0x2d;
/**
 * Names are compared by this: in lower case, and with a dash for each mark that a name may hold (RFC 9110 §5.6.2). Most servers that hand
 * headers on as variables (CGI) write `_` for `-`, some for every mark, and then all of these are one name.
 */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte | 0x20;
  return "!#$%&'*+.^_`|~".includes(String.fromCharCode(byte)) ? DASH : byte;
});
const FORWARDED_FOR = Buffer.from('x-forwarded-for');
const COOKIE = Buffer.from('cookie');

/**
 * Says for each header of a client what becomes of it. Headers by which a plugin asserts an identity never pass, on any route,
 * and neither does a look-alike with `_` or another mark for `-`, which some upstreams read as the same name.
 */
export class ClientHeaderRules {
  /** By the first letter in lower case, so that most headers are decided by one look. */
  #byFirstLetter: ReadonlyArray<readonly NamePattern[] | undefined> = [];
  readonly #identityHeaders: readonly string[];

  /** `identityHeaders` as plugins declare them: any case, a trailing `*` stands for any ending. */
  constructor(identityHeaders: readonly string[]) {
    this.#identityHeaders = identityHeaders;
    this.renew([]);
  }

  /** From now on these hold too: what configurations in force say (`identityHeaders` of plugins that ask their configuration). */
  renew(configured: readonly string[]): void {
    const identityHeaders = [...this.#identityHeaders, ...configured];
    const table: Array<NamePattern[] | undefined> = new Array(256).fill(undefined);
    for (const pattern of [...identityHeaders, ...IDENTITY_NAMES, ...GATEWAY_HEADERS]) addPattern(table, pattern, 'cut');
    for (const name of FORWARDING_HEADERS) addPattern(table, name, 'forwarding');
    for (const name of FRAMING_HEADERS) addPattern(table, name, 'passes');
    this.#byFirstLetter = table;
  }

  /** Decides about the field name at [start, end). */
  rule(bytes: Uint8Array, start: number, end: number): ClientHeaderRule {
    const first = folded(bytes[start] ?? 0);
    const patterns = this.#byFirstLetter[first];
    if (patterns !== undefined) {
      for (const pattern of patterns) {
        if (!matches(pattern, bytes, start, end)) continue;
        return pattern.rule === 'cut' || isAlike(bytes, start, end) ? 'cut' : pattern.rule;
      }
    }
    const length = end - start;
    if (length === FORWARDED_FOR.length && sameName(FORWARDED_FOR, bytes, start)) {
      return isAlike(bytes, start, end) ? 'cut' : 'forwarded-for';
    }
    return length === COOKIE.length && sameName(COOKIE, bytes, start) ? 'cookie' : 'passes';
  }

  /** Whether a trailer field of this name must not reach an upstream: everything that is cut or rewritten as a header. */
  forbidsTrailer(bytes: Uint8Array, start: number, end: number): boolean {
    return this.rule(bytes, start, end) !== 'passes';
  }
}

function addPattern(table: Array<NamePattern[] | undefined>, pattern: string, rule: ClientHeaderRule): void {
  const open = pattern.endsWith('*');
  const name = Buffer.from(open ? pattern.slice(0, -1) : pattern, 'latin1').map(folded);
  const first = name[0];
  if (first === undefined) throw new Error('an identity header needs a name');
  const patterns = table[first] ?? [];
  patterns.push({ name, open, rule });
  table[first] = patterns;
}

function matches(pattern: NamePattern, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  const fits = pattern.open ? length >= pattern.name.length : length === pattern.name.length;
  return fits && sameName(pattern.name, bytes, start);
}

function sameName(name: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < name.length; index++) {
    if (folded(bytes[start + index] ?? 0) !== name[index]) return false;
  }
  return true;
}

function folded(byte: number): number {
  return FOLDED[byte] ?? 0;
}

function isAlike(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index] !== DASH && folded(bytes[index] ?? 0) === DASH) return true;
  return false;
}
