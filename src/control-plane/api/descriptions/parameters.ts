import { Type } from '../../../schema/index.ts';
import type { QueryParameter } from '../../openapi/index.ts';

/** What names the gateway group of an operation under `/apisix/admin/`. */
export const GROUP_PARAMETER: QueryParameter = {
  name: 'gateway_group_id',
  description: 'The gateway group; the admin key of a group does without it',
  schema: Type.String({ minLength: 1 }),
  example: 'default',
};

/** What tries a change. */
export const DRY_RUN: QueryParameter = {
  name: 'dry_run',
  description: '`true`: does everything, checks included, and stores nothing',
  schema: Type.Unsafe<string>({ type: 'string', enum: ['true', 'false'] }),
  example: 'true',
};

/** The same on a single write, whose examples are not only tried. */
export const TRIAL_PARAMETERS: readonly QueryParameter[] = [
  { name: DRY_RUN.name, description: DRY_RUN.description, schema: DRY_RUN.schema },
  { name: 'dry-run', description: 'As `dry_run=true`, in API7', schema: Type.Unsafe<string>({ type: 'string', enum: ['all'] }) },
];

const positive = Type.Integer({ minimum: 1, maximum: 999_999_999 });
const oneOf = (...texts: readonly string[]) => Type.Unsafe<string>({ type: 'string', enum: texts });

const PAGE_PARAMETERS: readonly QueryParameter[] = [
  { name: 'page', description: 'That page, from 1; without page, page_size and after everything is given', schema: positive },
  { name: 'page_size', description: 'How many stand on a page; 10 when it is not given', schema: positive },
];

const AFTER_PARAMETER: QueryParameter = {
  name: 'after',
  description: 'What follows the place that an answer gave as `next`; not with page',
  schema: Type.String({ minLength: 1 }),
};

const LABEL_PARAMETERS: readonly QueryParameter[] = [
  {
    name: 'labels',
    description: 'Keeps what has these labels with these values: `labels[team]=mobile`; at most 32',
    schema: Type.Unsafe<object>({ type: 'object', additionalProperties: { type: 'string' } }),
  },
  { name: 'label', description: 'Keeps what has this label with any value', schema: Type.String({ minLength: 1 }) },
];

/** What a list can be asked for, as `readListQuery` and `labelFilterOf` read it. */
export function listParameters(options: {
  readonly isSortedByName: boolean;
  readonly isLabelled: boolean;
  /** Whether `after` is known. */
  readonly hasCursors: boolean;
}): readonly QueryParameter[] {
  const orders = ['updated_at', 'created_at', ...(options.isSortedByName ? ['name'] : [])];
  return [
    ...PAGE_PARAMETERS,
    ...(options.hasCursors ? [AFTER_PARAMETER] : []),
    { name: 'order_by', description: '`updated_at` when it is not given', schema: oneOf(...orders) },
    { name: 'direction', description: '`desc` when it is not given', schema: oneOf('asc', 'desc') },
    {
      name: 'search',
      description: 'Keeps what has this text in its id, name or description, without regard to case',
      schema: Type.String(),
    },
    ...(options.isLabelled ? LABEL_PARAMETERS : []),
  ];
}
