import { Type } from '../../../schema/index.ts';
import type { QueryParameter } from '../../openapi/index.ts';

/** What names the gateway group of an operation under `/apisix/admin/`. */
export const GROUP_PARAMETER: QueryParameter = {
  name: 'gateway_group_id',
  description: 'The gateway group; the admin key of a group does without it',
  schema: Type.String({ minLength: 1 }),
  example: 'default',
};

const positive = Type.Integer({ minimum: 1, maximum: 999_999_999 });

/** What asks for one page of a list. */
export const PAGE_PARAMETERS: readonly QueryParameter[] = [
  { name: 'page', description: 'That page, from 1; without page and page_size everything is given', schema: positive },
  { name: 'page_size', description: 'How many stand on a page; 10 when only page is given', schema: positive },
];

/** What keeps resources with certain labels. */
export const LABEL_PARAMETERS: readonly QueryParameter[] = [
  {
    name: 'labels',
    description: 'Keeps what has these labels: `labels[team]=mobile`',
    schema: Type.Unsafe<object>({ type: 'object', additionalProperties: { type: 'string' } }),
  },
];
