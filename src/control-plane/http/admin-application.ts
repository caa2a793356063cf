import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type HTTPMethods } from 'fastify';
import { PortcullisError } from '../../errors/index.ts';
import { METHODS as HTTP_METHODS } from '../../lib/node-http.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import { type Authenticator, type Caller, ownGroupOf, randomId } from '../auth/index.ts';
import type { AnswerMemory, RecalledAnswer } from './answer-memory.ts';
import { answerOrRecall, isRememberedRead, isStoreAway, JSON_TYPE, shownBy } from './answer-or-recall.ts';
import { contentTypeOf, FrameworkRequest, headerOf } from './api-request.ts';
import type { ApiAnswer, ApiRoute, RoutePermission } from './api-route.ts';
import { authorize } from './authorize.ts';
import { BodyBudget } from './body-budget.ts';
import { Clients } from './clients.ts';
import { describeError } from './error-answer.ts';
import type { ExpectedContinues } from './expected-continues.ts';
import { isLastOfConnection } from './last-of-connection.ts';
import { originWithoutReason } from './origin-of-request.ts';
import { printable } from './printable.ts';
import { bodyTooLarge, readBody } from './read-body.ts';
import type { RequestRates } from './request-rates.ts';
import { refuseCrossSite } from './same-origin.ts';
import { refuseTrial } from './trial.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on every route of the Admin API; a route without it is refused. */
    readonly permission?: RoutePermission;
    /** As `ApiRoute.groupScoped`. */
    readonly groupScoped?: boolean;
    /** As `ApiRoute.maxBodyBytes`. */
    readonly maxBodyBytes?: number;
    /** On the routes that stand for "this path has no such method": the methods that it has. */
    readonly allow?: string;
  }
}

/** All that Node's parser lets through to an application; those that are offered stand first, in the order of `Allow`. */
const METHODS: readonly HTTPMethods[] = [
  ...new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', ...HTTP_METHODS.filter((method) => method !== 'CONNECT')]),
];
/** The text of API7's OpenAPI document for 401. */
const UNAUTHORIZED =
  'Unauthorized — Authentication is required. Provide a valid API key via the X-API-KEY header or use Basic Auth credentials.';

/** What `createAdminApplication` needs. */
export interface AdminApplicationOptions {
  readonly routes: readonly ApiRoute[];
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'renew'>;
  /** Whether clients at this (canonical) address are served at all. */
  isAddressAllowed(address: string): boolean;
  /** Whether a connection from this (canonical) address comes from a proxy whose `X-Forwarded-For` is believed. */
  isTrustedProxy(address: string): boolean;
  readonly rates: Pick<RequestRates, 'admitAddress' | 'admitCaller'>;
  /** Makes the ids of requests. */
  readonly random: Random;
  readonly log: Logger;
  readonly softwareVersion: string;
  readonly maxBodyBytes: number;
  /** All bodies together that are being read or worked on. */
  readonly maxBodyBytesAtOnce: number;
  /** What reads are answered from while the store is away. */
  readonly answers: AnswerMemory;
  /** Requests whose client waits for `100 Continue` before it sends the body. */
  readonly expectedContinues: ExpectedContinues;
  /** Told of each answer. Absent: nobody wants to know. */
  readonly onAnswered?: ((method: string, status: number, durationMs: number) => void) | undefined;
  /** When true, answers ask the client to close the connection. */
  isDraining(): boolean;
}

/**
 * The Admin API without its sockets: routing, authentication, bodies, errors, one log line a request.
 *
 * Every request but those of routes marked `public` is authenticated by one hook, before its body is read and also when its
 * path leads nowhere. Registering a route without a permission throws.
 */
export function createAdminApplication(options: AdminApplicationOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    genReqId: () => randomId(options.random),
    routerOptions: { maxParamLength: 16_384, querystringParser: () => ({}) },
    frameworkErrors: (error, _request, reply) => void sendError(options, reply, error),
  });
  const clients = new Clients((address) => options.isTrustedProxy(address));
  const responses = new WeakMap<FastifyRequest, ServerResponse>();
  addBodyParser(app, options, responses);
  app.addHook('onRoute', (route) => {
    if (route.config?.permission === undefined) throw new Error(`the route ${String(route.method)} ${route.url} declares no permission`);
  });
  app.addHook('onRequest', async (request, reply) => void responses.set(request, reply.raw));
  app.addHook('onRequest', (request, reply) => admit(options, clients, request, reply));
  app.addHook('onSend', async (request, reply, payload) => {
    addCommonHeaders(options, reply, request);
    if (isLastOfConnection(payload)) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => logRequest(options, clients, request, reply));
  app.setErrorHandler((error, request, reply) => sendError(options, reply, error, request));
  // Never reached: the hook has refused the request.
  app.setNotFoundHandler((_request, reply) => sendError(options, reply, notFound()));
  for (const route of options.routes) addRoute(app, options, route, clients);
  addMethodFallbacks(app, options.routes);
  return app;
}

function addRoute(app: FastifyInstance, options: AdminApplicationOptions, route: ApiRoute, clients: Clients): void {
  const requestOf = (request: FastifyRequest, caller: Caller | undefined): FrameworkRequest =>
    new FrameworkRequest(request, caller, clients.addressOf(request));
  app.route({
    method: route.method,
    url: route.path,
    config: {
      permission: route.permission,
      groupScoped: route.groupScoped === true,
      ...maxBodyBytesOf(route),
    },
    // After the caller is known and before the body is read.
    preParsing: async (request) => authorize(route, requestOf(request, clients.callers.get(request))),
    handler: async (request, reply) => {
      if (request.body instanceof UnreadableBody) throw request.body.error;
      const recalled = clients.recalled.get(request);
      if (recalled !== undefined) return sendRecalled(reply, recalled);
      const apiRequest = requestOf(request, await renewed(options, request, clients.callers.get(request)));
      // A body may take half a minute to arrive: what was revoked meanwhile counts.
      if (request.body !== undefined) authorize(route, apiRequest);
      refuseTrial(route, apiRequest);
      const answer = await answerOrRecall(options.answers, route, clients, request, apiRequest);
      if ('ageSeconds' in answer) return sendRecalled(reply, answer);
      return answer.stream === undefined ? send(reply, answer) : sendStream(options, request, reply, { ...answer, ...answer.stream });
    },
  });
}

function sendRecalled(reply: FastifyReply, { answer, ageSeconds }: RecalledAnswer): FastifyReply {
  const headers = { ...answer.headers, 'portcullis-stale': String(ageSeconds) };
  return send(reply, { headers, body: undefined, text: { contentType: JSON_TYPE, content: answer.text } });
}

/** Whoever has not proved to be anybody has little to say: he must not take up what there is for the bodies of others. */
const PUBLIC_BODY_BYTES = 16_384;

function maxBodyBytesOf({ permission, maxBodyBytes = permission === 'public' ? PUBLIC_BODY_BYTES : undefined }: ApiRoute): {
  readonly maxBodyBytes?: number;
} {
  return maxBodyBytes === undefined ? {} : { maxBodyBytes };
}

/** Answers 405 where the path exists and the method does not; the router alone would say 404. */
function addMethodFallbacks(app: FastifyInstance, routes: readonly ApiRoute[]): void {
  for (const method of METHODS.filter((method) => !app.supportedMethods.includes(method))) app.addHttpMethod(method);
  for (const [url, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    const allowed = METHODS.filter((method) =>
      ofPath.some((route) => route.method === method || (route.method === 'GET' && method === 'HEAD')),
    );
    const isPublic = ofPath.every((route) => route.permission === 'public');
    app.route({
      method: METHODS.filter((method) => !allowed.includes(method)),
      url,
      config: { permission: isPublic ? 'public' : 'signed-in', allow: allowed.join(', ') },
      handler: () => Promise.reject(new PortcullisError('admin_method_not_allowed')),
    });
  }
}

async function admit(options: AdminApplicationOptions, clients: Clients, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  // ADC calls even absent bodies JSON: the framework must not judge by it.
  delete request.raw.headers['content-type'];
  refuseImproperHead(request);
  const { permission, allow, groupScoped } = request.routeOptions.config;
  const address = clients.addressOf(request);
  if (!isProbe(request)) {
    if (!options.isAddressAllowed(address)) throw new PortcullisError('admin_forbidden', { publicMessage: 'Access denied' });
    admitRate(clients, request, () => options.rates.admitAddress(address));
  }
  const caller = permission === 'public' ? undefined : await identify(options, clients, request, address);
  if (caller !== undefined) {
    clients.callers.set(request, caller);
    admitRate(clients, request, () => options.rates.admitCaller(caller));
  }
  // A token or admin key is in no browser's keeping; everything else a browser may send without being asked to, the sign-in itself included.
  if (caller?.by !== 'token' && caller?.by !== 'admin_key') refuseCrossSite(changeOf(request));
  if (request.is404) throw notFound();
  if (allow !== undefined) {
    reply.header('allow', allow);
    throw new PortcullisError('admin_method_not_allowed');
  }
  if (ownGroupOf(caller) !== undefined && groupScoped !== true) {
    throw new PortcullisError('admin_forbidden', { publicMessage: 'the admin key of a gateway group is not allowed to do this' });
  }
}

function admitRate(clients: Clients, request: FastifyRequest, admit: () => void): void {
  try {
    admit();
  } catch (error) {
    clients.refusedByRate.add(request);
    throw error;
  }
}

/** Health probes tell nothing, and come from wherever a load balancer stands. */
function isProbe(request: FastifyRequest): boolean {
  return PROBES.has(request.routeOptions.url ?? '');
}

const PROBES: ReadonlySet<string> = new Set(['/healthz', '/api/status']);

/** Who calls or, where the store is away, who asked for the same with the same token before: then the request is answered from memory. */
async function identify(options: AdminApplicationOptions, clients: Clients, request: FastifyRequest, address: string): Promise<Caller> {
  clients.marks.set(request, options.answers.mark);
  try {
    return await authenticate(options, request, address);
  } catch (error) {
    const recalled =
      isRememberedRead(request) && isStoreAway(error) ? options.answers.find(shownBy(request), request.raw.url ?? '') : undefined;
    if (recalled === undefined) throw error;
    clients.recalled.set(request, recalled);
    return recalled.answer.caller;
  }
}

async function authenticate(
  { authenticator, answers }: AdminApplicationOptions,
  request: FastifyRequest,
  address: string,
): Promise<Caller> {
  const shown = shownBy(request);
  const caller = await authenticator.authenticate({
    ...shown,
    address,
    origin: originWithoutReason({ address, id: request.id, header: (name) => headerOf(request, name) }),
  });
  if (caller !== undefined) return caller;
  answers.forgetCaller(shown);
  throw new PortcullisError('admin_unauthorized', { publicMessage: UNAUTHORIZED });
}

/** The caller as of now, where the body has made the request wait. */
async function renewed(
  { authenticator }: AdminApplicationOptions,
  request: FastifyRequest,
  caller: Caller | undefined,
): Promise<Caller | undefined> {
  if (caller === undefined || request.body === undefined) return caller;
  const now = await authenticator.renew(caller);
  if (now === undefined) throw new PortcullisError('admin_unauthorized', { publicMessage: UNAUTHORIZED });
  return now;
}

function changeOf(request: FastifyRequest): Parameters<typeof refuseCrossSite>[0] {
  const { headers } = request.raw;
  return {
    method: request.method,
    host: headers.host,
    origin: headerOf(request, 'origin'),
    fetchSite: headerOf(request, 'sec-fetch-site'),
    contentType: contentTypeOf(request),
    hasBody: headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0,
  };
}

/** What RFC 9110, sections 7.2 and 10.1.1, demand of a request's head, and the server below leaves to the application. */
function refuseImproperHead({ raw }: FastifyRequest): void {
  if (raw.httpVersion !== '1.0' && raw.headers.host === undefined) throw new PortcullisError('bad_host');
  const { expect } = raw.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') throw new PortcullisError('expectation_failed');
}

function notFound(): PortcullisError {
  return new PortcullisError('admin_not_found', { publicMessage: 'resource not found' });
}

/** A body that could not be read. The framework would close the connection, and a client that is still sending could miss the answer. */
class UnreadableBody {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

function addBodyParser(app: FastifyInstance, options: AdminApplicationOptions, responses: WeakMap<FastifyRequest, ServerResponse>): void {
  const budget = new BodyBudget(options.maxBodyBytesAtOnce);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, stream: FastifyRequest['raw']) => {
    const maxBodyBytes = request.routeOptions.config.maxBodyBytes ?? options.maxBodyBytes;
    if (Number(headerOf(request, 'content-length') ?? 0) > maxBodyBytes) return new UnreadableBody(bodyTooLarge(maxBodyBytes));
    options.expectedContinues.send(request.raw);
    const response = responses.get(request);
    const take = (bytes: number): boolean => response !== undefined && budget.take(response, bytes);
    return readBody(stream, maxBodyBytes, take).catch((error: unknown) => new UnreadableBody(error));
  });
}

function send(reply: FastifyReply, answer: ApiAnswer): FastifyReply {
  reply.code(answer.status ?? 200);
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
  if (answer.text !== undefined) return reply.type(answer.text.contentType).send(answer.text.content);
  if (answer.body === undefined) return reply.send();
  return reply.type(JSON_TYPE).send(JSON.stringify(answer.body));
}

function sendStream(
  options: AdminApplicationOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers, contentType, pieces }: ApiAnswer & Required<ApiAnswer>['stream'],
): FastifyReply {
  const stream = Readable.from(pieces);
  stream.on('error', (error) => {
    const fields = { method: request.method, path: pathOf(request), requestId: request.id };
    options.log.error('an answer of the Admin API broke off', fields, error);
  });
  reply.code(status ?? 200);
  for (const [name, value] of Object.entries(headers ?? {})) reply.header(name, value);
  return reply.type(contentType).send(stream);
}

function sendError(options: AdminApplicationOptions, reply: FastifyReply, error: unknown, request?: FastifyRequest): FastifyReply {
  const answer = describeError(error);
  if (answer.isOurs) {
    const fields = request === undefined ? {} : { method: request.method, path: pathOf(request), requestId: request.id };
    options.log.error('a request of the Admin API failed', { ...fields, reason: answer.reason }, error);
  }
  addCommonHeaders(options, reply, request);
  return send(reply, { status: answer.status, headers: answer.headers, body: { error_msg: answer.message } });
}

function addCommonHeaders(options: AdminApplicationOptions, reply: FastifyReply, request: FastifyRequest | undefined): void {
  if (request !== undefined) reply.header('portcullis-request-id', request.id);
  reply.headers({ 'portcullis-version': options.softwareVersion, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  if (options.isDraining()) reply.header('connection', 'close');
}

function logRequest(options: AdminApplicationOptions, clients: Clients, request: FastifyRequest, reply: FastifyReply): void {
  options.onAnswered?.(request.method, reply.statusCode, reply.elapsedTime);
  // A flood that is refused must not become a flood of lines: `RequestRates` tells of it now and then.
  const level = clients.refusedByRate.has(request) ? 'debug' : 'info';
  options.log[level]('admin request', {
    method: request.method,
    path: pathOf(request),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    ...whoOf(clients.callers.get(request)),
    requestId: request.id,
    address: clients.addressOf(request),
  });
}

function whoOf(caller: Caller | undefined): { readonly userId?: string; readonly tokenId?: string | undefined } {
  if (caller === undefined) return {};
  return caller.by === 'admin_key' ? { tokenId: caller.author.id } : { userId: caller.user.id, tokenId: caller.tokenId };
}

function pathOf(request: FastifyRequest): string {
  return printable((request.raw.url ?? '').split('?', 1)[0] ?? '');
}
