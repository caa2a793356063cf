import { type CheckContext, type Issue, type JsonObject, validatePlugins } from '../../plugin-kit/index.ts';
import { appendPointer, issuesBelow } from '../../schema/index.ts';
import { type AuthPluginEntry, authPluginEntries } from './auth-plugin-entries.ts';

/** As long a name as messages repeat. */
const MAX_NAME_CHARACTERS = 128;

/** Whether every plugin that is to be tried is there, authenticates and is configured as on a route; in APISIX's words. */
export function checkAuthPlugins(configuration: JsonObject, context: CheckContext): readonly Issue[] {
  return authPluginEntries(configuration).flatMap((entry) => issuesBelow(entry.pointer, checkEntry(entry, context)));
}

function checkEntry({ name, configuration }: AuthPluginEntry, { schemas }: CheckContext): readonly Issue[] {
  const shownName = name.slice(0, MAX_NAME_CHARACTERS);
  const schema = schemas.find((each) => each.name === name);
  if (schema === undefined) return [{ pointer: '', message: `${shownName} plugin did not found` }];
  if (schema.type !== 'auth') return [{ pointer: '', message: `${shownName} plugin is not supported` }];
  const base = appendPointer('/plugins', name).length;
  return validatePlugins({ [name]: configuration }, 'route', schemas).map(({ pointer, message }) => ({
    pointer: pointer.slice(base),
    message: `plugin ${shownName} check schema failed: ${message}`,
  }));
}
