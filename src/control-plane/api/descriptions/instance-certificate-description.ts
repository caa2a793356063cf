import type { JsonObject } from '../../../lib/json.ts';
import { resourceKind, Type } from '../../../schema/index.ts';
import type { ApiDescription } from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';

/** What the document says of certificates for gateways. */
export const INSTANCE_CERTIFICATE_DESCRIPTION: ApiDescription = {
  operations: {
    'POST /api/gateway_groups/:id/dp_client_certificates': {
      id: 'createInstanceCertificate',
      tag: KIND_TEXTS.gateway_group.tag,
      summary: 'Make a certificate with its key for a gateway that is to join a group',
      description:
        'Both are in this answer and kept nowhere. `identity` is the content of the file that `portcullis gateway --identity-file` wants. A body is not looked at.',
      path: {
        id: {
          description: 'The id of a gateway group',
          schema: resourceKind('gateway_group').idSchema,
          example: KIND_TEXTS.gateway_group.id,
        },
      },
      headers: ['X-Change-Reason'],
      answers: {
        200: {
          description: 'Texts are PEM; `expiry` is in Unix seconds',
          schema: Type.Object({
            value: Type.Object({
              id: Type.String(),
              gateway_group_id: Type.String(),
              certificate: Type.String(),
              private_key: Type.String(),
              ca_certificate: Type.String(),
              expiry: Type.Integer(),
              identity: Type.Unsafe<JsonObject>({ type: 'object' }),
            }),
          }),
        },
      },
      refusals: [404],
    },
  },
};
