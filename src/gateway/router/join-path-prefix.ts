/**
 * A service's `path_prefix` and a route's path (configured text both) as one path, with exactly one slash between them:
 * `/api` or `/api/` and `/users` make `/api/users`; `*` under `/api` is `/api/*`. A prefix of `/`, or none, changes nothing but
 * that the path begins with a slash.
 */
export function joinPathPrefix(pathPrefix: string | undefined, path: string): string {
  const prefix = (pathPrefix ?? '').replace(/\/+$/, '');
  return path.startsWith('/') ? prefix + path : `${prefix}/${path}`;
}
