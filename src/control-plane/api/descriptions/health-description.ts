import { resourceKind, Type } from '../../../schema/index.ts';
import type { ApiDescription } from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';

const node = Type.Object({
  upstream_id: Type.String(),
  host: Type.String(),
  ip: Type.String(),
  port: Type.Integer(),
  status: Type.String(),
});

/** What the document says of the health of a service's nodes. */
export const HEALTH_DESCRIPTION: ApiDescription = {
  operations: {
    'GET /api/gateway_groups/:id/services/:service_id/healthcheck': {
      id: 'getServiceHealth',
      tag: KIND_TEXTS.service.tag,
      summary: 'Tell what each gateway takes the nodes of a service for',
      description:
        'Of the instances that are connected to this control plane and have said something since. Only nodes with health checks are told; the upstream inside the service has its id. `omitted_nodes` counts those of the instance, of whatever service, that its report had no room for: ones that are down come first.',
      path: {
        id: {
          description: 'The id of a gateway group',
          schema: resourceKind('gateway_group').idSchema,
          example: KIND_TEXTS.gateway_group.id,
        },
        service_id: { description: 'The id of a service', schema: resourceKind('service').idSchema, example: KIND_TEXTS.service.id },
      },
      answers: {
        200: {
          description: '`reported_at` is in Unix seconds; `status` is `healthy`, `mostly_healthy`, `mostly_unhealthy` or `unhealthy`',
          schema: Type.Object({
            value: Type.Array(
              Type.Object({
                instance_id: Type.String(),
                reported_at: Type.Integer(),
                nodes: Type.Array(node),
                omitted_nodes: Type.Integer(),
              }),
            ),
          }),
        },
      },
      refusals: [404],
    },
  },
};
