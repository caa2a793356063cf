/** `forwardPath` (byte string) without the service's `path_prefix`; begins with `/`. Escapes in it are compared decoded. `pathPrefix` is configured text. */
export function stripPathPrefix(forwardPath: string, _pathPrefix: string): string {
  return forwardPath;
}
