import type { TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { HeldConfiguration } from '../held-configuration.ts';
import { Journal, type PreviousProcessEnd } from '../journal.ts';
import type { ControlPlaneMessage, GatewayMessage } from '../protocol.ts';
import { StateCheck } from '../state-hash/state-check.ts';
import { SyncSession } from '../sync-session.ts';
import { ConnectionUsageLink, type UsageLink } from '../usage-link.ts';
import { RecordingApplier } from './recording-applier.ts';

/** One process of a gateway instance, fed with the texts of messages. Ending it without `close` is what a crash leaves behind. */
export class OfflineGateway {
  readonly applier: RecordingApplier;
  readonly clock = new FakeClock();
  readonly log: RecordingLogger;
  readonly journal: Journal;
  readonly held: HeldConfiguration;
  readonly stateCheck: StateCheck;
  readonly sent: (GatewayMessage | ControlPlaneMessage)[] = [];
  readonly current: number[] = [];
  #usageLink: ConnectionUsageLink;
  #session: SyncSession;

  private constructor(journal: Journal, applier: RecordingApplier, log: RecordingLogger) {
    this.journal = journal;
    this.applier = applier;
    this.log = log;
    this.held = new HeldConfiguration({ applier, journal, clock: this.clock, log });
    this.stateCheck = new StateCheck({ held: this.held, clock: this.clock, log });
    this.#usageLink = this.#newUsageLink();
    this.#session = this.#newSession();
  }

  static async start(
    test: Pick<TestContext, 'after'>,
    folder: string,
    options: {
      readonly previousEnd?: PreviousProcessEnd;
      readonly allowOlder?: boolean;
      readonly groupId?: string;
      readonly applier?: RecordingApplier;
    } = {},
  ): Promise<OfflineGateway> {
    const log = new RecordingLogger();
    const { groupId = 'default', allowOlder = false, applier = new RecordingApplier() } = options;
    const journal = await Journal.open({ folder, groupId, allowOlder, random: systemRandom, log });
    const gateway = new OfflineGateway(journal, applier, log);
    test.after(async () => {
      await gateway.#session.end();
      await journal.close();
    });
    await gateway.held.load(options.previousEnd ?? 'none');
    return gateway;
  }

  /** A new connection; the one before is gone. */
  async reconnect(): Promise<void> {
    await this.#session.end();
    this.#session = this.#newSession();
    this.sent.length = 0;
  }

  async receive(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.#session.receive(text);
  }

  /** Lets every candidate prove itself, and waits until the disk says so. */
  async proveCandidates(): Promise<void> {
    this.clock.advance(10_000);
    await this.journal.withdrawals();
  }

  /** What was answered to revisions: `5 applied`, `6 refused: reason`. */
  get answers(): readonly string[] {
    return this.sent.flatMap((message) => {
      if (message.kind !== 'applied') return [];
      return [`${message.revision} ${message.outcome}${message.reason === undefined ? '' : `: ${message.reason}`}`];
    });
  }

  /** Of the present connection. */
  get usageLink(): UsageLink {
    return this.#usageLink;
  }

  #newUsageLink(): ConnectionUsageLink {
    return new ConnectionUsageLink({ send: (message) => this.sent.push(message), isClosed: false, isCongested: false });
  }

  #newSession(): SyncSession {
    this.#usageLink = this.#newUsageLink();
    return new SyncSession({
      identity: { groupId: 'default', instanceId: 'gw-1' },
      held: this.held,
      stateCheck: this.stateCheck,
      connection: {
        send: (message) => this.sent.push(message),
        closeAfter: (message) => this.sent.push(message),
        expectHeartbeats: () => undefined,
      },
      usage: this.#usageLink,
      log: this.log,
      onCurrent: (revision) => this.current.push(revision),
      onAuthorities: () => undefined,
      onRefused: () => undefined,
      onTime: () => undefined,
    });
  }
}
