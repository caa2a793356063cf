import { Command } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `ca rotate` and `ca retire`: another authority for what passes between control planes and gateways, with both in force in between. */
export function caVerb(): Command {
  const rotate = addStoreOptions(
    new Command('rotate').description('Make a new authority, which certifies gateways from now on; the present one stays trusted.'),
  );
  rotate.action(async () => {
    const { pin } = await withStore(storeConfigurationOf(rotate), (store, { rotateAuthorities }) =>
      rotateAuthorities({ store, clock: systemClock, author: COMMAND_LINE_AUTHOR }),
    );
    process.stdout.write(`The new authority is ${pin}. Connected gateways renew now; when all have, run portcullis ca retire.\n`);
  });
  const retire = addStoreOptions(new Command('retire').description('End the trust in the authority before the present one.')).option(
    '--force',
    'also while instances have no certificate of the present one: they are shut out',
  );
  retire.action(async () => {
    const { force = false } = retire.opts<{ force?: boolean }>();
    const { pin } = await withStore(storeConfigurationOf(retire), (store, { retireFormerAuthority }) =>
      retireFormerAuthority({ store, clock: systemClock, author: COMMAND_LINE_AUTHOR, force }),
    );
    process.stdout.write(`The authority ${pin} is not trusted any more.\n`);
  });
  return new Command('ca')
    .description('Change the authority that certifies gateways and control planes.')
    .addCommand(rotate)
    .addCommand(retire);
}
