import { StartError } from '../../errors/index.ts';
import type { RawValue } from './read-file.ts';
import { SECRET_SETTINGS } from './secret-settings.ts';
import { environmentName } from './setting.ts';
import { SETTINGS } from './settings.ts';
import { suggestion } from './suggestion.ts';

/** Names that mean something and are no setting. */
const OTHER_NAMES = ['PORTCULLIS_CONFIG', 'PORTCULLIS_TEST_HOOKS'];

/** Kubernetes puts these into every container beside a service called portcullis. */
const FROM_KUBERNETES = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/;
const KUBERNETES_VALUE = /^(tcp|udp|sctp):\/\//;

/**
 * The settings of the environment, by their name in the table.
 *
 * @throws StartError for an unknown `PORTCULLIS_…` variable, with the nearest known one.
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, RawValue> {
  const byVariable = new Map<string, string>(SETTINGS.map((setting) => [environmentName(setting), setting.name]));
  const secrets = SECRET_SETTINGS.flatMap(({ name }) => [name, `${name}_FILE`]);
  const values = new Map<string, RawValue>();
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('PORTCULLIS_') || text === undefined || text === '') continue;
    const name = byVariable.get(variable);
    if (name !== undefined && !KUBERNETES_VALUE.test(text)) values.set(name, { text, origin: variable });
    else if (name === undefined && !isKnownOtherwise(variable, text, secrets))
      throw unknown(variable, [...byVariable.keys(), ...secrets, ...OTHER_NAMES]);
  }
  return values;
}

function isKnownOtherwise(variable: string, text: string, secrets: readonly string[]): boolean {
  return secrets.includes(variable) || OTHER_NAMES.includes(variable) || FROM_KUBERNETES.test(variable) || KUBERNETES_VALUE.test(text);
}

function unknown(variable: string, known: readonly string[]): StartError {
  const near = suggestion(variable, known);
  return new StartError(`${variable} is not a setting${near === undefined ? '.' : `; did you mean ${near}?`}`);
}
