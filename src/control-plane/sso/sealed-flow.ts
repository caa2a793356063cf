import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../../lib/random.ts';
import type { Author, Store } from '../../store/index.ts';

/** A sign-in that is under way at an identity provider. Its browser carries it, sealed: nobody can fill the store from outside. */
export interface SignInFlow {
  readonly optionId: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

const SETTING = 'sign-in-key';
const SYSTEM: Author = { id: 'system', name: 'system' };
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The key that all control planes of a store seal flows with; made when it is first needed. */
export async function openFlowKey(store: Store, random: Random): Promise<Buffer> {
  const known = await store.getSetting(SETTING);
  if (known !== undefined) return known;
  const made = random.bytes(32);
  return store.transaction(SYSTEM, async (transaction) => {
    // Another process may have been quicker.
    const existing = await transaction.getSetting(SETTING);
    if (existing === undefined) await transaction.putSetting(SETTING, made, { secret: true });
    return existing ?? made;
  });
}

/** A flow as the value of a cookie, by AES-256-GCM with a random nonce. */
export function sealFlow(key: Buffer, random: Random, flow: SignInFlow): string {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  return Buffer.concat([nonce, cipher.update(JSON.stringify(flow)), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** The flow of such a value; undefined for one that was changed, is another's, or has expired. */
export function openFlow(key: Buffer, value: string, now: number): SignInFlow | undefined {
  const sealed = Buffer.from(value, 'base64url');
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString();
    const flow: SignInFlow = JSON.parse(text);
    return now < flow.expiresAt ? flow : undefined;
  } catch {
    return undefined;
  }
}
