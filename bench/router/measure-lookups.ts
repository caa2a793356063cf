import { median } from '../report/statistics.ts';
import { finderMatcher, findMyWayMatcher, type Matcher, routerMatcher } from './matchers.ts';
import { prepareRoutes } from './prepare-routes.ts';
import { type PathKind, prefixOf, sampleRequest, sampleRoute } from './sample-routes.ts';

/** So many paths that none is still in the cache when its turn comes again. */
const REQUESTS = 20_000;
/** So few that all are. */
const KNOWN_PATHS = 500;
const WARM_UP_ROUNDS = 4;
const ROUNDS = 15;
const KINDS: readonly (PathKind | 'no route')[] = ['one path', 'parameters', 'wildcard', 'no route'];

/** Prints what a look-up costs among so many routes, all matchers in turn in every round. */
export async function measureLookups(count: number): Promise<void> {
  const routes = Array.from({ length: count }, (_, index) => sampleRoute(index, count));
  const prepared = prepareRoutes(count);
  prepared.runtime.commit(await prepared.runtime.prepare(prepared.changes));
  console.log(
    `\n${count} routes: nanoseconds of CPU a look-up, median of ${ROUNDS} rounds; in brackets the median of its ratio to find-my-way\n`,
  );
  for (const kind of KINDS) {
    const requests = requestsOf(kind, routes);
    const known = Array.from({ length: REQUESTS }, (_, index) => requests[index % KNOWN_PATHS] ?? Buffer.alloc(0));
    const matchers = [
      findMyWayMatcher(routes, requests),
      routerMatcher(routes, requests),
      finderMatcher('new path', prepared, requests),
      finderMatcher('known path', prepared, known),
    ];
    console.log(`${kind.padEnd(12)} ${compare(matchers, kind === 'no route' ? 0 : REQUESTS)}`);
  }
}

function requestsOf(kind: PathKind | 'no route', routes: readonly ReturnType<typeof sampleRoute>[]): readonly Buffer[] {
  const fitting = kind === 'no route' ? routes : routes.filter((route) => route.kind === kind);
  return Array.from({ length: REQUESTS }, (_, turn) => {
    const route = fitting[(turn * 7919) % fitting.length];
    if (route === undefined) throw new Error(`no route of the kind ${kind}`);
    return Buffer.from(kind === 'no route' ? `${prefixOf(route.service)}/v1/nothing-${turn}` : sampleRequest(route, turn));
  });
}

function compare(matchers: readonly Matcher[], expected: number): string {
  const times = new Map<string, number[]>(matchers.map(({ name }) => [name, []]));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const matcher of matchers) {
      const startedAt = cpuMicros();
      const found = matcher.run();
      const nanos = ((cpuMicros() - startedAt) * 1000) / REQUESTS;
      if (found !== expected) throw new Error(`${matcher.name} found ${found} of ${expected}`);
      if (round >= 0) times.get(matcher.name)?.push(nanos);
    }
  }
  const reference = times.get('find-my-way') ?? [];
  return matchers
    .map(({ name }) => {
      const own = times.get(name) ?? [];
      const ratio = median(own.map((time, index) => time / (reference[index] ?? Number.NaN)));
      return `${name} ${median(own).toFixed(0).padStart(5)} (${ratio.toFixed(2)})`;
    })
    .join('   ');
}

/** Of this thread alone: what others do meanwhile does not count. */
function cpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
