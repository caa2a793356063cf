import type { EngineTimeouts } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { TIMEOUT_SETTINGS } from './request-settings.ts';
import type { MAIN_SETTINGS } from './settings.ts';

/** Where a time-out is set, if anywhere, and so where its default stands. */
type SetBy =
  | { readonly kind: 'setting'; readonly name: (typeof TIMEOUT_SETTINGS | typeof MAIN_SETTINGS)[number]['name'] }
  | { readonly kind: 'fixed'; readonly seconds: number }
  | { readonly kind: 'engine'; readonly timeout: keyof EngineTimeouts }
  /** A constant in milliseconds, or in seconds where its name says so. `field`: what a service's upstream or a route sets in its place. */
  | { readonly kind: 'constant'; readonly file: string; readonly constant: string; readonly field?: string };

/** One time-out on a request's way. */
export interface RequestTimeOut {
  /** What is waited for, as a user would say it. */
  readonly wait: string;
  readonly setBy: SetBy;
  /** What the client notices; `answer` is the status of the reason in the table of errors. */
  readonly client: 'answer' | 'reset' | 'close' | 'nothing';
  /** Stands in the access log; undefined where there is no request, or where it is no failure of the request. */
  readonly reason: ErrorReason | undefined;
}

const setting = (name: Extract<SetBy, { kind: 'setting' }>['name']): SetBy => ({ kind: 'setting', name });
const engine = (timeout: keyof EngineTimeouts): SetBy => ({ kind: 'engine', timeout });
const constant = (file: string, name: string): SetBy => ({ kind: 'constant', file, constant: name });
const field = (name: string): SetBy => ({
  kind: 'constant',
  file: 'src/schema/effective-upstream.ts',
  constant: 'DEFAULT_TIMEOUT_SECONDS',
  field: name,
});

/** All time-outs on the way of a request, in its order. `docs/reference/limits-and-time-outs.md` is made of it. */
export const REQUEST_TIME_OUTS: readonly RequestTimeOut[] = [
  {
    wait: "A client's TLS handshake, from connecting",
    setBy: setting('tls-handshake-timeout'),
    client: 'close',
    reason: 'tls_handshake_timeout',
  },
  { wait: "A new connection's first byte", setBy: setting('client-head-timeout'), client: 'close', reason: undefined },
  {
    wait: 'The whole request head, from its first byte',
    setBy: setting('client-head-timeout'),
    client: 'answer',
    reason: 'request_timeout',
  },
  {
    wait: 'One plugin to decide, without the delay that its configuration asks for',
    setBy: setting('plugin-timeout'),
    client: 'answer',
    reason: 'plugin_failed',
  },
  {
    wait: 'A delay that the configuration of a plugin asks for',
    setBy: constant('src/plugin-kit/wait-for.ts', 'LONGEST_WAIT_MS'),
    client: 'nothing',
    reason: undefined,
  },
  { wait: 'All plugins to decide, without such delays', setBy: engine('decisionMs'), client: 'answer', reason: 'decision_timeout' },
  {
    wait: 'More of the request body, while it is read',
    setBy: setting('client-body-timeout'),
    client: 'answer',
    reason: 'request_timeout',
  },
  { wait: 'The request body at its lowest rate', setBy: setting('client-body-min-rate'), client: 'answer', reason: 'request_timeout' },
  {
    wait: 'The upstream to accept a connection, and to end its TLS handshake',
    setBy: field('timeout.connect'),
    client: 'answer',
    reason: 'connect_timeout',
  },
  {
    wait: 'The upstream to take more of the request',
    setBy: field('timeout.send'),
    client: 'answer',
    reason: 'upstream_send_timeout',
  },
  {
    wait: 'The upstream to answer, and the whole head of its answer from its first byte on',
    setBy: field('timeout.read'),
    client: 'answer',
    reason: 'upstream_read_timeout',
  },
  {
    wait: "More of the upstream's answer",
    setBy: field('timeout.read'),
    client: 'reset',
    reason: 'upstream_truncated',
  },
  {
    wait: 'Anything of an HTTP/2 upstream with requests, before it is asked by a PING whether it is there',
    setBy: constant('src/engine/http2/liveness-watch.ts', 'PING_AFTER_MS'),
    client: 'nothing',
    reason: undefined,
  },
  {
    wait: 'The answer to that PING',
    setBy: constant('src/engine/http2/liveness-watch.ts', 'PING_ANSWER_MS'),
    client: 'answer',
    reason: 'upstream_closed',
  },
  {
    wait: 'Either side of an upgraded connection to send',
    setBy: field('timeout.read'),
    client: 'reset',
    reason: 'tunnel_idle',
  },
  {
    wait: 'The client to take more of the answer',
    setBy: setting('client-write-timeout'),
    client: 'reset',
    reason: 'client_write_timeout',
  },
  {
    wait: 'The client to take the answer at its lowest rate',
    setBy: setting('client-write-min-rate'),
    client: 'reset',
    reason: 'client_write_timeout',
  },
  {
    wait: 'An answer, for a client that has ended its own side',
    setBy: setting('client-half-closed-timeout'),
    client: 'reset',
    reason: 'client_aborted',
  },
  { wait: 'The next request on a connection', setBy: setting('client-idle-timeout'), client: 'close', reason: undefined },
  { wait: "The age of a client's connection", setBy: setting('client-connection-age'), client: 'close', reason: undefined },
  {
    wait: "The client's end of a connection that is being closed",
    setBy: setting('client-linger-timeout'),
    client: 'close',
    reason: undefined,
  },
  {
    wait: 'The next request on a connection to an upstream',
    setBy: setting('upstream-idle-timeout'),
    client: 'nothing',
    reason: undefined,
  },
  { wait: 'The age of a connection to an upstream', setBy: setting('upstream-connection-age'), client: 'nothing', reason: undefined },
  {
    wait: 'A name server, twice for each server and name',
    setBy: constant('src/gateway/names/name-sources.ts', 'QUERY_TIMEOUT_MS'),
    client: 'nothing',
    reason: undefined,
  },
  { wait: 'A worker thread that does not move', setBy: { kind: 'fixed', seconds: 2 }, client: 'reset', reason: undefined },
  { wait: 'In a drain: until connections are no longer accepted', setBy: setting('drain-delay'), client: 'nothing', reason: undefined },
  { wait: 'In a drain: the first request of a new connection', setBy: engine('drainGraceMs'), client: 'close', reason: undefined },
  { wait: 'In a drain: running requests', setBy: setting('drain-timeout'), client: 'answer', reason: 'drain_timeout' },
];
