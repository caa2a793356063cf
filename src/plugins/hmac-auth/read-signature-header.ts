/** What a client says of its signature; undefined what it does not say. Byte strings. */
export interface SignatureHeader {
  readonly keyId: string | undefined;
  readonly algorithm: string | undefined;
  /** Names in the order in which they were signed. */
  readonly headers: readonly string[];
  readonly signature: string | undefined;
}

const SCHEME = 'Signature';
/** One `name="value"` or `name=value` and its comma. There are no escapes, and a quoted value may hold commas. */
const MEMBER = /[ \t]*([A-Za-z]+)[ \t]*=[ \t]*(?:"([^"]*)"|([^\s",]+))[ \t]*(?:,|$)/y;
/** Anything else up to its comma. */
const UNKNOWN_MEMBER = /[^,]*(?:,|$)/y;
/** As many headers as APISIX ever looks at. */
const MAX_SIGNED_HEADERS = 100;

/**
 * Reads `Authorization: Signature keyId="…",algorithm="…",headers="… …",signature="…"` with its members in any order. Unknown and
 * malformed members are left out; of two equal ones the last counts. Undefined when it is of another scheme.
 */
export function readSignatureHeader(authorization: string): SignatureHeader | undefined {
  if (!authorization.startsWith(SCHEME)) return undefined;
  const members = readMembers(authorization, SCHEME.length);
  const names = members.get('headers')?.split(' ', MAX_SIGNED_HEADERS) ?? [];
  return {
    keyId: members.get('keyId'),
    algorithm: members.get('algorithm'),
    headers: names.filter((name) => name !== ''),
    signature: members.get('signature'),
  };
}

function readMembers(text: string, start: number): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (let index = start; index < text.length; ) {
    MEMBER.lastIndex = index;
    const member = MEMBER.exec(text);
    if (member !== null) members.set(member[1] ?? '', member[2] ?? member[3] ?? '');
    UNKNOWN_MEMBER.lastIndex = index;
    index = member === null ? index + (UNKNOWN_MEMBER.exec(text)?.[0].length ?? text.length) : MEMBER.lastIndex;
  }
  return members;
}
