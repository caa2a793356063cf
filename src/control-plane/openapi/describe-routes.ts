import type { ApiRoute } from '../http/index.ts';
import type { ApiDescription, DescribedApi, DescribedRoute, OperationKey } from './operation-description.ts';

/**
 * Joins the routes of a part of the API with what is said of them.
 *
 * @throws Error for a route that is not described, and for a description of no route: a control plane with either does not start
 */
export function describeRoutes(routes: readonly ApiRoute[], { operations, schemas = {} }: ApiDescription): DescribedApi {
  const known = new Map(Object.entries(operations));
  const described = routes.map((route): DescribedRoute => {
    const key: OperationKey = `${route.method} /${route.path.slice(1)}`;
    const description = known.get(key);
    if (description === undefined) throw new Error(`the operation ${key} has no description`);
    known.delete(key);
    return { ...route, description };
  });
  if (known.size > 0) throw new Error(`descriptions without an operation: ${[...known.keys()].join(', ')}`);
  return { routes: described, schemas };
}

/** Several parts as one. @throws Error when two have different schemas of one name */
export function joinDescribed(parts: readonly DescribedApi[]): DescribedApi {
  const byName = new Map<string, DescribedApi['schemas'][string]>();
  for (const [name, schema] of parts.flatMap((part) => Object.entries(part.schemas))) {
    if (byName.has(name) && byName.get(name) !== schema) throw new Error(`two schemas are called ${name}`);
    byName.set(name, schema);
  }
  return { routes: parts.flatMap(({ routes }) => routes), schemas: Object.fromEntries(byName) };
}
