import type { ResourceKey, StoreReader } from '../store/store.ts';
import { toSnapshotChange, toSnapshotItem } from './build-snapshot.ts';
import { encodeFrame } from './frame-codec.ts';
import type { DeltaMessage, SnapshotEndMessage, SnapshotPartMessage, SnapshotStartMessage } from './protocol.ts';
import { PayloadDigest, type Signer } from './signing.ts';
import type { SnapshotPlugins } from './snapshot-plugins.ts';
import type { StoreContinuity } from './store-continuity.ts';

/** A delta, ready to be sent to any number of instances. */
export interface DeltaFrame {
  readonly fromRevision: number;
  readonly toRevision: number;
  readonly frame: Buffer;
  /** What the frame holds. */
  readonly message: DeltaMessage;
}

/** Parts of a snapshot are about this large: a gateway reads one without a noticeable stall. */
const PART_CHARACTERS = 256 * 1024;
/** A delta above this size costs a gateway more in one piece than a snapshot does in many. */
const MAX_DELTA_CHARACTERS = 4 * 1024 * 1024;
const PAGE_ROWS = 256;

/** Where published configuration comes from and who signs it. */
export interface SignedMessagesOptions {
  readonly store: Pick<StoreReader, 'getGroup' | 'pageOfResources' | 'changesSince'>;
  readonly signer: Signer;
  readonly plugins: SnapshotPlugins;
  /** Id of the session of the control plane. */
  readonly history: string | undefined;
  /** Told of each state that a delta or a snapshot was read from; absent: nobody looks after that. */
  readonly continuity?: StoreContinuity | undefined;
}

/** Turns what the store holds of one group into signed messages. */
export class SignedMessages {
  readonly #options: SignedMessagesOptions;
  readonly #groupId: string;

  constructor(groupId: string, options: SignedMessagesOptions) {
    this.#groupId = groupId;
    this.#options = options;
  }

  /** The changes after a revision; undefined when only a snapshot helps: history does not reach back that far, or they are too many. */
  async delta(fromRevision: number): Promise<DeltaFrame | undefined> {
    const { store, plugins, continuity } = this.#options;
    const since = await store.changesSince(this.#groupId, fromRevision, { secrets: plugins.opensSecret, known: continuity?.mark });
    if (since === undefined) return undefined;
    if (since.standing !== undefined) continuity?.note(since.standing);
    const texts: string[] = [];
    let characters = 0;
    for (const stored of since.changes) {
      const change = toSnapshotChange(stored, plugins);
      if (change === undefined) continue;
      const text = JSON.stringify(change);
      characters += text.length;
      if (characters > MAX_DELTA_CHARACTERS) return undefined;
      texts.push(text);
    }
    const payload = toJsonArray(texts);
    const toRevision = since.revision;
    const signature = this.#options.signer.sign({
      groupId: this.#groupId,
      kind: 'delta',
      fromRevision,
      toRevision,
      count: texts.length,
      payloadDigest: new PayloadDigest().add(payload).finish(),
    });
    const message: DeltaMessage = { kind: 'delta', fromRevision, toRevision, history: this.#options.history, payload, signature };
    return { fromRevision, toRevision, frame: encodeFrame(message), message };
  }

  /** The messages of a snapshot, one at a time; the store is read page by page as they are taken. @throws Error when the group is gone */
  async *snapshot(): AsyncGenerator<SnapshotStartMessage | SnapshotPartMessage | SnapshotEndMessage, void> {
    const group = await this.#options.store.getGroup(this.#groupId);
    if (group === undefined) throw new Error('the gateway group does not exist any more');
    const revision = group.revision;
    yield { kind: 'snapshot-start', revision, history: this.#options.history };
    const digest = new PayloadDigest();
    let itemCount = 0;
    for await (const texts of this.#parts(revision)) {
      const payload = toJsonArray(texts);
      digest.add(payload);
      itemCount += texts.length;
      yield { kind: 'snapshot-part', payload };
    }
    const signature = this.#options.signer.sign({
      groupId: this.#groupId,
      kind: 'snapshot',
      fromRevision: 0,
      toRevision: revision,
      count: itemCount,
      payloadDigest: digest.finish(),
    });
    // Pages come from many states: where the store stands now leads on from all of them.
    await this.#options.continuity?.check();
    yield { kind: 'snapshot-end', revision, itemCount, signature };
  }

  async *#parts(revision: number): AsyncGenerator<readonly string[], void> {
    let texts: string[] = [];
    let characters = 0;
    for await (const item of this.#items(revision)) {
      const text = JSON.stringify(item);
      if (characters + text.length > PART_CHARACTERS && texts.length > 0) {
        yield texts;
        texts = [];
        characters = 0;
      }
      texts.push(text);
      characters += text.length;
    }
    if (texts.length > 0) yield texts;
  }

  /**
   * The items of all pages, and once more those that were written since `revision`: what took the place of something else may stand before the
   * pages that were still to be read, and the other not be in them any more. What is gone by now goes with the delta that follows.
   */
  async *#items(revision: number): AsyncGenerator<object, void> {
    const { store, plugins } = this.#options;
    let after: ResourceKey | undefined;
    for (;;) {
      const page = await store.pageOfResources(this.#groupId, after, PAGE_ROWS, { secrets: plugins.opensSecret });
      for (const resource of page) {
        const item = toSnapshotItem(resource, plugins);
        if (item !== undefined) yield item;
      }
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.key;
    }
    const since = await store.changesSince(this.#groupId, revision, { secrets: plugins.opensSecret });
    for (const change of since?.changes ?? []) {
      const item = change.op === 'put' ? toSnapshotItem(change.resource, plugins) : undefined;
      if (item !== undefined) yield item;
    }
  }
}

function toJsonArray(texts: readonly string[]): string {
  return `[${texts.join(',')}]`;
}
