import { descriptionField, idField, labelsField } from './fields.ts';
import { defineResourceKind } from './resource-kind.ts';
import { Type } from './schema-builder.ts';

/** A gateway group: API7's OpenAPI document, gateway group body. */
const gatewayGroupSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  description: Type.Optional(descriptionField),
  labels: Type.Optional(labelsField),
  type: Type.Optional(
    Type.Unsafe<'api7_gateway' | 'api7_ingress_controller'>({ type: 'string', enum: ['api7_gateway', 'api7_ingress_controller'] }),
  ),
  enforce_service_publishing: Type.Optional(Type.Boolean()),
});

/** The kind of the groups themselves. What a group is called stands beside the resource too, where lists find it. */
export const gatewayGroup = defineResourceKind({
  name: 'gateway_group',
  collection: 'gateway_groups',
  parent: undefined,
  schema: gatewayGroupSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id'],
  pluginSite: undefined,
  present: (document, id) => ({ description: '', type: 'api7_gateway', enforce_service_publishing: false, ...document, id }),
});
