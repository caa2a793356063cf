import type { TestContext } from 'node:test';
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { type AppliedRevision, MemoryInstanceRegistry } from '../../distribution/index.ts';
import { createDialPolicy } from '../../lib/dial-policy.ts';
import { systemRandom } from '../../lib/random.ts';
import type { PluginSchema } from '../../plugin-kit/index.ts';
import { PLUGIN_SCHEMAS } from '../../plugins/schemas.ts';
import type { PostgresStoreOptions, Store, StoreHistory, UsageStore } from '../../store/index.ts';
import { type ApiContext, type ChangeAnnouncer, describedApi } from '../api/index.ts';
import { openInstallation } from '../first-start.ts';
import {
  ADMIN_SERVER_LIMITS,
  AnswerMemory,
  type ApiRoute,
  createAdminApplication,
  ExpectedContinues,
  type RequestRateSettings,
  RequestRates,
} from '../http/index.ts';
import { openControlPlaneStore } from '../open-control-plane-store.ts';
import { openPeople, type People } from '../people/index.ts';
import { REQUEST_RATES } from './request-rates.ts';
import { testDatabase } from './test-database.ts';

/** The token of every fixture. */
export const TOKEN = 'a-token-that-only-tests-know';

/** A publisher that remembers what it was told and says what the test wants. */
class FakeAnnouncer implements ChangeAnnouncer {
  readonly announced: { readonly groupId: string; readonly revision: number }[] = [];
  readonly waits: { readonly groupId: string; readonly revision: number; readonly timeoutMs: number }[] = [];
  result: AppliedRevision | Promise<AppliedRevision> | Error = { applied: 1, expected: 1, lagging: [] };

  /** How often it was asked to look who may stay connected. */
  reviews = 0;
  connected: ReturnType<ChangeAnnouncer['instances']> = [];

  instances(): ReturnType<ChangeAnnouncer['instances']> {
    return this.connected;
  }

  groupChanged(groupId: string, revision: number): void {
    this.announced.push({ groupId, revision });
  }

  async waitApplied(groupId: string, revision: number, timeoutMs: number): Promise<AppliedRevision> {
    this.waits.push({ groupId, revision, timeoutMs });
    if (this.result instanceof Error) throw this.result;
    return this.result;
  }
}

/** An answer, its body parsed where there is one. */
interface FixtureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  // A test says by its assertions what it expects here.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
  readonly text: string;
}

/** What a request of a fixture may have besides method and path. */
interface FixtureRequest {
  /** An object is sent as JSON, text and bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the token of the fixture; undefined sends none. */
  readonly token?: string | undefined;
}

/** The Admin API without sockets, on a real store. */
export interface AdminFixture {
  readonly app: FastifyInstance;
  /** All operations that it has. */
  readonly routes: readonly ApiRoute[];
  readonly store: Store & StoreHistory;
  readonly history: StoreHistory;
  readonly usage: UsageStore;
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly announcer: FakeAnnouncer;
  readonly registry: MemoryInstanceRegistry;
  readonly people: People;
  /** The first is the folder of its data. */
  readonly closedFolders: readonly string[];
  /** Its signal says that the control plane is about to end. */
  readonly stopping: AbortController;
  /** Sends a request; `gateway_group_id=default` is added to paths under `/apisix/admin/` that have no query. */
  send(method: HTTPMethods, path: string, request?: FixtureRequest): Promise<FixtureAnswer>;
}

/** What a fixture may have in place of the usual. */
interface FixtureChange {
  /** Makes a store that fails of the one that works. */
  readonly wrapStore?: (store: Store & StoreHistory) => Store & StoreHistory;
  readonly plugins?: readonly PluginSchema[];
  /** The address of a proxy that is trusted. */
  readonly trustedProxy?: string;
  readonly requestRates?: RequestRateSettings;
  /** A data folder that exists, for one that is made. */
  readonly folder?: string;
  readonly database?: PostgresStoreOptions;
  readonly exporter?: ApiContext['exporter'];
}

/** Makes a fixture that is gone when the test ends. */
export async function makeAdminFixture(test: Pick<TestContext, 'after'>, change: FixtureChange = {}): Promise<AdminFixture> {
  const folder = change.folder ?? (await temporaryFolder(test));
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const announcer = new FakeAnnouncer();
  const database = change.folder === undefined && change.database === undefined ? await testDatabase() : undefined;
  const opened = await openControlPlaneStore({
    dataFolder: folder,
    keyringFile: `${folder}/keyring.json`,
    database: change.database ?? database?.options,
    clock,
    random: systemRandom,
  });
  const { installation } = await openInstallation({
    store: opened,
    bootstrapToken: TOKEN,
    adminPassword: 'password',
    clock,
    random: systemRandom,
  });
  const store = change.wrapStore?.(opened) ?? opened;
  const stopping = new AbortController();
  const { keySalt } = installation;
  const { plugins = PLUGIN_SCHEMAS } = change;
  const registry = new MemoryInstanceRegistry(clock);
  const people = openPeople({ store, clock, expiryClock: clock, random: systemRandom, log, onSignIn: () => undefined });
  const mayDial = createDialPolicy({ protectedPorts: [], allow: [], deny: [] });
  const context: ApiContext = {
    ...{ store, usage: opened.usage, people, mayDial, publisher: announcer, registry, plugins, keySalt, closedFolders: [folder] },
    ...{ clock, random: systemRandom, log, exporter: change.exporter, stopping: stopping.signal },
    joining: {
      softwareVersion: '0.0.0-test',
      controlPlanes: [{ host: 'cp.example.com', port: 7943 }],
      reviewPeers: async () => {
        announcer.reviews += 1;
      },
    },
  };
  const { routes } = describedApi(context);
  const app = createAdminApplication({
    routes,
    authenticator: people.authenticator,
    answers: new AnswerMemory(clock, clock),
    isAddressAllowed: () => true,
    isTrustedProxy: (address) => address === change.trustedProxy,
    rates: new RequestRates(change.requestRates ?? REQUEST_RATES, clock, log),
    random: systemRandom,
    log,
    softwareVersion: '0.0.0-test',
    ...ADMIN_SERVER_LIMITS,
    expectedContinues: new ExpectedContinues(),
    isDraining: () => false,
  });
  test.after(async () => {
    await app.close();
    await opened.close();
    await database?.drop();
  });
  return {
    app,
    routes,
    store,
    history: opened,
    usage: opened.usage,
    clock,
    closedFolders: context.closedFolders,
    log,
    announcer,
    registry,
    people,
    stopping,
    send: (method, path, request = {}) => sendTo(app, method, path, request),
  };
}

async function sendTo(app: FastifyInstance, method: HTTPMethods, path: string, request: FixtureRequest): Promise<FixtureAnswer> {
  const url = path.startsWith('/apisix/admin/') && !path.includes('?') ? `${path}?gateway_group_id=default` : path;
  const token = 'token' in request ? request.token : TOKEN;
  const { body } = request;
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const response = await app.inject({
    method: method as 'GET',
    url,
    headers: { ...(token === undefined ? {} : { 'x-api-key': token }), ...request.headers },
    ...(payload === undefined ? {} : { payload }),
  });
  const isJson = response.headers['content-type']?.toString().startsWith('application/json') === true && response.payload !== '';
  return { status: response.statusCode, headers: response.headers, body: isJson ? response.json() : undefined, text: response.payload };
}
