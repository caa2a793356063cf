import type { ConsumerMatch } from '../consumer-match.ts';
import type { ExchangeFacts } from '../log-view.ts';
import type { MatchedRoute } from '../request-view.ts';
import type { VariableValue } from '../variable-value.ts';
import type { HeaderLines } from './header-list.ts';
import type { TestConsumer } from './test-consumers.ts';

/** What is known of a finished request, for the phase `log`. */
export interface TestAnswer extends ExchangeFacts {
  readonly headers: HeaderLines;
}

/** A request as plain data; every field has a default. */
export interface TestRequestOptions {
  /** `GET` */
  readonly method?: string;
  /** Path and query as sent: `/`. */
  readonly target?: string;
  /** The normalised path where it is another than the decoded one of the target. */
  readonly path?: string;
  /** `Host: gateway.test` is added where there is no Host. */
  readonly headers?: HeaderLines;
  /** None; with one, Content-Length is added unless it is `chunked`. */
  readonly body?: string | Uint8Array;
  readonly chunked?: boolean;
  /** `http` */
  readonly scheme?: 'http' | 'https';
  /** 1 */
  readonly minorVersion?: 0 | 1;
  /** `192.0.2.1` */
  readonly remoteAddress?: string;
  /** 40000 */
  readonly remotePort?: number;
  /** `192.0.2.254` */
  readonly serverAddress?: string;
  /** 9080, or 9443 for https. */
  readonly serverPort?: number;
  /** `0123456789abcdef0123456789abcdef` */
  readonly requestId?: string;
  /** Where `FakeClock` begins. */
  readonly startedAtMs?: number;
  /** Laid over a route with the id `route-1` of the service `service-1`; null for none. */
  readonly route?: Partial<MatchedRoute> | null;
  /** Ids of the service's further upstreams; their handles are numbered in this order. */
  readonly serviceUpstreams?: readonly string[];
  /** Who can be found. */
  readonly consumers?: readonly TestConsumer[];
  /** Who is attached already. */
  readonly consumer?: ConsumerMatch;
  /** Laid over what the request itself gives. */
  readonly variables?: Readonly<Record<string, VariableValue>>;
  readonly answer?: Partial<TestAnswer>;
}

/** The facts of the answer with those that a test does not care about. */
export function completeAnswer(answer: Partial<TestAnswer>): TestAnswer {
  return {
    status: 200,
    reason: undefined,
    responseSource: 'upstream',
    upstreamStatus: 200,
    upstreamAddress: '198.51.100.7:1980',
    upstreamHost: 'upstream.test',
    attempts: 1,
    bytesFromClient: 100,
    bytesToClient: 200,
    headReadAtMs: 1,
    decidedAtMs: 2,
    connectedAtMs: 3,
    firstByteAtMs: 8,
    finishedAtMs: 10,
    headers: [],
    ...answer,
  };
}

/** The route of a request with those of its facts that a test does not care about. */
export function completeRoute(route: Partial<MatchedRoute> | null): MatchedRoute | undefined {
  if (route === null) return undefined;
  return { id: 'route-1', name: 'orders', serviceId: 'service-1', serviceName: 'shop', pattern: '/*', hostPattern: '', ...route };
}
