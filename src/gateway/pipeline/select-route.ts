import type { RoutePlace } from '../router/index.ts';
import type { RuntimeRoute } from '../runtime/index.ts';
import type { RequestContext } from './request-context.ts';
import { RouteCandidate } from './route-candidate.ts';
import { isSameWay, type RouteMatch, type RouteSource } from './route-match.ts';

/** Where the conditions of routes lead a request. */
export type Selection =
  | { readonly kind: 'route'; readonly candidate: RouteCandidate }
  | { readonly kind: 'none' }
  /** The two readings of a path with encoded slashes lead to different routes. */
  | { readonly kind: 'ambiguous' }
  /** Ask again when this is settled: a condition needs the body. */
  | { readonly kind: 'needs-body'; readonly reading: Promise<void> };

const NONE: Selection = { kind: 'none' };
const AMBIGUOUS: Selection = { kind: 'ambiguous' };

/** The first candidate of a match whose conditions the request meets. Leaves the context as it was. */
export function selectRoute(context: RequestContext, routes: RouteSource, match: RouteMatch): Selection {
  const selected = selectIn(context, routes, match);
  const { asSeparators } = match;
  if (asSeparators === undefined || selected.kind === 'needs-body') return selected;
  // Conditions may ask for the path: they are given the other reading, too.
  context.match = asSeparators;
  const other = selectIn(context, routes, asSeparators);
  context.match = match;
  if (other.kind === 'needs-body') return other;
  return isSameWay(candidateIn(selected), candidateIn(other)) ? selected : AMBIGUOUS;
}

function candidateIn(selection: Selection): RouteCandidate | undefined {
  return selection.kind === 'route' ? selection.candidate : undefined;
}

function selectIn(context: RequestContext, routes: RouteSource, match: RouteMatch): Selection {
  for (const candidate of match.candidates) {
    const tried = tryCandidate(context, candidate);
    if (tried !== undefined) return tried;
  }
  return match.hasMore ? selectAmongMore(context, routes, match) : NONE;
}

/** Undefined where the candidate's conditions are not met. */
function tryCandidate(context: RequestContext, candidate: RouteCandidate): Selection | undefined {
  const { conditions } = candidate.route;
  if (conditions === undefined) return { kind: 'route', candidate };
  const reading = conditions.bodyUse === 0 ? undefined : context.readBodyVariables(conditions.bodyUse);
  if (reading !== undefined) return { kind: 'needs-body', reading };
  context.tried = candidate;
  try {
    return conditions.test(context) ? { kind: 'route', candidate } : undefined;
  } finally {
    context.tried = undefined;
  }
}

/** Those that were not kept are found once more. */
function selectAmongMore(context: RequestContext, routes: RouteSource, match: RouteMatch): Selection {
  const reading = match.bodyUseOfMore === 0 ? undefined : context.readBodyVariables(match.bodyUseOfMore);
  if (reading !== undefined) return { kind: 'needs-body', reading };
  let selected: Selection = NONE;
  let left = match.candidates.length;
  routes.visit(match.request, (place: RoutePlace<RuntimeRoute>) => {
    if (left-- > 0) return false;
    const tried = tryCandidate(context, new RouteCandidate(place, match.reading));
    if (tried !== undefined) selected = tried;
    return tried !== undefined;
  });
  return selected;
}
