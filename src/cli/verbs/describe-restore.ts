import type { BroughtBack, ChainReport, RestoredStore } from '../../store/index.ts';
import { describeReport } from './audit-verb.ts';

/** What the audit log of a restored store was found to be. */
export type FoundAudit = ChainReport;

/** So many of each are named after a restore; a trial names all. */
const MOST_NAMED = 100;

/** How each list is told. */
const WHAT: { readonly [List in keyof BroughtBack]: string } = {
  credentials: 'key of',
  secrets: 'former secret of',
  tokens: 'token',
  users: 'user',
  passwords: 'former password of the user',
  access: 'former roles of the user',
  records: '',
};

/** What a person is told of a restore, or of a trial, which has no audit log to look at. */
export function describeRestore(restored: RestoredStore, audit: FoundAudit | undefined): string {
  const { madeAt, tables, keptAs, broughtBack: back, groups } = restored;
  const all = [...tables.values()].reduce((sum, { rows }) => sum + rows, 0);
  const isTrial = audit === undefined;
  const lines = [
    `${isTrial ? 'Nothing was changed. This would restore' : 'Restored'} the backup of ${new Date(madeAt * 1000).toISOString()}: ${all} rows, ${tables.get('resources')?.rows ?? 0} resources.`,
    `Revisions go on from: ${groups.map(({ id, revision }) => `${id} ${revision}`).join(', ')}.`,
  ];
  if (!isTrial) lines.push(describeReport(audit).trimEnd());
  if (keptAs !== undefined) lines.push(`The store that was there is kept as ${keptAs}.`);
  lines.push('Nobody is signed in: sessions are not restored.');
  if (back === undefined) {
    lines.push(
      'Keys, secrets, passwords, tokens, users and roles that were removed, revoked or changed since the backup are valid again: revoke them anew before you start.',
    );
  } else {
    const found = namedLists(back, isTrial ? Number.POSITIVE_INFINITY : MOST_NAMED);
    lines.push(
      found.length === 0 ? 'Nothing is valid again that no longer was.' : 'Valid again, though no longer so in the store that was there:',
    );
    lines.push(...found);
  }
  return `${lines.join('\n')}\n`;
}

function namedLists(back: BroughtBack, most: number): readonly string[] {
  return [
    ...named(WHAT.credentials, back.credentials, most),
    ...named(WHAT.secrets, back.secrets, most),
    ...named(WHAT.tokens, back.tokens, most),
    ...named(WHAT.users, back.users, most),
    ...named(WHAT.passwords, back.passwords, most),
    ...named(WHAT.access, back.access, most),
    ...named(WHAT.records, back.records, most),
  ];
}

function named(what: string, names: readonly string[], most: number): readonly string[] {
  const lines = names.slice(0, most).map((name) => `- ${`${what} ${printable(name)}`.trimStart()}`);
  return names.length > most ? [...lines, `- and ${names.length - most} more (${what}): restore --dry-run names all of them`] : lines;
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
