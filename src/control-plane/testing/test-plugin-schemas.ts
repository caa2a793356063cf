import { type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** A plugin with metadata, and one that knows users by a name that is no secret and a password that is one. */
export const TEST_PLUGIN_SCHEMAS: readonly PluginSchema[] = [
  {
    name: 'a-logger',
    version: '1',
    priority: 1,
    type: 'other',
    schema: Type.Object({ uri: Type.String() }),
    metadataSchema: Type.Object({
      log_format: Type.Optional(Type.Unsafe<object>({ type: 'object' })),
      max_pending_entries: Type.Optional(Type.Integer({ minimum: 1, default: 8192 })),
    }),
    secretFields: [],
    identityHeaders: [],
  },
  {
    name: 'user-auth',
    version: '1',
    priority: 2,
    type: 'auth',
    schema: Type.Object({}),
    consumerSchema: Type.Object({ user: Type.String(), password: Type.String(), rounds: Type.Optional(Type.Integer({ default: 3 })) }),
    secretFields: ['password'],
    uniqueField: 'user',
    credentialData: ({ password, rounds }, digestOf) => ({ password_digest: digestOf(String(password)), rounds: rounds ?? null }),
    identityHeaders: [],
  },
];
