import { Command } from 'commander';
import { takeSecretSettings, type Verb } from '../configuration/index.ts';
import { runInstance } from '../instance/run-instance.ts';
import { softwareVersion } from '../software-version.ts';
import { addSettingOptions, configurationOf } from './setting-options.ts';

const DESCRIPTIONS = {
  start: 'Run everything on this machine: control plane, gateway and demo upstream.',
  'control-plane': 'Run the control plane alone.',
  gateway: 'Run a gateway alone, against a control plane elsewhere.',
} as const;

/** `start`, `control-plane` and `gateway`. */
export function instanceVerb(verb: Exclude<Verb, 'demo-upstream'>): Command {
  const command = addSettingOptions(new Command(verb).description(DESCRIPTIONS[verb]), verb);
  if (verb !== 'gateway') {
    command.addHelpText(
      'after',
      '\nSecrets come from the environment only, each also as NAME_FILE:\n  DATABASE_URL                PostgreSQL as the store: postgres://user:password@host:5432/database\n  PORTCULLIS_BOOTSTRAP_TOKEN  first API token\n  PORTCULLIS_ADMIN_PASSWORD   first admin password',
    );
  }
  return command.action(async () => {
    const configuration = configurationOf(command);
    const testHooks = process.env.PORTCULLIS_TEST_HOOKS === '1';
    process.exitCode = await runInstance({
      configuration,
      secrets: takeSecretSettings(process.env),
      roles: { controlPlane: verb !== 'gateway', gateway: verb !== 'control-plane', demo: verb === 'start' && configuration.demo },
      softwareVersion: softwareVersion(),
      testHooks,
    });
    process.exit();
  });
}
