import type { KeySurvey, KeyUse, PlaneKeys } from '../../store/index.ts';

/** What a person is told of the keys of a store. Fingerprints tell whether two files hold the same key; nothing leads from them to it. */
export function describeKeys(survey: KeySurvey): string {
  const { state, inFile, uses, planes } = survey;
  const known = new Set(inFile.map(({ id }) => id));
  const lines = inFile.map(({ id, fingerprint }) => `${id}  ${fingerprint}  ${stateOf(id, survey)}`);
  if (state.coming !== undefined && !known.has(state.coming.id)) {
    lines.push(`${state.coming.id}  ${state.coming.fingerprint}  added, but this keyring file lacks it`);
  }
  for (const [id, use] of uses) if (!known.has(id)) lines.push(`${id}  -  this keyring file lacks it: ${describeUse(use)}`);
  if (state.isUnfinished) lines.push('A rotation is not finished: run portcullis keyring rotate again.');
  lines.push(...planes.map((plane) => describePlane(plane, survey)));
  return `${lines.join('\n')}\n`;
}

function stateOf(id: string, { state, uses }: KeySurvey): string {
  const use = uses.get(id);
  if (id === state.current) return `encrypts: ${describeUse(use)}`;
  if (use !== undefined) return `encrypts no more: ${describeUse(use)}`;
  if (id === state.coming?.id) return 'added, and to be used next by portcullis keyring rotate';
  return state.retired.includes(id) ? 'retired: remove it from this file' : 'not used';
}

function describeUse(use: KeyUse | undefined): string {
  if (use === undefined) return 'no values';
  return [...use.values].map(([table, count]) => `${count} in ${table}`).join(', ');
}

function describePlane({ name, fingerprints }: PlaneKeys, { state, inFile }: KeySurvey): string {
  if (fingerprints === undefined) return `control plane ${name}: of a version that knows nothing of rotation`;
  const needed = inFile.filter(({ id }) => id === state.current || id === state.coming?.id);
  const lacking = needed.filter(({ id, fingerprint }) => fingerprints.get(id) !== fingerprint).map(({ id }) => id);
  return `control plane ${name}: ${lacking.length === 0 ? 'has the keys' : `lacks ${lacking.join(', ')}`}`;
}
