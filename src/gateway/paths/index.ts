export { isPlainPath, type NormalisedPath, normalisePath } from './normalise-path.ts';
export { findQueryArgument, readQueryPairs, removeQueryArgument } from './query.ts';
export { readsAlikeStripped } from './reads-alike-stripped.ts';
export { stripPathPrefix } from './strip-path-prefix.ts';
