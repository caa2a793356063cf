export { hideSecrets } from './hidden-secrets.ts';
export { sameJson } from './mutable-json.ts';
export { assertPatchedSize, type Patch, readPatch } from './read-patch.ts';
