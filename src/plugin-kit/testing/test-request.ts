import { byteStringOf } from '../../lib/byte-string.ts';
import type { ConsumerMatch, CredentialMatch } from '../consumer-match.ts';
import type { LogView } from '../log-view.ts';
import type { RequestSlot } from '../request-slot.ts';
import type { MatchedRoute, QueryArgument, QueryPair } from '../request-view.ts';
import type { ResponseHead } from '../response-head.ts';
import type { UpstreamHandle } from '../upstream-handle.ts';
import type { VariableValue } from '../variable-value.ts';
import { FRAMING_NAMES, GATEWAY_ANSWER_NAMES, type HeaderLines, HeaderList } from './header-list.ts';
import { findArgument, pairsOfQuery, withoutArgument } from './query-text.ts';
import { TestConsumers, testDigest } from './test-consumers.ts';
import { completeAnswer, completeRoute, type TestAnswer, type TestRequestOptions } from './test-request-options.ts';
import { readVariable } from './test-variables.ts';

/** The head that an upstream would get, without what the gateway adds to every request (`X-Forwarded-*`, `X-Real-IP`). */
export interface UpstreamHead {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderLines;
}

const TARGET = /^\/[\x21\x22\x24-\x7e\x80-\xff]*$/;
const IDENTITY_NAMES = ['X-Consumer-Username', 'X-Credential-Identifier', 'X-Consumer-Custom-ID'] as const;

/** A request over plain data: what plugins do to it can be read from it. Plugins get no further than with the real one. */
export class TestRequest implements LogView {
  readonly method: string;
  readonly path: string;
  readonly rawTarget: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly minorVersion: 0 | 1;
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly route: MatchedRoute | undefined;
  readonly serverAddress: string;
  readonly serverPort: number;
  /** Who is at the other end of the connection, whatever `setRemoteAddress` says. */
  readonly peerAddress: string;
  remoteAddress: string;
  remotePort: number;
  consumer: ConsumerMatch | undefined;
  query: string;

  // What plugins have done.
  upstreamTarget: string | undefined;
  upstreamMethod: string | undefined;
  chosenUpstream: UpstreamHandle | undefined;
  /** What `limitBody` said last. */
  bodyLimit: number | undefined;
  /** The bounds with which the body was read, in order. */
  readonly bodyReads: number[] = [];
  /** By how much plugins have moved their deadline, by waits that their configuration asks for. */
  grantedMs = 0;
  readonly #waits: (() => void)[] = [];
  readonly #responseHeaders = new HeaderList([], GATEWAY_ANSWER_NAMES);
  readonly #headers: HeaderList;
  readonly #consumers: TestConsumers;
  readonly #serviceUpstreams: ReadonlyMap<string, UpstreamHandle>;
  readonly #variables: Map<string, VariableValue | (() => VariableValue)>;
  readonly #slots = new Map<unknown, unknown>();
  readonly #chunked: boolean;
  #body: Buffer | undefined;
  #upstreamBody: Buffer | undefined;
  #upstreamHost: string | undefined;
  #queryEdited = false;
  #decided = false;
  #answer: TestAnswer;
  #response: ResponseHead | undefined;

  constructor(options: TestRequestOptions = {}) {
    const { target = '/', headers = [], scheme = 'http', remoteAddress = '192.0.2.1', body } = options;
    const [path = '', ...rest] = target.split('?');
    this.method = options.method ?? 'GET';
    this.rawTarget = byteStringOf(target);
    this.path = options.path ?? Buffer.from(decodeURIComponent(path), 'utf8').toString('latin1');
    this.query = byteStringOf(rest.join('?'));
    this.scheme = scheme;
    this.minorVersion = options.minorVersion ?? 1;
    this.requestId = options.requestId ?? '0123456789abcdef0123456789abcdef';
    this.startedAtMs = options.startedAtMs ?? 1_800_000_000_000;
    this.route = completeRoute(options.route === undefined ? {} : options.route);
    this.serverAddress = options.serverAddress ?? '192.0.2.254';
    this.serverPort = options.serverPort ?? (scheme === 'https' ? 9443 : 9080);
    this.peerAddress = remoteAddress;
    this.remoteAddress = remoteAddress;
    this.remotePort = options.remotePort ?? 40_000;
    this.consumer = options.consumer;
    this.#chunked = options.chunked ?? false;
    this.#body = body === undefined ? undefined : Buffer.from(body);
    this.#headers = new HeaderList(completeHeaders(headers, this.#body, this.#chunked), FRAMING_NAMES);
    this.host = hostName(this.#headers.first('host') ?? '');
    this.#consumers = new TestConsumers(options.consumers ?? []);
    this.#serviceUpstreams = new Map((options.serviceUpstreams ?? []).map((id, index) => [id, { index }]));
    this.#variables = new Map(Object.entries(options.variables ?? {}));
    this.#answer = completeAnswer(options.answer ?? {});
  }

  header(lowerCaseName: string): string | undefined {
    return this.#headers.first(lowerCaseName);
  }

  headerValues(lowerCaseName: string): readonly string[] {
    return this.#headers.values(lowerCaseName);
  }

  headerNames(): readonly string[] {
    return this.#headers.names();
  }

  cookie(name: string): string | undefined {
    const pairs = this.#headers.values('cookie').flatMap((line) => line.split(';').map((pair) => pair.trim()));
    return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  queryArgument(name: string): QueryArgument {
    return findArgument(this.query, name);
  }

  queryPairs(): readonly QueryPair[] {
    return pairsOfQuery(this.query);
  }

  variable(name: string): VariableValue {
    if (!this.#variables.has(name)) return readVariable(this, name);
    const value = this.#variables.get(name);
    return typeof value === 'function' ? value() : value;
  }

  setVariable(name: string, value: VariableValue | (() => VariableValue)): void {
    this.#variables.set(name, value);
  }

  get bodyLength(): number | 'chunked' | undefined {
    return this.#chunked ? 'chunked' : this.#body?.length;
  }

  removeHeader(lowerCaseName: string): void {
    this.#edit();
    this.#headers.remove(lowerCaseName);
  }

  setHeader(name: string, value: string): void {
    this.#edit();
    this.#headers.set(name, value);
  }

  addHeader(name: string, value: string): void {
    this.#edit();
    this.#headers.add(name, value);
  }

  removeQueryArgument(name: string): void {
    this.#edit();
    const left = withoutArgument(this.query, name);
    this.#queryEdited ||= left !== this.query;
    this.query = left;
  }

  setTarget(target: string): void {
    this.#edit();
    if (!TARGET.test(target)) throw new TypeError('the target holds characters that it must not');
    this.upstreamTarget = target;
  }

  setMethod(method: string): void {
    this.#edit();
    if (!/^[A-Z-]+$/.test(method)) throw new TypeError('no method');
    this.upstreamMethod = method;
  }

  setUpstreamHost(host: string): void {
    this.#edit();
    if (!/^[!-~]+$/.test(host)) throw new TypeError('no host');
    this.#upstreamHost = host;
  }

  serviceUpstream(id: string): UpstreamHandle | undefined {
    return this.#serviceUpstreams.get(id);
  }

  useUpstream(upstream: UpstreamHandle): void {
    this.#edit();
    this.chosenUpstream = upstream;
  }

  setRemoteAddress(address: string, port: number | undefined): void {
    this.#edit();
    this.remoteAddress = address;
    if (port !== undefined) this.remotePort = port;
  }

  limitBody(maxBytes: number): void {
    this.#edit();
    this.bodyLimit = maxBytes;
  }

  async readBody(maxBytes: number): Promise<Uint8Array | 'too-large'> {
    this.#edit();
    this.bodyReads.push(maxBytes);
    const body = this.#body ?? Buffer.alloc(0);
    return body.length > maxBytes ? 'too-large' : Buffer.from(body);
  }

  async readBodyStart(maxBytes: number): Promise<Uint8Array> {
    this.#edit();
    this.bodyReads.push(maxBytes);
    return Buffer.from(this.#body?.subarray(0, maxBytes) ?? []);
  }

  setBody(body: Uint8Array): void {
    this.#edit();
    this.#upstreamBody = Buffer.from(body);
  }

  beginWait(durationMs: number, end: () => void): void {
    this.#edit();
    this.grantedMs += durationMs;
    this.#waits.push(end);
  }

  setResponseHeader(name: string, value: string): void {
    this.#edit();
    this.#responseHeaders.set(name, value);
  }

  addResponseHeader(name: string, value: string): void {
    this.#edit();
    this.#responseHeaders.add(name, value);
  }

  get<Value>(slot: RequestSlot<Value>): Value | undefined {
    // Only `set` with the same slot has put anything there.
    return this.#slots.get(slot) as Value | undefined;
  }

  set<Value>(slot: RequestSlot<Value>, value: Value): void {
    this.#slots.set(slot, value);
  }

  findConsumerByKey(plugin: string, key: string): ConsumerMatch | undefined {
    return this.#consumers.findByKey(plugin, key);
  }

  findConsumerByName(username: string): ConsumerMatch | undefined {
    return this.#consumers.findByName(username);
  }

  findCredential(plugin: string, uniqueValue: string): CredentialMatch | undefined {
    return this.#consumers.findCredential(plugin, uniqueValue);
  }

  digest(text: string): string | undefined {
    return testDigest(text);
  }

  attachConsumer(consumer: ConsumerMatch): void {
    this.#edit();
    this.consumer = consumer;
    const values = [consumer.username, consumer.credentialId, consumer.customId];
    for (const [index, name] of IDENTITY_NAMES.entries()) {
      this.#headers.remove(name.toLowerCase());
      const value = values[index];
      if (value !== undefined) this.#headers.set(name, byteStringOf(value));
    }
  }

  // What tests ask.

  /** What an upstream would get. */
  upstreamHead(): UpstreamHead {
    const lines = this.#headers.lines.map(([name, value]) => {
      const isHost = name.toLowerCase() === 'host' && this.#upstreamHost !== undefined;
      return [name, isHost ? (this.#upstreamHost ?? '') : value] as const;
    });
    return { method: this.upstreamMethod ?? this.method, target: this.upstreamTarget ?? this.#clientTarget(), headers: lines };
  }

  /** Undefined where the request has no body and none was set. */
  upstreamBody(): Buffer | undefined {
    return this.#upstreamBody ?? this.#body;
  }

  /** Headers of the answer that plugins have set before there was one. */
  get responseHeaders(): HeaderLines {
    return this.#responseHeaders.lines;
  }

  /** The request is decided: from here on edits throw. */
  decide(): void {
    this.#decided = true;
  }

  /** The request is over: nothing waits any more. */
  endWaits(): void {
    for (const end of this.#waits.splice(0)) end();
  }

  /** There is an answer: what it says is what variables and the phase `log` tell. */
  answeredBy(response: ResponseHead): void {
    this.decide();
    this.#response = response;
  }

  get status(): number {
    return this.#response?.status ?? this.#answer.status;
  }

  get reason(): string | undefined {
    return this.#answer.reason;
  }

  get responseSource(): 'upstream' | 'apisix' | 'nginx' {
    return this.#response?.source === 'gateway' ? 'apisix' : this.#answer.responseSource;
  }

  get upstreamStatus(): number {
    return this.#answer.upstreamStatus;
  }

  get upstreamAddress(): string | undefined {
    return this.#answer.upstreamAddress;
  }

  get upstreamHost(): string | undefined {
    return this.#upstreamHost ?? this.#answer.upstreamHost;
  }

  get attempts(): number {
    return this.#answer.attempts;
  }

  get bytesFromClient(): number {
    return this.#answer.bytesFromClient;
  }

  get bytesToClient(): number {
    return this.#answer.bytesToClient;
  }

  get headReadAtMs(): number {
    return this.#answer.headReadAtMs;
  }

  get decidedAtMs(): number {
    return this.#answer.decidedAtMs;
  }

  get connectedAtMs(): number {
    return this.#answer.connectedAtMs;
  }

  get firstByteAtMs(): number {
    return this.#answer.firstByteAtMs;
  }

  get finishedAtMs(): number {
    return this.#answer.finishedAtMs;
  }

  responseHeader(lowerCaseName: string): string | undefined {
    return this.#response?.header(lowerCaseName) ?? new HeaderList(this.#answer.headers, GATEWAY_ANSWER_NAMES).first(lowerCaseName);
  }

  responseHeaderNames(): readonly string[] {
    return this.#response?.headerNames() ?? new HeaderList(this.#answer.headers, GATEWAY_ANSWER_NAMES).names();
  }

  #clientTarget(): string {
    if (!this.#queryEdited) return this.rawTarget;
    const [path = ''] = this.rawTarget.split('?');
    return this.query === '' ? path : `${path}?${this.query}`;
  }

  #edit(): void {
    if (this.#decided) throw new TypeError('the request is decided and can be edited no more');
  }
}

function completeHeaders(headers: HeaderLines, body: Buffer | undefined, chunked: boolean): HeaderLines {
  const has = (wanted: string): boolean => headers.some(([name]) => name.toLowerCase() === wanted);
  const host: HeaderLines = has('host') ? [] : [['Host', 'gateway.test']];
  if (body === undefined || has('content-length')) return [...host, ...headers];
  return [...host, ...headers, chunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', `${body.length}`]];
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}
