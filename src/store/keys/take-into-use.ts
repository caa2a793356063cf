import { StartError } from '../../errors/index.ts';
import type { Keyring } from '../keyring.ts';
import { fingerprintOf } from '../keyring-file.ts';
import { type ChangeKeysOptions, changeKeys, readState } from './change-keys.ts';
import type { PlaneKeys } from './key-store.ts';
import type { ComingKey } from './keyring-state.ts';

const POLL_MS = 250;
/** Named in a message. */
const MOST_NAMED = 10;

/**
 * Lets the key that was added encrypt, in all processes from one transaction on, as soon as every control plane that lives has told that it has it and
 * all keys that something is still encrypted with; those still open that. Audited.
 *
 * @param options.waitMs how long control planes are waited for that do not have it yet: they look at their file every other second
 * @throws StartError that names those who lack it; nothing has changed then
 */
export async function takeIntoUse(options: ChangeKeysOptions & { readonly waitMs: number }): Promise<string> {
  const { store, clock } = options;
  const startedAtMs = clock.monotonicMs();
  for (;;) {
    const { coming } = await readState(store);
    const needed = coming === undefined ? [] : [coming, ...formerKeys(store.keys.keyring, await store.keys.listRequired())];
    const planes = await store.keys.listPlanes();
    if (needed.every((key) => lackingPlanes(planes, key).length === 0) || clock.monotonicMs() - startedAtMs >= options.waitMs) break;
    await options.pause(POLL_MS);
  }
  return changeKeys(options, async ({ state, keys, become }) => {
    const { coming, current } = state;
    if (coming === undefined) throw new StartError('No key was added that could be taken into use: run portcullis keyring add first.');
    const formers = formerKeys(store.keys.keyring, await keys.listRequired());
    assertAllKnow(await store.keys.listPlanes(), coming, formers);
    const own = store.keys.keyring.find(coming.id);
    if (own === undefined || fingerprintOf(own) !== coming.fingerprint) {
      throw new StartError(
        `The keyring ${store.keys.keyring.file} lacks the key ${coming.id} that was added: bring it the keyring of the others.`,
      );
    }
    await keys.require(coming.id);
    const next = { ...state, current: coming.id, fingerprint: coming.fingerprint, coming: undefined, isUnfinished: true };
    await become(next, { action: 'keyring.use', keyId: coming.id, detail: { former: current } });
    return coming.id;
  });
}

/** The keys with which something is encrypted, as this machine knows them. @throws StartError when it lacks one */
function formerKeys(keyring: Keyring, required: readonly string[]): readonly ComingKey[] {
  return required.map((id) => {
    const key = keyring.find(id);
    if (key !== undefined) return { id, fingerprint: fingerprintOf(key) };
    throw new StartError(
      `The keyring ${keyring.file} lacks the key ${id}, with which something is still encrypted: bring it the keyring of the others.`,
    );
  });
}

/** The control planes that do not have a key, or have another one under its id. */
function lackingPlanes(planes: readonly PlaneKeys[], { id, fingerprint }: ComingKey): readonly PlaneKeys[] {
  return planes.filter(({ fingerprints }) => fingerprints?.get(id) !== fingerprint);
}

/** @throws StartError while a control plane lives that encrypts with whichever key it likes */
export function assertAllFollow(planes: readonly PlaneKeys[]): void {
  const old = planes.filter(({ fingerprints }) => fingerprints === undefined);
  if (old.length > 0) {
    throw new StartError(`These control planes are of a version that knows nothing of rotation: ${namesOf(old)}. Upgrade them first.`);
  }
}

function assertAllKnow(planes: readonly PlaneKeys[], coming: ComingKey, formers: readonly ComingKey[]): void {
  assertAllFollow(planes);
  const key = [coming, ...formers].find((needed) => lackingPlanes(planes, needed).length > 0);
  if (key === undefined) return;
  const lacking = lackingPlanes(planes, key);
  const others = lacking.filter(({ fingerprints }) => fingerprints?.has(key.id));
  const wrong = others.length === 0 ? '' : ` Under this id another key lies on: ${namesOf(others)}.`;
  throw new StartError(
    `These control planes do not have the key ${key.id} (${key.fingerprint})${key === coming ? ' yet' : ', with which something is still encrypted'}: ${namesOf(lacking)}. Bring them this keyring file, a restart is not needed, and run portcullis keyring rotate again. Nothing is encrypted with ${key === coming ? 'it' : coming.id} until then.${wrong}`,
  );
}

function namesOf(planes: readonly PlaneKeys[]): string {
  const names = planes.slice(0, MOST_NAMED).map(({ name }) => name);
  return planes.length > names.length ? `${names.join(', ')} and ${planes.length - names.length} more` : names.join(', ');
}
