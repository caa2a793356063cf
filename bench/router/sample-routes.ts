/** What a route's path and the requests for it are like. */
export type PathKind = 'one path' | 'parameters' | 'wildcard';

const KINDS: readonly PathKind[] = ['one path', 'parameters', 'parameters', 'wildcard'];
const ROUTES_PER_SERVICE = 20;

export interface SampleRoute {
  readonly id: string;
  readonly kind: PathKind;
  readonly service: number;
  /** Below the service's prefix. */
  readonly path: string;
}

/** The services of so many routes. */
export function serviceCount(routes: number): number {
  return Math.ceil(routes / ROUTES_PER_SERVICE);
}

export function prefixOf(service: number): string {
  return `/team-${service % 97}/service-${service}`;
}

/** The route of this number, the same in every run; `tag` gives it another path. */
export function sampleRoute(index: number, routes: number, tag = ''): SampleRoute {
  const kind = KINDS[index % KINDS.length] ?? 'one path';
  const resource = `/v1/resource-${index}${tag}`;
  return { id: `route_${index}`, kind, service: index % serviceCount(routes), path: resource + endingOf(kind, index) };
}

function endingOf(kind: PathKind, index: number): string {
  switch (kind) {
    case 'one path':
      return '';
    case 'parameters':
      return index % 8 === 1 ? '/:id/lines/:line' : '/:id';
    case 'wildcard':
      return '/*';
  }
}

/** A path that the route takes; `turn` tells one from another. */
export function sampleRequest({ service, path }: SampleRoute, turn: number): string {
  return prefixOf(service) + path.replace(':id', `id-${turn}`).replace(':line', String(turn)).replace('*', `files/${turn}.txt`);
}
