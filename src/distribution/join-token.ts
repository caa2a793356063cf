/** What a gateway joins with. The whole is a secret. */
export interface JoinToken {
  readonly id: string;
  readonly secret: string;
  /** `authorityPin` of the authority that certifies the control planes: nobody else is shown the secret. */
  readonly authorityPin: string;
}

const TOKEN = /^pcj1\.([0-9a-f-]{36})\.([0-9A-Za-z]{43})\.([0-9A-Za-z_-]{43})$/;

/** `pcj1.<id>.<secret>.<pin>`. */
export function formatJoinToken({ id, secret, authorityPin }: JoinToken): string {
  return `pcj1.${id}.${secret}.${authorityPin}`;
}

/** Reads one; space around it does not count. Undefined for what is none. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [, id, secret, authorityPin] = TOKEN.exec(text.trim()) ?? [];
  return id === undefined || secret === undefined || authorityPin === undefined ? undefined : { id, secret, authorityPin };
}
