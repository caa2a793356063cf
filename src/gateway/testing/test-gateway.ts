import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import type { ConfigurationApplier, HealthReport, UsageReport } from '../../distribution/gateway-side.ts';
import type { TransportWish } from '../../engine/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { digestKey } from '../../lib/key-digest.ts';
import { systemRandom } from '../../lib/random.ts';
import type { SnapshotChange, SnapshotItem } from '../../schema/index.ts';
import { GatewayAgent } from '../agent/gateway-agent.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import type { TestEnd } from './test-upstream.ts';

/** The salt of all digests in tests. */
export const TEST_SALT = Buffer.alloc(32, 7);

/** A gateway that takes its configuration from the test instead of a control plane. */
export interface TestGateway {
  readonly agent: GatewayAgent;
  readonly log: RecordingLogger;
  /** What it has told the control plane of the health of nodes. */
  readonly healthReports: readonly HealthReport[];
  /** What it has told the control plane of who used what. */
  readonly usageReports: readonly UsageReport[];
  /** Puts a snapshot in force; resolves as the gateway would acknowledge. */
  load(items: readonly SnapshotItem[]): Promise<void>;
  /** Lays changes over it. */
  change(...changes: readonly SnapshotChange[]): Promise<void>;
  readonly httpPort: number;
  /** In the order of `streamAddresses`. */
  readonly streamPorts: readonly number[];
  /** 0 before the first certificate. */
  readonly httpsPort: number;
  readonly statusPort: number;
  readonly metricsPort: number;
}

/** Starts a gateway on free ports of 127.0.0.1; it is drained when the test ends. */
export async function startTestGateway(test: TestEnd, options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const log = new RecordingLogger();
  const dataFolder = await mkdtemp(path.join(tmpdir(), 'portcullis-gateway-'));
  const removeFolder = (): Promise<void> => rm(dataFolder, { recursive: true, force: true, maxRetries: 10 });
  const appliers: ConfigurationApplier[] = [];
  const healthReports: HealthReport[] = [];
  const usageReports: UsageReport[] = [];
  const usageLink = { acknowledges: false, kept: 0, send: (report: UsageReport) => usageReports.push(report) > 0 };
  let revision = 0;
  const agent = await GatewayAgent.start({ ...testOptions(dataFolder, log), ...options }, async (_options, configuration) => {
    appliers.push(configuration);
    return {
      start: async () => {},
      restartProbation: () => {},
      isConnected: () => true,
      newestRevision: () => undefined,
      stateCheck: () => undefined,
      reportHealth: (report) => healthReports.push(report),
      usageLink: () => usageLink,
      handOver: async () => {},
      follow: (delta) => configuration.applyDelta(delta),
      stop: async () => {},
      close: async () => {},
    };
  });
  // In one hook: of several the first would come first, and one that fails keeps those behind it from running.
  test.after(() => agent.drain({ delayMs: 0, timeoutMs: 0 }).finally(removeFolder));
  const [applier] = appliers;
  if (applier === undefined) throw new Error('the gateway asked for no configuration');
  return {
    agent,
    log,
    healthReports,
    usageReports,
    load: (items) => applier.loadSnapshot(oneByOne(items), { revision: ++revision, keySalt: TEST_SALT }),
    change: (...changes) => applier.applyDelta({ fromRevision: revision, toRevision: ++revision, changes }),
    get httpPort() {
      return agent.ports.http[0] ?? 0;
    },
    get streamPorts() {
      return agent.ports.streams;
    },
    get httpsPort() {
      return agent.ports.https[0] ?? 0;
    },
    get statusPort() {
      return agent.ports.status[0] ?? 0;
    },
    get metricsPort() {
      return agent.ports.metrics[0] ?? 0;
    },
  };
}

/** The digest of a key, as a snapshot carries it. */
export function keyDigestOf(key: string): { readonly plugin: string; readonly digest: string } {
  return { plugin: 'key-auth', digest: digestKey(TEST_SALT, Buffer.from(key)).toString('base64') };
}

async function* oneByOne(items: readonly SnapshotItem[]): AsyncGenerator<readonly SnapshotItem[], void> {
  for (const item of items) yield [item];
}

/** The same variable as the engine's own tests have: the quickest transport, unless `PORTCULLIS_TEST_TRANSPORT` names another. */
function testTransportWish(): TransportWish {
  const wanted = process.env.PORTCULLIS_TEST_TRANSPORT;
  switch (wanted) {
    case undefined:
    case 'handle':
      return 'auto';
    case 'onread':
    case 'documented':
      return wanted;
    default:
      throw new Error(`PORTCULLIS_TEST_TRANSPORT is ${wanted}, which is no transport`);
  }
}

function testOptions(dataFolder: string, log: RecordingLogger): GatewayOptions {
  return {
    dataFolder,
    closedFolders: [dataFolder],
    identity: { instanceId: 'test', groupId: 'default', certificate: '', privateKey: '', authority: '' },
    controlPlanes: [{ host: '127.0.0.1', port: 1 }],
    workers: [{ httpDescriptors: [], httpsDescriptors: [] }],
    httpAddresses: [{ host: '127.0.0.1', port: 0 }],
    httpsAddresses: [{ host: '127.0.0.1', port: 0 }],
    httpsPort: 0,
    statusListeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }],
    metricsListeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }],
    protectedPorts: [],
    dial: { allow: [], deny: [] },
    accessLogFile: undefined,
    trustedAddresses: [],
    pluginDeadlineMs: 10_000,
    engine: { limits: {}, timeouts: {}, transport: testTransportWish() },
    limits: {},
    previousExit: { kind: 'none' },
    allowOlder: false,
    testHooks: false,
    softwareVersion: '0.0.0',
    clock: systemClock,
    random: systemRandom,
    log,
    onDescriptorsUsedUp: () => {},
  };
}
