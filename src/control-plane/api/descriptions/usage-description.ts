import { type ResourceKindName, resourceKind, Type } from '../../../schema/index.ts';
import {
  type ApiDescription,
  type OperationDescription,
  type OperationKey,
  type PathParameter,
  pascalCase,
  type QueryParameter,
} from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';
import { GROUP_PARAMETER } from './parameters.ts';

const TAG = 'Usage';
const seconds = Type.Integer({ minimum: 0 });

const PARAMETERS: readonly QueryParameter[] = [
  {
    name: 'by',
    description: 'Whether requests are summed up by the hour or by the day (UTC); `hour` when it is not given',
    schema: Type.Unsafe<string>({ type: 'string', enum: ['hour', 'day'] }),
    example: 'day',
  },
  {
    name: 'from',
    description: 'Unix seconds: from the hour or day on that holds them; 24 hours or 30 days before the end when it is not given',
    schema: seconds,
  },
  { name: 'until', description: 'Unix seconds: what begins there or later is left out; now when it is not given', schema: seconds },
  {
    name: 'split',
    description: 'By what requests are told apart, with commas in between: `consumer`, `credential`, `service`, `route`, `status`',
    schema: Type.String(),
    example: 'status',
  },
];

const usage = Type.Object({
  value: Type.Object({
    by: Type.String(),
    from: Type.Integer(),
    until: Type.Integer(),
    requests: Type.Integer(),
    last_used_at: Type.Optional(Type.Integer()),
    last_used_instance: Type.Optional(Type.String()),
    list: Type.Array(
      Type.Object({
        starts_at: Type.Integer(),
        consumer: Type.Optional(Type.String()),
        credential: Type.Optional(Type.String()),
        service: Type.Optional(Type.String()),
        route: Type.Optional(Type.String()),
        status: Type.Optional(Type.Integer()),
        requests: Type.Integer(),
      }),
    ),
    truncated: Type.Boolean(),
  }),
});

const ANSWERS = {
  200: {
    description:
      '`requests` of the answer sums up its list, which has at most 1,000 entries: `truncated` tells that there are more. Of a consumer or credential the last use is told, where there was one. Empty names stand for nobody, or no route; `*` for what had no room to be told apart.',
    schema: usage,
  },
} as const;

const group = {
  description: 'The id of a gateway group',
  schema: resourceKind('gateway_group').idSchema,
  example: KIND_TEXTS.gateway_group.id,
};

/** What the document says of usage; `paths` are those of resources of these kinds. */
export function usageDescription(paths: readonly (readonly [ResourceKindName, string])[]): ApiDescription {
  const ofKinds = paths.map(([name, path]): readonly [OperationKey, OperationDescription] => [`GET /${path.slice(1)}`, ofKind(name)]);
  return {
    operations: {
      ...Object.fromEntries(ofKinds),
      'GET /api/gateway_groups/:id/usage': {
        id: 'getGatewayGroupUsage',
        tag: TAG,
        summary: 'Tell how often a gateway group was used',
        description: 'For those who may read all credentials, consumers and services of the group.',
        path: { id: group },
        query: PARAMETERS,
        answers: ANSWERS,
        refusals: [404],
      },
      'GET /api/gateway_groups/:id/unused_credentials': {
        id: 'listUnusedCredentials',
        tag: TAG,
        summary: 'List credentials that were not used since some time',
        description: 'Those that the caller may read, in the order of their names. One that is younger than that is left out.',
        path: { id: group },
        query: [
          { name: 'unused_since', description: 'Unix seconds', schema: seconds, isRequired: true, example: '1800000000' },
          { name: 'after', description: 'What follows the place that an answer gave as `next`', schema: Type.String({ minLength: 1 }) },
        ],
        answers: {
          200: {
            description: '`next` stands where there may be more, also when the list is empty: 2,000 credentials are looked at each time',
            schema: Type.Object({
              list: Type.Array(
                Type.Object({
                  username: Type.String(),
                  credential_id: Type.String(),
                  created_at: Type.Integer(),
                  last_used_at: Type.Optional(Type.Integer()),
                }),
              ),
              next: Type.Optional(Type.String()),
            }),
          },
        },
        refusals: [404],
      },
    },
  };
}

function ofKind(name: ResourceKindName): OperationDescription {
  const { one, id, idName, parentId = '' } = KIND_TEXTS[name];
  const { parent, idSchema } = resourceKind(name);
  const owner = parent === undefined ? {} : { parent: pathParameter(parent, parentId) };
  const named = idName === undefined ? {} : { name: idName };
  return {
    id: `get${pascalCase(name)}Usage`,
    tag: TAG,
    summary: `Tell how often ${one} was used`,
    description:
      'By those requests that gateways have told of, which they do every ten seconds. What was deleted is told of as long as usage is kept, to those who may read all of its kind.',
    path: { ...owner, id: { ...named, description: `The id of ${one}`, schema: idSchema, example: id } },
    query: [GROUP_PARAMETER, ...PARAMETERS],
    answers: ANSWERS,
    refusals: [404],
  };
}

function pathParameter(parent: ResourceKindName, example: string): PathParameter {
  const { one, idName = `${parent}_id` } = KIND_TEXTS[parent];
  return { name: idName, description: `The id of ${one}`, schema: resourceKind(parent).idSchema, example };
}
