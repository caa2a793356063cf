import { type Command, Option } from 'commander';
import { type Configuration, environmentName, readConfiguration, SETTINGS, type Setting, type Verb } from '../configuration/index.ts';

/** Adds `--config` and every setting that has a meaning for the verb. */
export function addSettingOptions(command: Command, verb: Verb): Command {
  command.option('--config <file>', 'configuration file (default: portcullis.yaml, where there is one)');
  for (const setting of SETTINGS as readonly Setting[]) {
    if (setting.verbs.includes(verb)) command.addOption(optionFor(setting));
  }
  return command.addHelpText(
    'after',
    '\nEach setting can also stand in the configuration file, and in the environment as the name in brackets.',
  );
}

/** Reads the configuration for a parsed command. @throws StartError */
export function configurationOf(command: Command): Configuration {
  const flags = new Map<string, string>();
  for (const setting of SETTINGS as readonly Setting[]) {
    const attribute = optionFor(setting).attributeName();
    if (command.getOptionValueSource(attribute) !== 'cli') continue;
    const value: unknown = command.getOptionValue(attribute);
    flags.set(setting.name, setting.type === 'flag' ? 'true' : String(value));
  }
  const file: unknown = command.getOptionValue('config');
  return readConfiguration({
    flags,
    environment: process.env,
    folder: process.cwd(),
    file: typeof file === 'string' ? file : undefined,
  });
}

function optionFor(setting: Setting): Option {
  const flags = setting.type === 'flag' ? `--${setting.name}` : `--${setting.name} <${placeholder(setting)}>`;
  const initial = setting.defaultText === undefined || setting.type === 'flag' ? '' : `, default ${setting.defaultText}`;
  const option = new Option(flags, `${setting.meaning.replaceAll('`', '')} [${environmentName(setting)}${initial}]`);
  return 'timeout' in setting || 'limit' in setting ? option.helpGroup('Time-outs and limits of requests:') : option;
}

function placeholder(setting: Setting): string {
  switch (setting.type) {
    case 'port':
      return 'port';
    case 'count':
    case 'number':
      return 'number';
    case 'seconds':
      return 'seconds';
    case 'path':
      return 'path';
    case 'hosts':
    case 'listeners':
    case 'networks':
      return 'addresses';
    case 'names':
      return 'names';
    case 'level':
      return 'level';
    case 'control-planes':
      return 'addresses';
    case 'text':
    case 'flag':
      return 'text';
  }
}
