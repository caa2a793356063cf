import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { obtainIdentity } from '../instance/local-identity.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `instance create`: the identity by which a gateway that runs elsewhere is let in. */
export function instanceCertificateVerb(): Command {
  const create = addStoreOptions(new Command('create').description('Make the certificate and key of a gateway that runs elsewhere.'))
    .requiredOption('--identity-file <path>', 'file to write (mode 0600); bring it to the gateway and name it there')
    .option('--group <id>', 'gateway group', 'default')
    .option('--instance-id <text>', 'name of the instance (default: a random one)');
  create.action(async () => {
    const { identityFile, group, instanceId } = create.opts<{ identityFile: string; group: string; instanceId?: string }>();
    const file = path.resolve(identityFile);
    if (existsSync(file)) throw new StartError(`${file} exists already: name another file.`);
    const identity = await withStore(storeConfigurationOf(create), (store, { createInstanceCertificate }) =>
      obtainIdentity({ file, groupId: group, owner: undefined, ...(instanceId === undefined ? {} : { instanceId }) }, (request) =>
        createInstanceCertificate({ store, clock: systemClock, author: COMMAND_LINE_AUTHOR, ...request }),
      ),
    );
    process.stdout.write(
      `Identity of instance ${identity.instanceId} written to ${file}; it ends on ${new Date(identity.expiresAtMs).toISOString()}.\n`,
    );
  });
  return new Command('instance').description('Work with gateway instances.').addCommand(create);
}
