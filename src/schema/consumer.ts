import { describingFields, pluginsField } from './fields.ts';
import type { Issue } from './issue.ts';
import { type Static, Type } from './schema-builder.ts';

/** The name of a consumer is its id. */
export const usernameField = Type.String({ minLength: 1, maxLength: 512, pattern: '^[a-zA-Z0-9_\\-]+$' });

/** A consumer: API7's OpenAPI document, consumer body. Authentication plugins in it are credentials without an id, as in APISIX. */
export const consumerSchema = Type.Object({
  username: usernameField,
  ...describingFields,
  plugins: Type.Optional(pluginsField),
});

export type ConsumerDocument = Static<typeof consumerSchema>;

/** What the schema cannot say: the label `custom_id` becomes a header value, where control characters have no place. */
export function checkConsumer(consumer: ConsumerDocument): readonly Issue[] {
  const customId = consumer.labels?.custom_id;
  if (customId === undefined || !CONTROL_CHARACTER.test(customId)) return [];
  return [{ pointer: '/labels/custom_id', message: 'value must not hold control characters' }];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;
