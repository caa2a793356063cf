import type { Exchange, RequestHead } from '../../engine/index.ts';
import type { MatchedRoute, PluginInstance, QueryArgument, QueryPair, RequestSlot, VariableValue } from '../../plugin-kit/index.ts';
import { findQueryArgument, readQueryPairs, removeQueryArgument } from '../paths/index.ts';
import { hostOfHeader } from '../router/index.ts';
import type { ClientFacts } from './client-facts.ts';
import { EditedHeaders } from './edited-headers.ts';
import { findCookie } from './find-cookie.ts';
import { RequestChains } from './request-chains.ts';
import type { RouteCandidate } from './route-candidate.ts';
import type { RouteMatch } from './route-match.ts';

const ABSENT: QueryArgument = { kind: 'absent' };

/**
 * What a request says, as plugins read it: the first part of `RequestContext`, which see. Everything is read off the head's bytes when it
 * is asked for; after the decision off a copy, where a plugin needs one.
 */
export abstract class ClientRequest {
  readonly chains = new RequestChains();
  /** Undefined for a request that the engine refused by itself. */
  match: RouteMatch | undefined;
  /** Undefined where no route matched. */
  candidate: RouteCandidate | undefined;
  /** The candidate whose conditions are being asked. */
  tried: RouteCandidate | undefined;
  protected readonly headers = new EditedHeaders();
  protected current: Exchange | undefined;
  /** Undefined behind the decision, unless a copy was kept. */
  protected readableHead: RequestHead | undefined;
  /** In place of the connection's, after `setRemoteAddress`. */
  protected ownFacts: ClientFacts | undefined;
  protected ownAddress: string | undefined;
  protected ownPort: number | undefined;
  protected queryEdited = false;
  /** Undefined until somebody asks for it. */
  #query: string | undefined;
  #slots: Map<RequestSlot<unknown>, unknown> | undefined;
  /** Names and values in turn: one or two a request at most, which a map would cost more than finding them. */
  #variables: (string | VariableValue | (() => VariableValue))[] | undefined;
  #filters: Map<PluginInstance, boolean> | undefined;

  get exchange(): Exchange | undefined {
    return this.current;
  }

  /** The exchange has ended, or never was. */
  get isOver(): boolean {
    return this.current === undefined;
  }

  get method(): string {
    return this.match?.method ?? '';
  }

  get path(): string {
    return this.match?.path ?? '';
  }

  /** The value of a parameter of the route's path, by its name; a byte string. */
  pathParameter(name: string): string | undefined {
    return (this.tried ?? this.candidate)?.parameters.get(name);
  }

  get rawTarget(): string {
    const head = this.readableHead;
    return head === undefined ? '' : head.bytes.toString('latin1', head.targetStart, head.targetEnd);
  }

  get host(): string {
    const head = this.readableHead;
    return head === undefined ? '' : hostOfHeader(head.bytes, head.hostStart, head.hostEnd);
  }

  get scheme(): 'http' | 'https' {
    return this.current?.connection.encrypted === true ? 'https' : 'http';
  }

  get minorVersion(): 0 | 1 {
    return this.readableHead?.minorVersion ?? 1;
  }

  get remoteAddress(): string {
    return this.ownAddress ?? this.current?.connection.remoteAddress ?? '';
  }

  get remotePort(): number {
    if (this.ownAddress !== undefined) return this.ownPort ?? 0;
    return this.current?.connection.remotePort ?? 0;
  }

  get localPort(): number {
    return this.current?.connection.localPort ?? 0;
  }

  get route(): MatchedRoute | undefined {
    return this.candidate?.matched;
  }

  /** The route's name on the worker board; 0 for none. */
  get routeNumber(): number {
    return this.candidate?.route.number ?? 0;
  }

  get bodyLength(): number | 'chunked' | undefined {
    const head = this.readableHead;
    if (head === undefined || head.body === 'none') return undefined;
    return head.body === 'chunked' ? 'chunked' : head.contentLength;
  }

  /** As sent, or as edited. */
  get query(): string {
    if (this.#query === undefined) {
      const head = this.readableHead;
      const present = head !== undefined && head.queryStart < head.targetEnd;
      this.#query = present ? head.bytes.toString('latin1', head.queryStart + 1, head.targetEnd) : '';
    }
    return this.#query;
  }

  header(lowerCaseName: string): string | undefined {
    return this.headers.first(lowerCaseName);
  }

  headerValues(lowerCaseName: string): readonly string[] {
    return this.headers.values(lowerCaseName);
  }

  headerNames(): readonly string[] {
    return this.headers.names();
  }

  cookie(name: string): string | undefined {
    return findCookie(this.headers.values('cookie'), name);
  }

  queryArgument(name: string): QueryArgument {
    const query = this.query;
    return query === '' ? ABSENT : findQueryArgument(query, name);
  }

  queryPairs(): readonly QueryPair[] {
    return readQueryPairs(this.query);
  }

  removeQueryArgument(name: string): void {
    const query = this.query;
    const left = removeQueryArgument(query, name);
    if (left === query) return;
    this.#query = left;
    this.queryEdited = true;
  }

  get<Value>(slot: RequestSlot<Value>): Value | undefined {
    // The parsing border: only `set` with the same slot puts anything there.
    return this.#slots?.get(slot) as Value | undefined;
  }

  set<Value>(slot: RequestSlot<Value>, value: Value): void {
    this.#slots ??= new Map();
    this.#slots.set(slot, value);
  }

  setVariable(name: string, value: VariableValue | (() => VariableValue)): void {
    if (this.#variables === undefined) this.#variables = [name, value];
    else this.#variables.push(name, value);
  }

  /** Whether a plugin gave the variable a value of its own. */
  protected ownVariable(name: string): VariableValue {
    const variables = this.#variables;
    if (variables === undefined) return undefined;
    for (let index = variables.length - 2; index >= 0; index -= 2) {
      if (variables[index] !== name) continue;
      const value = variables[index + 1];
      return typeof value === 'function' ? value() : value;
    }
    return undefined;
  }

  /** Whether the phases of this plugin run for the request: `_meta.filter`, asked once and kept. */
  protected passesFilter(instance: PluginInstance, filter: () => boolean): boolean {
    this.#filters ??= new Map();
    let passes = this.#filters.get(instance);
    if (passes === undefined) {
      passes = filter();
      this.#filters.set(instance, passes);
    }
    return passes;
  }

  protected forgetRequest(): void {
    this.headers.end();
    this.current = undefined;
    this.readableHead = undefined;
    this.match = undefined;
    this.candidate = undefined;
    this.ownFacts = undefined;
    this.ownAddress = undefined;
    this.ownPort = undefined;
    this.queryEdited = false;
    this.#query = undefined;
    this.#slots = undefined;
    this.#variables = undefined;
    this.#filters = undefined;
  }
}
