import { setImmediate } from 'node:timers/promises';
import { startUsageRecorder } from '../src/control-plane/usage/start-usage-recorder.ts';
import { parseControlPlaneMessage, parseGatewayMessage } from '../src/distribution/parse-message.ts';
import { UsageAcknowledgements } from '../src/distribution/usage-acknowledgements.ts';
import { ConnectionUsageLink } from '../src/distribution/usage-link.ts';
import { UsageSender } from '../src/gateway/usage/usage-sender.ts';
import { UsageInDoubt, type UsageStore } from '../src/store/index.ts';
import { FakeClock } from './fake-clock.ts';
import { RecordingLogger } from './recording-logger.ts';

/** The gateway looks so often at what it may send. */
export const CHECK_MS = 250;
const NAME = { groupId: 'default', instanceId: 'one' };

/** A gateway, a control plane and a store, as far as usage is concerned: a test says what breaks, and when. */
export class UsageWorld {
  readonly clock = new FakeClock();
  readonly #intervalMs: number;
  readonly #sender: UsageSender;
  #link: ConnectionUsageLink | undefined;
  #break: () => void = () => undefined;
  #recorder: ReturnType<typeof startUsageRecorder> | undefined;
  #acknowledgements = new UsageAcknowledgements();
  counted = 0;
  written = 0;
  writes = 0;
  isStoreAway = false;
  /** What the next write is: undefined for one that succeeds. */
  doubt: { readonly wasAdded: boolean } | undefined;
  onReport: () => void = () => undefined;
  #inIntervalMs = 0;

  constructor(intervalMs = 10_000) {
    this.#intervalMs = intervalMs;
    this.#sender = new UsageSender({ epoch: 'a1', isHasty: intervalMs < 10_000, yieldTurn: () => Promise.resolve() });
  }

  /** A control plane that has just started. */
  startControlPlane(): void {
    const { clock } = this;
    const recorder = startUsageRecorder({ usage: this.#usage(), clock, log: new RecordingLogger() });
    const acknowledgements = new UsageAcknowledgements();
    recorder.onWritten((upTo) => acknowledgements.written(upTo));
    this.#recorder = recorder;
    this.#acknowledgements = acknowledgements;
  }

  /** It is gone with all that it holds in memory. */
  async killControlPlane(): Promise<void> {
    this.cut();
    const isAway = this.isStoreAway;
    this.isStoreAway = true;
    await this.#recorder?.stop();
    this.isStoreAway = isAway;
    this.#recorder = undefined;
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  connect(): void {
    const recorder = this.#recorder;
    const acknowledgements = this.#acknowledgements;
    if (recorder === undefined || this.#link !== undefined) return;
    const state = { isClosed: false, isCongested: false };
    const there = {
      drained: () => Promise.resolve(),
      send: (message: object): void => {
        const parsed = parseControlPlaneMessage(JSON.stringify(message));
        if (!state.isClosed && parsed?.kind === 'usage-kept') link.noteKept(parsed);
      },
    };
    const link = new ConnectionUsageLink({
      get isClosed() {
        return state.isClosed;
      },
      isCongested: false,
      send: (message) => {
        const parsed = parseGatewayMessage(JSON.stringify(message));
        if (parsed?.kind !== 'usage') throw new Error('it is no usage');
        acknowledgements.note(there, recorder.take(NAME, parsed), parsed);
        this.onReport();
      },
    });
    link.noteWelcome(true);
    this.#link = link;
    this.#break = () => {
      state.isClosed = true;
      acknowledgements.forget(there);
    };
  }

  cut(): void {
    this.#break();
    this.#link = undefined;
  }

  /** So long, with so many requests an interval. */
  async pass(durationMs: number, requests: number, onCheck: () => void = () => undefined): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += CHECK_MS) {
      this.clock.advance(CHECK_MS);
      await setImmediate();
      this.#inIntervalMs += CHECK_MS;
      if (this.#inIntervalMs >= this.#intervalMs) {
        this.#inIntervalMs = 0;
        this.#count(requests);
        this.#sender.endInterval();
      }
      await this.#sender.proceed(this.#link);
      onCheck();
    }
  }

  #count(requests: number): void {
    const lastUsedAt = Math.floor(this.clock.nowMs() / 1000);
    const each = Math.floor(requests / 10);
    for (let credential = 0; credential < 10; credential++) {
      this.#sender.add({ consumer: 'jack', credential: `c${credential}`, route: 'r', status: 200, requests: each, lastUsedAt });
      this.counted += each;
    }
  }

  #usage(): UsageStore {
    return {
      record: async (rows) => {
        if (this.isStoreAway) throw new Error('the store is away');
        this.writes++;
        const requests = rows.reduce((sum, row) => sum + row.requests, 0);
        const { doubt } = this;
        this.doubt = undefined;
        if (doubt?.wasAdded !== false) this.written += requests;
        if (doubt === undefined) return;
        throw new UsageInDoubt(new Error('the connection was lost'), async () => {
          if (this.isStoreAway) throw new Error('the store is away');
          return doubt.wasAdded;
        });
      },
      countRows: async () => 0,
      find: async () => [],
      lastUse: async () => undefined,
      unusedCredentials: async () => ({ unused: [], next: undefined }),
      prune: async () => 0,
    };
  }
}
