import { type CheckContext, type Issue, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** Wanted values by the name of a label. */
export type WantedLabels = Readonly<Record<string, readonly string[]>>;

/** The configuration, defaults in place; at least one of the sets of labels is there. */
export interface AclConfiguration {
  readonly allow_labels?: WantedLabels;
  readonly deny_labels?: WantedLabels;
  readonly rejected_code: number;
  readonly rejected_msg?: string;
}

const EXTERNAL_USER_FIELDS = [
  'external_user_label_field',
  'external_user_label_field_key',
  'external_user_label_field_parser',
  'external_user_label_field_separator',
] as const;

const labels = (description: string) =>
  Type.Optional(
    Type.Unsafe<WantedLabels>({
      type: 'object',
      additionalProperties: { type: 'array', minItems: 1, items: { type: 'string' } },
      minProperties: 1,
      description,
    }),
  );

/** What can be configured of acl: fields, limits and defaults of APISIX's plugin; statuses end with 599. */
export const aclSchema: PluginSchema = {
  name: 'acl',
  version: '0.1',
  priority: 2410,
  type: 'other',
  schema: Type.Object(
    {
      allow_labels: labels('Consumers with one of these labels may pass; all others may not'),
      deny_labels: labels('Consumers with one of these labels may not pass'),
      rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 403, description: 'Status of the refusal' })),
      rejected_msg: Type.Optional(Type.String({ description: 'Message of the refusal' })),
    },
    { anyOf: [{ required: ['allow_labels'] }, { required: ['deny_labels'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
  check: checkExternalUser,
};

/**
 * What APISIX configures of users that are no consumers, whom dingtalk-auth, feishu-auth and saml-auth let in. None of these is here, so
 * such a rule would never hold; a gateway goes on with one that was accepted before this was told.
 */
function checkExternalUser(configuration: JsonObject, { isStored }: CheckContext): readonly Issue[] {
  if (isStored === true) return [];
  return EXTERNAL_USER_FIELDS.filter((field) => Object.hasOwn(configuration, field)).map((field) => ({
    pointer: `/${field}`,
    message: `${field} is not supported: every client that an authentication plugin lets in is a consumer, whose labels count`,
  }));
}
