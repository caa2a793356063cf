export { isPlainPath, type NormalisedPath, normalisePath } from './normalise-path.ts';
export { findQueryArgument, readQueryPairs, removeQueryArgument } from './query.ts';
export { stripPathPrefix } from './strip-path-prefix.ts';
