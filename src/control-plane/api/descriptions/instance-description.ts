import { resourceKind, Type } from '../../../schema/index.ts';
import type { ApiDescription } from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';

/** What the document says of the inventory of gateways. */
export const INSTANCE_DESCRIPTION: ApiDescription = {
  operations: {
    'GET /api/gateway_groups/:id/instances': {
      id: 'listInstances',
      tag: KIND_TEXTS.gateway_group.tag,
      summary: 'List the gateways of a group with what each has in force',
      description:
        'Of all control planes that share the database, and for seven days those that are away. `status` is `Healthy`; `OutOfSync`, connected but behind, still loading, or found to hold something else than it should (`compared.difference`); `LostConnection`; or `Offline`, away for more than two hours. What a gateway says of itself is for people and decides nothing.',
      path: {
        id: {
          description: 'The id of a gateway group',
          schema: resourceKind('gateway_group').idSchema,
          example: KIND_TEXTS.gateway_group.id,
        },
      },
      answers: {
        200: {
          description: '`lag` counts the revisions that the gateway is behind; times are in Unix seconds',
          schema: Type.Object({
            list: Type.Array(
              Type.Object({
                id: Type.String(),
                gateway_group_id: Type.String(),
                status: Type.String(),
                hostname: Type.String(),
                ip: Type.String(),
                version: Type.String(),
                cores: Type.Optional(Type.Integer()),
                workers: Type.Optional(Type.Integer()),
                revision: Type.Integer(),
                lag: Type.Integer(),
                refused: Type.Optional(Type.Object({ revision: Type.Integer(), reason: Type.String() })),
                compared: Type.Optional(Type.Object({ revision: Type.Integer(), difference: Type.Optional(Type.String()) })),
                control_plane: Type.String(),
                connected_at: Type.Integer(),
                last_heartbeat: Type.Integer(),
              }),
            ),
            total: Type.Integer(),
          }),
        },
      },
      refusals: [404],
    },
  },
};
