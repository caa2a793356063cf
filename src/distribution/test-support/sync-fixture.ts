import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { InstanceRegistry } from '../../store/instance-registry.ts';
import { type CertificatePair, createAuthority, issueInstanceCertificate, issueServerCertificate } from '../certificate-authority.ts';
import type { ConfigurationHistory } from '../history-sessions.ts';
import { Journal, type PreviousProcessEnd } from '../journal.ts';
import { openHistory } from '../open-history.ts';
import { Publisher } from '../publisher.ts';
import { createSigningKey } from '../signing.ts';
import { Subscriber, type SubscriberOptions } from '../subscriber.ts';
import type { SubscriberIdentity } from '../sync-client.ts';
import type { UsageReport } from '../usage-report.ts';
import { MemoryStore } from './memory-store.ts';
import { RecordingApplier } from './recording-applier.ts';
import { TEST_PLUGINS } from './test-plugins.ts';

/** What all tests of a file share, because making it takes a while: an authority, a server certificate, a signing key. */
export interface Installation {
  readonly authority: CertificatePair;
  readonly server: CertificatePair;
  readonly signingKey: string;
  readonly keySalt: Buffer;
}

export async function createInstallation(): Promise<Installation> {
  const authority = await createAuthority(systemClock);
  const server = await issueServerCertificate(authority, { names: ['localhost', '127.0.0.1'] }, systemClock);
  return { authority, server, signingKey: createSigningKey(), keySalt: randomBytes(32) };
}

export async function createIdentity(
  authority: CertificatePair,
  instanceId: string,
  groupId = 'default',
  trusted = authority.certificate,
): Promise<SubscriberIdentity> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const { certificate } = await issueInstanceCertificate(authority, { groupId, instanceId, publicKey }, systemClock);
  const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { groupId, instanceId, certificate, privateKey, authority: trusted };
}

/** A gateway instance without workers: journal, applier, subscriber. */
export class TestGateway {
  readonly applier = new RecordingApplier();
  readonly clock = new FakeClock();
  readonly log = new RecordingLogger();
  readonly current: number[] = [];
  readonly refusals: string[] = [];
  /** What control planes have told as their time, in milliseconds since 1970. */
  readonly times: number[] = [];
  readonly journal: Journal;
  readonly subscriber: Subscriber;

  private constructor(journal: Journal, options: GatewayTestOptions) {
    this.journal = journal;
    this.subscriber = new Subscriber({
      controlPlanes: options.controlPlanes ?? [{ host: '127.0.0.1', port: options.port }],
      identity: options.identity,
      applier: this.applier,
      journal,
      previousEnd: options.previousEnd ?? 'none',
      former: options.former,
      clock: this.clock,
      log: this.log,
      random: systemRandom,
      softwareVersion: '0.1.0-test',
      onCurrent: (revision) => this.current.push(revision),
      onTime: (nowMs) => this.times.push(nowMs),
      onRefused: (revision, reason) => this.refusals.push(`${revision}: ${reason}`),
    });
  }

  static async create(test: Pick<TestContext, 'after'>, options: GatewayTestOptions): Promise<TestGateway> {
    const folder = options.folder ?? (await temporaryFolder(test));
    const { groupId } = options.identity;
    const log = new RecordingLogger();
    const journal = await Journal.open({ folder, groupId, allowOlder: options.allowOlder ?? false, random: systemRandom, log });
    const gateway = new TestGateway(journal, options);
    test.after(() => gateway.stop());
    return gateway;
  }

  async stop(): Promise<void> {
    await this.subscriber.stop();
    await this.journal.close();
  }

  get lastCurrent(): number | undefined {
    return this.current.at(-1);
  }
}

export interface GatewayTestOptions {
  readonly port: number;
  /** Instead of the port. */
  readonly controlPlanes?: SubscriberOptions['controlPlanes'];
  readonly identity: SubscriberIdentity;
  readonly folder?: string;
  readonly previousEnd?: PreviousProcessEnd;
  readonly former?: SubscriberOptions['former'];
  readonly allowOlder?: boolean;
}

const NO_HISTORY: ConfigurationHistory = { id: 'none', accepts: () => false, isPresent: async () => true };

/** A control plane without an Admin API: store and publisher on a free port. */
export class TestControlPlane {
  readonly store: MemoryStore;
  readonly clock = new FakeClock();
  readonly expiryClock = new FakeClock();
  readonly log = new RecordingLogger();
  readonly publisher: Publisher;
  /** What instances have told of who used what, each with the instance. */
  readonly usage: (readonly [instanceId: string, report: UsageReport])[] = [];
  port = 0;
  #tellWritten: (upTo: number) => void = () => undefined;

  constructor(
    installation: Installation,
    store = new MemoryStore(),
    port = 0,
    history: ConfigurationHistory = NO_HISTORY,
    options: {
      readonly compareIntervalMs?: number | undefined;
      readonly registry?: InstanceRegistry | undefined;
      readonly onLostRevisions?: ((known: ReadonlyMap<string, number>) => Promise<void>) | undefined;
    } = {},
  ) {
    this.store = store;
    this.publisher = new Publisher({
      store,
      listeners: [{ kind: 'address', host: '127.0.0.1', port }],
      tls: { key: installation.server.privateKey, cert: installation.server.certificate, ca: installation.authority.certificate },
      signingKey: installation.signingKey,
      keySalt: installation.keySalt,
      plugins: TEST_PLUGINS,
      history,
      registry: options.registry,
      onLostRevisions: options.onLostRevisions,
      usage: {
        take: ({ instanceId }, report) => this.usage.push([instanceId, report]),
        onWritten: (listener) => {
          this.#tellWritten = listener;
        },
      },
      random: systemRandom,
      compareIntervalMs: options.compareIntervalMs ?? 0,
      clock: this.clock,
      expiryClock: this.expiryClock,
      log: this.log,
      softwareVersion: '0.1.0-test',
    });
  }

  static async start(
    test: Pick<TestContext, 'after'>,
    installation: Installation,
    options: {
      readonly store?: MemoryStore;
      readonly port?: number;
      readonly compareIntervalMs?: number;
      readonly registry?: InstanceRegistry;
      readonly onLostRevisions?: (known: ReadonlyMap<string, number>) => Promise<void>;
    } = {},
  ): Promise<TestControlPlane> {
    const { store = new MemoryStore(), port } = options;
    const controlPlane = new TestControlPlane(installation, store, port, await openHistory({ store, random: systemRandom }), options);
    const { ports } = await controlPlane.publisher.start();
    controlPlane.port = ports[0] ?? 0;
    test.after(() => controlPlane.publisher.close());
    return controlPlane;
  }

  /** Tells the publisher of what was written last, and waits as the Admin API does. */
  announce(timeoutMs = 1_000): ReturnType<Publisher['waitApplied']> {
    const { groupId, revision } = this.store;
    this.publisher.groupChanged(groupId, revision);
    return this.publisher.waitApplied(groupId, revision, timeoutMs);
  }

  /** What instances have told of usage is written, the first so many messages. */
  usageWritten(messages = this.usage.length): void {
    this.#tellWritten(messages);
  }

  states(): readonly string[] {
    return this.publisher.instances(this.store.groupId).map((instance) => `${instance.instanceId} ${instance.revision} ${instance.state}`);
  }
}
