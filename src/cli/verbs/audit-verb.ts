import { Command } from 'commander';
import { StartError } from '../../errors/index.ts';
import type { ChainBreak, ChainEnd, ChainReport } from '../../store/index.ts';
import { withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `audit verify`: whether the audit log is what the product wrote. Ends with 1 when it is not. */
export function auditVerb(): Command {
  const verify = addStoreOptions(
    new Command('verify').description('Check that nobody changed, removed or added entries of the audit log.'),
  ).option('--noted <number:hash>', 'an end that an earlier run told: the log must still go on from there');
  verify.action(async () => {
    const { noted } = verify.opts<{ noted?: string }>();
    const report = await withStore(storeConfigurationOf(verify), async (store, { FOUNDING_ACTION: founding }) => {
      const { decodeChainEnd, verifyAuditChain } = await import('../../store/index.ts');
      return verifyAuditChain(store, { founding, noted: noted === undefined ? undefined : readNoted(noted, decodeChainEnd) });
    });
    process.stdout.write(describeReport(report));
    if (report.breaks.length > 0) process.exitCode = 1;
  });
  return new Command('audit').description('Work with the audit log.').addCommand(verify);
}

function readNoted(text: string, decode: (text: string) => ChainEnd | undefined): ChainEnd {
  const end = decode(text);
  if (end === undefined) throw new StartError('--noted must be a number and a hash as an earlier run told them, e.g. 120:5f3c….');
  return end;
}

/** What a person is told. */
export function describeReport({ entries, head, forgottenUpTo, breaks }: ChainReport): string {
  const lines = breaks.map((found) => `- ${describeBreak(found)}`);
  const forgotten = forgottenUpTo === undefined ? '' : ` Entries up to ${forgottenUpTo} were removed by retention.`;
  const verdict = breaks.length === 0 ? `The audit log is whole: ${entries} entries.` : `The audit log is NOT whole (${entries} entries):`;
  const end = typeof head === 'string' ? [] : [`Its end, to note elsewhere: ${head.number}:${head.hash.toString('hex')}`];
  return `${[`${verdict}${breaks.length === 0 ? forgotten : ''}`, ...lines, ...end].join('\n')}\n`;
}

function describeBreak(found: ChainBreak): string {
  switch (found.kind) {
    case 'changed':
      return `entry ${found.number} was changed.`;
    case 'gap':
      return found.after === 0
        ? `the log should not begin with entry ${found.number}: entries before it are gone, or it was added or moved.`
        : `entry ${found.number} does not follow entry ${found.after}: entries between them are gone, or one of the two was added, changed or moved.`;
    case 'beginning':
      return `the log begins with entry ${found.number}, which is not the first that was ever written: all before it was removed.`;
    case 'unchained':
      return `entry ${found.number} was written past the chain: by an older version of Portcullis, or by somebody else.`;
    case 'beyond':
      return `entry ${found.number} was appended by something else than Portcullis.`;
    case 'end':
      return found.last === found.expected
        ? `entry ${found.last}, the last one, is not the one that was written: it, or one before it, was changed and the hashes made anew.`
        : `the log ends with entry ${found.last}, but entry ${found.expected} was written last.`;
    case 'lost':
      return `the ${found.which === 'head' ? "chain's end" : 'place to which retention has come'} is ${found.state}: it was removed or changed in the database.`;
    case 'noted':
      return `the noted end ${found.number} is not in the log: an older or another database was put in its place.`;
  }
}
