const BASIC = /^basic +([A-Za-z0-9+/=_-]+) *$/i;

/** The user that a field `Authorization: Basic …` names, whether the password is right or not, as nginx tells it; a byte string. */
export function findBasicUser(authorization: string | undefined): string | undefined {
  const encoded = authorization === undefined ? undefined : BASIC.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(0, colon);
}
