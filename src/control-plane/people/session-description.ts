import { Type } from '../../schema/index.ts';
import { type ApiDescription, schemaRef } from '../openapi/index.ts';
import { DONE, secondsField, valueAnswer } from './described-answers.ts';
import { describing } from './fields.ts';
import { login, newPassword, ownProfile } from './session-routes.ts';

const tag = 'Sign-in';
const named = Type.Object({ id: Type.String(), name: Type.String() });
const user = valueAnswer('The user', schemaRef('User'));

/** What the document says of signing in and out, and of what users do with themselves. */
export const SESSION_DESCRIPTION: ApiDescription = {
  schemas: {
    User: Type.Object({
      id: Type.String(),
      username: Type.String(),
      name: Type.String({ description: 'The user name, where nothing else is known' }),
      email: Type.Optional(Type.String()),
      ...describing,
      roles: Type.Array(named),
      permission_boundary: Type.Array(named, { description: 'Permission policies beyond which no role leads' }),
      source: Type.Unsafe<string>({ type: 'string', enum: ['built_in', 'oidc'] }),
      must_change_password: Type.Boolean({ description: 'Nothing but this is allowed before' }),
      created_at: secondsField('When it was made'),
      updated_at: secondsField('When it was last changed'),
    }),
  },
  operations: {
    'POST /api/login': {
      ...{ id: 'signIn', tag, summary: 'Sign in with user name and password' },
      description: 'The answer sets the session cookie `__Host-portcullis`. A wrong name and a wrong password are told by the same words.',
      body: {
        schema: login.schema,
        examples: [{ summary: 'Sign in', value: { username: 'admin', password: 'the-password-of-the-first-start' } }],
      },
      answers: user,
      refusals: [401, 403],
    },
    'POST /api/logout': { ...{ id: 'signOut', tag, summary: 'End the session', answers: DONE } },
    'PUT /api/password': {
      ...{ id: 'changePassword', tag, summary: 'Change one’s own password' },
      description: 'All other sessions of the user end. Tokens go on.',
      body: {
        schema: newPassword.schema,
        examples: [
          {
            summary: 'Change it',
            value: { old_password: 'the-password-of-the-first-start', new_password: 'choose-a-long-sentence-of-your-own' },
          },
        ],
      },
      answers: DONE,
    },
    'GET /api/me': { ...{ id: 'getMe', tag, summary: 'Tell who one is', answers: user } },
    'PUT /api/me': {
      ...{ id: 'changeMe', tag, summary: 'Change one’s own name and address' },
      body: { schema: ownProfile.schema, examples: [{ summary: 'Change the name', value: { name: 'Ada', email: 'ada@example.com' } }] },
      answers: user,
    },
  },
};
