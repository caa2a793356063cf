import { Command } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { withStore } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

/** `user reset-password`: a new random password, shown once. */
export function userVerb(): Command {
  const reset = addStoreOptions(new Command('reset-password').description('Give a user a new random password and show it once.'))
    .option('--username <name>', 'whose password', 'admin')
    .option('--revoke-tokens', "end all of the user's tokens too, which a new password alone does not", false);
  reset.action(async () => {
    const { username, revokeTokens } = reset.opts<{ username: string; revokeTokens: boolean }>();
    const { password } = await withStore(storeConfigurationOf(reset), (store, { resetPassword }) =>
      resetPassword({ store, clock: systemClock, random: systemRandom, username, revokeTokens }),
    );
    process.stdout.write(`New password of ${username}: ${password}\n`);
  });
  return new Command('user').description('Work with users.').addCommand(reset);
}
