import type { Exchange } from '../../engine/index.ts';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import { fieldNameOf } from '../../lib/field-name.ts';
import { isFieldValue } from '../../lib/field-syntax.ts';
import { type ConsumerMatch, type CredentialMatch, ENGINE_FIELDS, type UpstreamHandle } from '../../plugin-kit/index.ts';
import { removeQueryArgument } from '../paths/index.ts';
import { PluginUpstream } from '../runtime/index.ts';
import { AnswerEdits } from './answer-edits.ts';
import { ClientFacts, clientFactsOf } from './client-facts.ts';
import { ClientRequest } from './client-request.ts';
import type { ContextSurroundings } from './context-surroundings.ts';
import { IDENTITY_NAMES, identityFields } from './identity-lines.ts';
import { isMethod, isRequestTarget } from './request-line-syntax.ts';

/** What the shared tables know of a consumer beyond what plugins see. */
interface PluginCarrier {
  readonly pluginsText: string | undefined;
}

/** A host with an optional port, and no blank, comma or control that would make two of it. */
const HOST = /^[A-Za-z0-9._~!$&'()*+;=:%[\]-]+$/;

/** What plugins change of a request before it is decided: the second part of `RequestContext`, which see. */
export abstract class EditableRequest extends ClientRequest {
  /** Replaces the method toward the upstream. */
  requestMethod: Buffer | undefined;
  /** Replaces path and query. */
  requestTarget: Buffer | undefined;
  /** Replaces the body. */
  body: Buffer | undefined;
  maxBodyBytes = Number.POSITIVE_INFINITY;
  protected readonly surroundings: ContextSurroundings;
  /** Undefined until a plugin attached one. */
  protected attached: ConsumerMatch | undefined;
  /** Unix milliseconds at which what proved the consumer expires. */
  provenUntilMs = Number.POSITIVE_INFINITY;
  /** The consumer's lines are still to be written; false once they stand among the headers that plugins set. */
  protected consumerLinesPending = false;
  protected isDecided = false;
  /** In place of the service's upstream. */
  protected ownUpstream: PluginUpstream | undefined;
  /** Over everything that the upstream's settings say of Host. */
  protected ownHost: Buffer | undefined;
  protected answerEdits: AnswerEdits | undefined;
  #bodyReads = 0;
  #grantedMs = 0;
  /** What ends the waits of plugins at once. */
  #waits: (() => void)[] | undefined;
  /** The consumer's plugins lie over the route's; another consumer comes too late. */
  #isMerged = false;

  constructor(surroundings: ContextSurroundings) {
    super();
    this.surroundings = surroundings;
  }

  get consumer(): ConsumerMatch | undefined {
    return this.attached;
  }

  /** Facts of the connection, or of the client that `setRemoteAddress` named. */
  get facts(): ClientFacts | undefined {
    const { current } = this;
    return this.ownFacts ?? (current === undefined ? undefined : clientFactsOf(current.connection, this.surroundings.trustedAddresses));
  }

  override header(lowerCaseName: string): string | undefined {
    if (IDENTITY_NAMES.has(lowerCaseName)) this.spellConsumerOut();
    return super.header(lowerCaseName);
  }

  override headerValues(lowerCaseName: string): readonly string[] {
    if (IDENTITY_NAMES.has(lowerCaseName)) this.spellConsumerOut();
    return super.headerValues(lowerCaseName);
  }

  override headerNames(): readonly string[] {
    this.spellConsumerOut();
    return super.headerNames();
  }

  removeHeader(lowerCaseName: string): void {
    this.requireUndecided();
    if (IDENTITY_NAMES.has(lowerCaseName)) this.spellConsumerOut();
    this.headers.remove(lowerCaseName);
  }

  setHeader(name: string, value: string): void {
    this.requireUndecided();
    if (IDENTITY_NAMES.has(name.toLowerCase())) this.spellConsumerOut();
    this.headers.set(name, value);
  }

  addHeader(name: string, value: string): void {
    this.requireUndecided();
    if (IDENTITY_NAMES.has(name.toLowerCase())) this.spellConsumerOut();
    this.headers.append(name, value);
  }

  override removeQueryArgument(name: string): void {
    super.removeQueryArgument(name);
    // What another plugin has put in the target's place may hold it too.
    const target = this.upstreamTarget;
    const question = target?.indexOf('?') ?? -1;
    if (target === undefined || question === -1) return;
    const left = removeQueryArgument(target.slice(question + 1), name);
    const path = target.slice(0, question);
    this.requestTarget = Buffer.from(left === '' ? path : `${path}?${left}`, 'latin1');
  }

  setTarget(target: string): void {
    this.requireUndecided();
    if (!isRequestTarget(target)) throw new TypeError('a request target holds characters that it must not');
    this.requestTarget = Buffer.from(target, 'latin1');
  }

  get upstreamTarget(): string | undefined {
    return this.requestTarget?.toString('latin1');
  }

  setMethod(method: string): void {
    this.requireUndecided();
    if (!isMethod(method) || method === 'CONNECT') throw new TypeError('a method holds characters that it must not');
    this.requestMethod = Buffer.from(method, 'latin1');
  }

  setUpstreamHost(host: string): void {
    this.requireUndecided();
    if (!HOST.test(host)) throw new TypeError('a host holds characters that it must not');
    this.ownHost = Buffer.from(host, 'latin1');
  }

  serviceUpstream(id: string): UpstreamHandle | undefined {
    return this.candidate?.route.otherUpstreams.get(id);
  }

  useUpstream(upstream: UpstreamHandle): void {
    this.requireUndecided();
    if (!(upstream instanceof PluginUpstream)) throw new TypeError('an upstream must come from the plugin’s own configuration');
    this.ownUpstream = upstream;
  }

  setRemoteAddress(address: string, port: number | undefined): void {
    this.requireUndecided();
    const canonical = canonicalAddress(address);
    const facts = this.facts;
    if (canonical === undefined || facts === undefined) throw new TypeError('an address must be an IP address');
    this.ownAddress = canonical;
    this.ownPort = port;
    this.ownFacts = new ClientFacts(canonical, facts.trust);
  }

  limitBody(maxBytes: number): void {
    this.requireUndecided();
    if (Number.isNaN(maxBytes) || maxBytes < 0) throw new RangeError('a limit of bytes must not be negative');
    this.maxBodyBytes = maxBytes;
  }

  get isMerged(): boolean {
    return this.#isMerged;
  }

  /** A plugin waits for the client's body. */
  get readsBody(): boolean {
    return this.#bodyReads > 0;
  }

  readBody(maxBytes: number): Promise<Uint8Array | 'too-large'> {
    return this.#readFrom((exchange) => exchange.readBody(maxBytes));
  }

  readBodyStart(maxBytes: number): Promise<Uint8Array> {
    return this.#readFrom((exchange) => exchange.readBodyStart(maxBytes));
  }

  /** By how much waits that configurations ask for have moved the deadline of plugins since this was asked last. */
  takeGrantedTime(): number {
    const grantedMs = this.#grantedMs;
    this.#grantedMs = 0;
    return grantedMs;
  }

  beginWait(durationMs: number, end: () => void): void {
    const { current } = this;
    if (current === undefined) {
      end();
      return;
    }
    this.requireUndecided();
    this.#grantedMs += durationMs;
    current.grantTime(durationMs);
    this.#waits ??= [];
    this.#waits.push(end);
  }

  setBody(body: Uint8Array): void {
    this.requireUndecided();
    this.body = Buffer.from(body);
  }

  setResponseHeader(name: string, value: string): void {
    requireAnswerField(name, value);
    this.answerEdits ??= new AnswerEdits();
    this.answerEdits.set(name, value);
  }

  addResponseHeader(name: string, value: string): void {
    requireAnswerField(name, value);
    this.answerEdits ??= new AnswerEdits();
    this.answerEdits.add(name, value);
  }

  findConsumerByKey(plugin: string, key: string): ConsumerMatch | undefined {
    return this.surroundings.consumers.findByKey(plugin, key);
  }

  findConsumerByName(username: string): ConsumerMatch | undefined {
    return this.surroundings.consumers.findByName(username);
  }

  findCredential(plugin: string, uniqueValue: string): CredentialMatch | undefined {
    return this.surroundings.consumers.findCredential(plugin, uniqueValue);
  }

  digest(text: string): string | undefined {
    return this.surroundings.consumers.digest(text);
  }

  attachConsumer(consumer: ConsumerMatch, untilMs = Number.POSITIVE_INFINITY): void {
    this.requireUndecided();
    // Its own plugins would not run any more.
    if (this.#isMerged) throw new TypeError('a consumer can be attached in rewrite only');
    // The client's copies were cut before any plugin ran; what is left could only be another plugin's.
    if (this.headers.hasSet) for (const name of IDENTITY_NAMES) this.headers.remove(name);
    this.attached = consumer;
    this.provenUntilMs = untilMs;
    this.consumerLinesPending = true;
  }

  /**
   * Lays the plugins of the consumer over the route's; on no route there are only global rules (APISIX). Gives what went wrong: the request
   * must not go on without them.
   */
  mergeConsumer(): unknown {
    this.#isMerged = true;
    const consumer = this.attached;
    if (consumer === undefined || this.candidate === undefined) return undefined;
    // A plugin may have made a match of its own; what counts is whose it is.
    const carrier = carriesPlugins(consumer) ? consumer : this.findConsumerByName(consumer.username);
    if (carrier === undefined || !carriesPlugins(carrier) || carrier.pluginsText === undefined) return undefined;
    try {
      this.chains.merge(this.surroundings.pluginsOfConsumer(carrier.username, carrier.pluginsText));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #readFrom<Body>(read: (exchange: Exchange) => Promise<Body>): Promise<Body> {
    this.requireUndecided();
    const { current } = this;
    if (current === undefined) throw new Error('the request is over');
    this.#bodyReads++;
    try {
      return await read(current);
    } finally {
      this.#bodyReads--;
    }
  }

  protected forgetEdits(): void {
    this.#grantedMs = 0;
    this.#endWaits();
    this.#isMerged = false;
    this.isDecided = false;
    this.attached = undefined;
    this.provenUntilMs = Number.POSITIVE_INFINITY;
    this.consumerLinesPending = false;
    this.ownUpstream = undefined;
    this.ownHost = undefined;
    this.answerEdits = undefined;
    this.requestMethod = undefined;
    this.requestTarget = undefined;
    this.body = undefined;
    this.maxBodyBytes = Number.POSITIVE_INFINITY;
  }

  #endWaits(): void {
    const waits = this.#waits;
    if (waits === undefined) return;
    this.#waits = undefined;
    for (const end of waits) end();
  }

  protected requireUndecided(): void {
    if (this.isDecided) throw new TypeError('the request is already decided');
  }

  /** Puts the consumer's lines among the other headers that were set, where a plugin can read, replace and remove them. */
  protected spellConsumerOut(): void {
    const consumer = this.attached;
    if (!this.consumerLinesPending || consumer === undefined || this.isDecided) return;
    this.consumerLinesPending = false;
    for (const [name, value] of identityFields(consumer)) this.headers.add(name, value);
  }
}

function carriesPlugins(consumer: ConsumerMatch): consumer is ConsumerMatch & PluginCarrier {
  return 'pluginsText' in consumer;
}

function requireAnswerField(name: string, value: string): void {
  if (ENGINE_FIELDS.has(fieldNameOf(name).lowerCaseName)) throw new TypeError('this header belongs to the gateway');
  if (!isFieldValue(value)) throw new TypeError('a header value holds characters that it must not');
}
