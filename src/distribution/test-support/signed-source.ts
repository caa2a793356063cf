import { randomBytes } from 'node:crypto';
import type { JournalOrigin } from '../journal-record.ts';
import type { WelcomeMessage } from '../protocol.ts';
import { SignedMessages } from '../signed-messages.ts';
import { createSigningKey, Signer } from '../signing.ts';
import { SnapshotPlugins } from '../snapshot-plugins.ts';
import { MemoryStore } from './memory-store.ts';
import { TEST_PLUGINS } from './test-plugins.ts';

/** What a control plane would say about a store, as texts of messages, without any network. */
export class SignedSource {
  readonly store: MemoryStore;
  readonly origin: JournalOrigin;
  readonly #signer: Signer;
  readonly #keySalt: Buffer;
  readonly #messages: SignedMessages;

  constructor(
    groupId = 'default',
    store = new MemoryStore(groupId),
    signer = new Signer(createSigningKey()),
    keySalt: Buffer = randomBytes(32),
    history = 'a session',
  ) {
    this.store = store;
    this.#signer = signer;
    this.#keySalt = keySalt;
    this.origin = { groupId, keySalt: keySalt.toString('base64'), signingKey: signer.publicKey };
    this.#messages = new SignedMessages(groupId, { store, signer, plugins: new SnapshotPlugins(TEST_PLUGINS, keySalt), history });
  }

  /** The same control plane over the same store after another start. */
  inSession(history: string): SignedSource {
    return new SignedSource(this.store.groupId, this.store, this.#signer, this.#keySalt, history);
  }

  welcome(instanceId = 'gw-1', changes: Partial<WelcomeMessage> = {}): string {
    const { revision } = this.store;
    return JSON.stringify({ kind: 'welcome', protocol: 1, softwareVersion: '0', instanceId, revision, ...this.origin, ...changes });
  }

  async snapshot(): Promise<readonly string[]> {
    const texts: string[] = [];
    for await (const message of this.#messages.snapshot()) texts.push(JSON.stringify(message));
    return texts;
  }

  async delta(fromRevision: number): Promise<string> {
    const delta = await this.#messages.delta(fromRevision);
    if (delta === undefined) throw new Error('only a snapshot leads on from there');
    return delta.frame.toString('utf8', 4);
  }
}
