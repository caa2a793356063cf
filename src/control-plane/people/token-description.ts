import { Type } from '../../schema/index.ts';
import { type ApiDescription, type OperationDescription, type OperationKey, schemaRef } from '../openapi/index.ts';
import { DONE, listOf, madeId, secondsField, valueAnswer } from './described-answers.ts';
import { COLLECTIONS, newToken, regeneration, rename } from './token-routes.ts';

const tag = 'Tokens';
const shown = {
  id: Type.String(),
  name: Type.String(),
  user_id: Type.String(),
  expires_at: Type.Integer({ minimum: 0, description: 'Unix seconds; 0: never' }),
  last_used_at: Type.Unsafe<number | null>({ type: 'integer', nullable: true, description: 'Unix seconds; null: never' }),
  created_at: secondsField('When it was made'),
};
const token = valueAnswer('The token', schemaRef('Token'));
const secret = valueAnswer('The token with its value, which is shown here and nowhere again', schemaRef('NewToken'));
const onOne = { tag, path: madeId('The id of a token'), refusals: [404] as const };

/** What the document says of the caller's own API tokens. */
export const TOKEN_DESCRIPTION: ApiDescription = {
  schemas: {
    Token: Type.Object(shown),
    NewToken: Type.Object({ ...shown, token: Type.String({ description: 'For `X-API-KEY`' }) }),
  },
  operations: Object.fromEntries(COLLECTIONS.flatMap((path, index) => operationsAt(path, index === 0 ? '' : 'Settings'))),
};

function operationsAt(path: string, other: string): readonly (readonly [OperationKey, OperationDescription])[] {
  const list = path.slice(1);
  const older = other === '' ? {} : { description: 'Another path of `/api/tokens`.' };
  return [
    [`GET /${list}`, { ...older, id: `list${other}Tokens`, tag, summary: 'List one’s own tokens', answers: listOf('Token') }],
    [
      `POST /${list}`,
      {
        ...{ ...older, id: `create${other}Token`, tag, summary: 'Make a token for oneself' },
        body: { schema: newToken.schema, examples: [{ summary: 'One that never expires', value: { name: 'ci', expires_at: 0 } }] },
        answers: secret,
      },
    ],
    [`GET /${list}/:id`, { ...older, ...onOne, id: `get${other}Token`, summary: 'Read one of one’s own tokens', answers: token }],
    [
      `PUT /${list}/:id`,
      {
        ...{ ...older, ...onOne, id: `rename${other}Token`, summary: 'Rename a token' },
        body: { schema: rename.schema, examples: [{ summary: 'Rename it', value: { name: 'deployment' } }] },
        answers: token,
      },
    ],
    [
      `PUT /${list}/:id/regenerate`,
      {
        ...{
          ...older,
          ...onOne,
          id: `regenerate${other}Token`,
          summary: 'Give a token another value; the old one is dead with the answer',
        },
        body: { schema: regeneration.schema, examples: [{ summary: 'Without an end', value: { expires_at: 0 } }] },
        answers: secret,
      },
    ],
    [`DELETE /${list}/:id`, { ...older, ...onOne, id: `revoke${other}Token`, summary: 'Revoke a token', answers: DONE }],
  ];
}
