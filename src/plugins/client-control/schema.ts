import { type PluginSchema, Type } from '../../plugin-kit/index.ts';

export interface ClientControlConfiguration {
  readonly max_body_size?: number;
}

/** What can be configured of client-control: the field of APISIX's plugin. */
export const clientControlSchema: PluginSchema = {
  name: 'client-control',
  version: '0.1',
  priority: 22000,
  type: 'other',
  schema: Type.Object({
    max_body_size: Type.Optional(Type.Integer({ minimum: 0, description: 'Most bytes of a request body; 0 for any number' })),
  }),
  secretFields: [],
  identityHeaders: [],
};
