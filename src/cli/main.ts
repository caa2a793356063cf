import { Command, CommanderError } from 'commander';
import { StartError } from '../errors/index.ts';
import { softwareVersion } from './software-version.ts';
import { auditVerb } from './verbs/audit-verb.ts';
import { backupVerb } from './verbs/backup-verb.ts';
import { caVerb } from './verbs/ca-verb.ts';
import { demoUpstreamVerb } from './verbs/demo-upstream-verb.ts';
import { instanceCertificateVerb } from './verbs/instance-certificate-verb.ts';
import { instanceVerb } from './verbs/instance-verbs.ts';
import { keyringVerb } from './verbs/keyring-verb.ts';
import { migrateVerb } from './verbs/migrate-verb.ts';
import { restoreVerb } from './verbs/restore-verb.ts';
import { snapshotVerb } from './verbs/snapshot-verb.ts';
import { tokenVerb } from './verbs/token-verb.ts';
import { userVerb } from './verbs/user-verb.ts';

const program = new Command('portcullis')
  .description('An API gateway that guards APIs with keys.')
  .version(softwareVersion())
  .showSuggestionAfterError()
  .addCommand(instanceVerb('start'))
  .addCommand(instanceVerb('control-plane'))
  .addCommand(instanceVerb('gateway'))
  .addCommand(demoUpstreamVerb())
  .addCommand(instanceCertificateVerb())
  .addCommand(caVerb())
  .addCommand(tokenVerb())
  .addCommand(userVerb())
  .addCommand(auditVerb())
  .addCommand(keyringVerb())
  .addCommand(migrateVerb())
  .addCommand(backupVerb())
  .addCommand(restoreVerb())
  .addCommand(snapshotVerb());

try {
  await program.parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode);
  process.stderr.write(error instanceof StartError ? `${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
