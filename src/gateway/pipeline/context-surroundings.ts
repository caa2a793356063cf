import type { NetworkSet } from '../../lib/network-set.ts';
import type { BodyFilter, ConsumerMatch, CredentialMatch, ResponseHead } from '../../plugin-kit/index.ts';
import type { RequestAdmission } from '../limits/index.ts';
import type { ConsumerPlugins } from '../runtime/index.ts';
import type { ClientHeaderRules } from './client-header-rules.ts';
import type { RequestContext } from './request-context.ts';

/** Where plugins find consumers: the shared tables have this shape. */
export interface ConsumerDirectory {
  findByKey(plugin: string, key: string): ConsumerMatch | undefined;
  findByName(username: string): ConsumerMatch | undefined;
  findCredential(plugin: string, uniqueValue: string): CredentialMatch | undefined;
  /** Whether what a consumer was recognised by is in force as it was; true for one that did not come from here. */
  isCurrent(consumer: ConsumerMatch): boolean;
  /** The salted digest of a text in base64; undefined before the salt is known. */
  digest(text: string): string | undefined;
}

/** What all requests of a worker have in common. */
export interface ContextSurroundings {
  readonly headerRules: ClientHeaderRules;
  readonly consumers: ConsumerDirectory;
  readonly monotonicMs: () => number;
  readonly nowMs: () => number;
  /** Decides about requests in flight; undefined where nothing is counted. */
  readonly admission: RequestAdmission | undefined;
  /** Proxies whose word about the client is believed; undefined where nobody was named. */
  readonly trustedAddresses: NetworkSet | undefined;
  /** A consumer's own plugins. @throws CompileError */
  readonly pluginsOfConsumer: (username: string, text: string) => ConsumerPlugins;
  /** Notes what is entered, so that it is known even after this thread has died. */
  readonly enter: (route: number, plugin: number) => void;
  /** The answer's head has come; gives what its body passes through. */
  readonly filterResponse: (context: RequestContext, head: ResponseHead) => BodyFilter | undefined;
  /** What a filter's promise gives, or a rejection when it does not settle by the deadline of plugins. */
  readonly inTime: <Result>(waiting: PromiseLike<Result>) => Promise<Result>;
  /** What a filter of the answer threw. */
  readonly filterFailed: (context: RequestContext, error: unknown) => void;
}
