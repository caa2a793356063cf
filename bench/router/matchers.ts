import findMyWay from 'find-my-way';
import { RouteFinder } from '../../src/gateway/pipeline/route-finder.ts';
import { methodBit, Router } from '../../src/gateway/router/index.ts';
import { FakeExchange } from '../../src/gateway/testing/fake-exchange.ts';
import { matchPathPattern } from '../../src/lib/path-pattern.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { PreparedRoutes } from './prepare-routes.ts';
import { prefixOf, type SampleRoute } from './sample-routes.ts';

/** Finds the route of a path. */
export interface Matcher {
  readonly name: string;
  /** Looks all requests up, one after the other; how many had a route. */
  run(): number;
}

const GET = methodBit('GET');
const HOST = 'api.example.com';

/** Makes a matcher of a table of routes; the requests are paths as they lie in a buffer. */
export type MakeMatcher = (routes: readonly SampleRoute[], requests: readonly Buffer[]) => Matcher;

/** The router alone, with the values of the parameters. */
export const routerMatcher: MakeMatcher = (routes, requests) => {
  const router = new Router<string>();
  for (const { id, service, path } of routes) {
    const paths = [prefixOf(service) + path];
    router.put({ id, hosts: [], paths, methods: GET, priority: 0, order: 0, conditional: false, value: id });
  }
  return {
    name: 'router',
    run: () => {
      let found = 0;
      for (const bytes of requests) {
        const path = bytes.toString('latin1');
        const [place] = router.candidates({ host: HOST, path, method: GET });
        if (place === undefined) continue;
        if (place.pattern.kind !== 'exact') matchPathPattern(place.pattern, path);
        found++;
      }
      return found;
    },
  };
};

/** What a worker does for a request: everything that depends on its path, or a look into the cache. */
export function finderMatcher(name: string, { runtime }: PreparedRoutes, requests: readonly Buffer[]): Matcher {
  const exchanges = requests.map((path) => new FakeExchange(`GET ${path.toString('latin1')}`, [`Host: ${HOST}`]));
  const finder = new RouteFinder(runtime, systemRandom);
  return {
    name,
    run: () => {
      let found = 0;
      for (const { head, connection } of exchanges) if (finder.find(head, connection, 0).failure === undefined) found++;
      return found;
    },
  };
}

export const findMyWayMatcher: MakeMatcher = (routes, requests) => {
  const router = findMyWay();
  for (const { service, path } of routes) router.on('GET', prefixOf(service) + path, () => {});
  return {
    name: 'find-my-way',
    run: () => {
      let found = 0;
      for (const bytes of requests) if (router.find('GET', bytes.toString('latin1')) !== null) found++;
      return found;
    },
  };
};
