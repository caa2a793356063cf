import { Command } from 'commander';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { COMMAND_LINE_AUTHOR } from './command-line-author.ts';
import { withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `token create`: a new API token of a user, shown once. */
export function tokenVerb(): Command {
  const create = addStoreOptions(new Command('create').description('Make an API token and show it once.'))
    .option('--name <text>', 'what the token is for', 'command line')
    .option('--username <name>', 'whose token it is, and whose roles count (default: admin)')
    .option('--expires-in-days <number>', 'days until it ends; 0 for never', '30');
  create.action(async () => {
    const { name, username, expiresInDays } = create.opts<{ name: string; username?: string; expiresInDays: string }>();
    if (!/^\d{1,5}$/.test(expiresInDays)) throw new StartError(`--expires-in-days must be a whole number of days, not "${expiresInDays}".`);
    const made = await withStore(storeConfigurationOf(create), (store, { createApiToken }) =>
      createApiToken({
        store,
        clock: systemClock,
        random: systemRandom,
        name,
        username,
        expiresInDays: Number(expiresInDays),
        author: COMMAND_LINE_AUTHOR,
      }),
    );
    process.stdout.write(`export API_KEY=${made.token}\n`);
  });
  return new Command('token').description('Work with API tokens.').addCommand(create);
}
