import type { RoutableRequest, RoutableRoute } from '../routable-route.ts';

/** One (host, path) pair of a route that fits a request, with what decides between pairs. */
export interface NaiveMatch {
  readonly route: RoutableRoute<string>;
  readonly pattern: string;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Tells the order of decision in another way than the router: looks at every host and path of every route, turns patterns into regular
 * expressions, ranks what fits.
 */
export function naiveMatches(routes: Iterable<RoutableRoute<string>>, request: RoutableRequest): readonly NaiveMatch[] {
  const ranked = [...routes]
    .filter((route) => route.methods === 0 || (route.methods & request.method) !== 0)
    .flatMap((route) =>
      (route.hosts.length === 0 ? [undefined] : route.hosts).flatMap((host) =>
        route.paths.map((pattern) => ({
          route,
          pattern,
          host: rankOfHost(host, request.host),
          path: rankOfPattern(pattern, request.path),
        })),
      ),
    )
    .filter(({ host, path }) => host >= 0 && path >= 0)
    .sort(
      (one, other) =>
        other.host - one.host ||
        other.path - one.path ||
        other.route.priority - one.route.priority ||
        other.pattern.length - one.pattern.length ||
        one.route.order - other.route.order ||
        (one.route.id === other.route.id ? 0 : one.route.id < other.route.id ? -1 : 1) ||
        (one.pattern < other.pattern ? -1 : 1),
    );
  return ranked.map(({ route, pattern }) => ({ route, pattern, values: { ...regexOf(pattern).exec(request.path)?.groups } }));
}

function rankOfHost(pattern: string | undefined, host: string): number {
  if (pattern === undefined) return 0;
  if (!pattern.startsWith('*')) return pattern === host ? 10_000 : -1;
  return host.endsWith(pattern.slice(1)) ? pattern.length : -1;
}

function rankOfPattern(pattern: string, path: string): number {
  if (!regexOf(pattern).test(path)) return -1;
  const literal = /^(?:[^/*]*\/)*?(?=:)|^[^*]*(?=\*)/.exec(pattern)?.[0];
  return literal === undefined ? 10_000 : literal.length;
}

/** `:name` is one segment, `*name` and `*` all that follow; before the end of a pattern a `*` takes a segment or more. */
function regexOf(pattern: string): RegExp {
  const parts = pattern.split('/').map((part, index, all) => {
    if (part.startsWith(':')) return `(?<${part.slice(1)}>[^/]+)`;
    if (!part.includes('*')) return part.replace(/[.+()]/g, '\\$&');
    const [before = '', name = ''] = part.split('*');
    const any = index < all.length - 1 ? '.+' : '.*';
    return name === '' ? `${before}${any}` : `(?<${name}>${any})`;
  });
  return new RegExp(`^${parts.join('/')}$`, 's');
}
