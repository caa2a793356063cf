export type NormalisedPath =
  | {
      readonly kind: 'ok';
      /** For matching and plugins: a byte string, decoded once; an encoded slash stays `%2F` here. */
      readonly path: string;
      /** The reading in which `%2F` and `%5C` are separators; undefined when there are none. Must lead to the same route, else `ambiguous_path`. */
      readonly separatorPath: string | undefined;
      /** Whether the upstream gets the client's bytes or the normalised path. */
      readonly forward: 'client-bytes' | 'normalised';
      /** What the upstream gets, percent-encoded as the client wrote it, dot segments and doubled slashes resolved; equals `raw` for `client-bytes`. */
      readonly forwardPath: string;
    }
  | { readonly kind: 'refused'; readonly reason: 'bad_path' };

/** `raw`: the path part of the target as a byte string (latin1), without `?` and query. */
export function normalisePath(raw: string): NormalisedPath {
  return { kind: 'ok', path: raw, separatorPath: undefined, forward: 'client-bytes', forwardPath: raw };
}

/** True when normalising would change nothing and decode nothing: `normalisePath` may be left out. */
export function isPlainPath(_raw: string): boolean {
  return false;
}
