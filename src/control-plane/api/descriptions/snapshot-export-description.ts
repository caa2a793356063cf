import { resourceKind, Type } from '../../../schema/index.ts';
import type { ApiDescription } from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';

/** What the document says of exported snapshots. */
export const SNAPSHOT_EXPORT_DESCRIPTION: ApiDescription = {
  operations: {
    'GET /api/gateway_groups/:id/snapshot_export': {
      id: 'getSnapshotExport',
      tag: KIND_TEXTS.gateway_group.tag,
      summary: 'Tell how the exports of snapshots of a group go',
      description:
        'Of the control plane that answers, since it was started. `status` is `off` where nothing is to be exported, `pending` before the first export, `exported`, or `failing`: the next interval tries again.',
      path: {
        id: {
          description: 'The id of a gateway group',
          schema: resourceKind('gateway_group').idSchema,
          example: KIND_TEXTS.gateway_group.id,
        },
      },
      answers: {
        200: {
          description:
            '`revision` is the one that was exported last, `lag` how many the group is ahead of it; `exported_at` is in Unix seconds; `failures` counts those in a row',
          schema: Type.Object({
            value: Type.Object({
              status: Type.String(),
              target: Type.Optional(Type.String()),
              revision: Type.Optional(Type.Integer()),
              lag: Type.Optional(Type.Integer()),
              exported_at: Type.Optional(Type.Integer()),
              failures: Type.Integer(),
              last_failure: Type.Optional(Type.String()),
            }),
          }),
        },
      },
      refusals: [404],
    },
  },
};
