import { PortcullisError } from '../../errors/index.ts';

/** Name of the setting that holds the state; not secret, for it holds ids and no key. */
export const KEYRING_STATE_SETTING = 'keyring-state';

/**
 * What a store says of its keys. It lies in the database, and each transaction reads it with the write lock held: all processes encrypt with the same
 * key, and from the same transaction on with the next one, whatever the order in their files.
 */
export interface KeyringState {
  /** Id of the key that encrypts. */
  readonly current: string;
  /** Its fingerprint: whoever has another key under this id must not write with it. */
  readonly fingerprint: string | undefined;
  /** A key that was added and is to encrypt next, once every control plane knows it. */
  readonly coming: ComingKey | undefined;
  /** The current key has taken over, and not everything was encrypted anew with it yet. */
  readonly isUnfinished: boolean;
  /** Ids of keys that nothing is encrypted with any more, and that never encrypt again. */
  readonly retired: readonly string[];
}

/** A key as one machine knows it from another. */
export interface ComingKey {
  readonly id: string;
  readonly fingerprint: string;
}

/** The state of a store that has had one key only. */
export function beginningState({ id, fingerprint }: ComingKey): KeyringState {
  return { current: id, fingerprint, coming: undefined, isUnfinished: false, retired: [] };
}

/** Reads the setting's text; undefined as long as there is none. @throws PortcullisError (`admin_internal`) for what is no state */
export function parseKeyringState(text: string | undefined): KeyringState | undefined {
  if (text === undefined) return undefined;
  const value = parseObject(text);
  const { current, fingerprint, coming, is_unfinished: isUnfinished, retired } = value;
  if (typeof current !== 'string' || !Array.isArray(retired)) throw damaged();
  const ids: readonly unknown[] = retired;
  return {
    current,
    fingerprint: typeof fingerprint === 'string' ? fingerprint : undefined,
    coming: coming === null || coming === undefined ? undefined : parseComing(coming),
    isUnfinished: isUnfinished === true,
    retired: ids.filter((id) => typeof id === 'string'),
  };
}

/** The setting's value. */
export function encodeKeyringState({ current, fingerprint, coming, isUnfinished, retired }: KeyringState): Buffer {
  return Buffer.from(JSON.stringify({ current, fingerprint, coming: coming ?? null, is_unfinished: isUnfinished, retired }));
}

function parseComing(value: unknown): ComingKey {
  if (!isRecord(value) || typeof value.id !== 'string' || typeof value.fingerprint !== 'string') throw damaged();
  return { id: value.id, fingerprint: value.fingerprint };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Told below.
  }
  throw damaged();
}

function damaged(): PortcullisError {
  return new PortcullisError('admin_internal', {
    detail: `the setting ${KEYRING_STATE_SETTING} was changed by something else than Portcullis`,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
