import { Type } from '../../schema/index.ts';
import { listParameters } from '../api/descriptions/parameters.ts';
import { type ApiDescription, type QueryParameter, schemaRef } from '../openapi/index.ts';
import { DONE, listOf, madeId, secondsField, valueAnswer } from './described-answers.ts';
import { acceptance, invite } from './invite-routes.ts';
import { assignment, boundary, reset, update } from './user-routes.ts';

const tag = 'Users';
const user = valueAnswer('The user', schemaRef('User'));
const onOne = { tag, path: madeId('The id of a user'), refusals: [404] as const };
const notOneself = { ...onOne, refusals: [404, 409] as const };

/** What lists of people and roles can be asked for. */
export const LIST_PARAMETERS: readonly QueryParameter[] = listParameters({ isSortedByName: false, isLabelled: true, hasCursors: false });

/** What the document says of users and invites. */
export const USER_DESCRIPTION: ApiDescription = {
  schemas: {
    Invite: Type.Object({
      id: Type.String({ description: 'The id of the user' }),
      username: Type.String(),
      created_at: secondsField('When it was made'),
      expires_at: secondsField('When it ends'),
    }),
  },
  operations: {
    'GET /api/users': {
      ...{ id: 'listUsers', tag, summary: 'List users' },
      query: LIST_PARAMETERS,
      answers: listOf('User'),
    },
    'GET /api/users/:id': { ...onOne, id: 'getUser', summary: 'Read a user', answers: user },
    'PUT /api/users/:id': {
      ...{ ...onOne, id: 'putUser', summary: 'Change name, address, description and labels of a user' },
      body: { schema: update.schema, examples: [{ summary: 'Change them', value: { name: 'Ada', labels: { team: 'mobile' } } }] },
      answers: user,
    },
    'DELETE /api/users/:id': {
      ...notOneself,
      id: 'deleteUser',
      summary: 'Remove a user with the user’s tokens and sessions',
      answers: DONE,
    },
    'PUT /api/users/:id/assigned_roles': {
      ...{ ...notOneself, id: 'assignRoles', summary: 'Say which roles a user has' },
      description: 'Nobody gives what he has not, and nobody changes his own roles.',
      body: { schema: assignment.schema, examples: [{ summary: 'A role that only reads', value: { roles: ['viewer_id'] } }] },
      answers: user,
    },
    'PUT /api/users/:id/permission_boundary': {
      ...{ ...notOneself, id: 'setPermissionBoundary', summary: 'Say beyond which permission policies no role of a user leads' },
      body: { schema: boundary.schema, examples: [{ summary: 'Reading only', value: { permission_policies: ['viewer_policy_id'] } }] },
      answers: user,
    },
    'PUT /api/users/:id/password_reset': {
      ...{ ...notOneself, id: 'resetPassword', summary: 'Give a user a new password, which must be changed at the next sign-in' },
      description: 'Without a password in the body a random one is made, which the answer shows once.',
      body: { schema: reset.schema, isOptional: true, examples: [{ summary: 'A random password', value: {} }] },
      answers: valueAnswer(
        'Whose password it is',
        Type.Object({ id: Type.String(), username: Type.String(), password: Type.Optional(Type.String()) }),
      ),
    },
    'GET /api/users/:id/tokens': { ...onOne, id: 'listTokensOfUser', summary: 'List the tokens of a user', answers: listOf('Token') },
    'DELETE /api/users/:id/tokens': {
      ...{ ...onOne, id: 'revokeTokensOfUser', summary: 'Revoke the tokens of a user, all or one' },
      query: [{ name: 'token_id', description: 'Only this one', schema: Type.String() }],
      answers: DONE,
    },
    'DELETE /api/users/:id/sessions': { ...onOne, id: 'endSessionsOfUser', summary: 'End all sessions of a user', answers: DONE },
    'POST /api/invites': {
      ...{ id: 'inviteUser', tag, summary: 'Make a user, and a link by which the user sets a first password' },
      body: {
        schema: invite.schema,
        examples: [{ summary: 'Invite somebody who only reads', value: { username: 'ada', roles: ['viewer_id'] } }],
      },
      answers: valueAnswer('The user with the link, which works once and within seven days', {
        allOf: [
          schemaRef('User'),
          Type.Object({ invitation_link: Type.String(), invitation_expires_at: secondsField('When the link ends') }),
        ],
      }),
      refusals: [409],
    },
    'GET /api/invites': { ...{ id: 'listInvites', tag, summary: 'List invites that are open', answers: listOf('Invite') } },
    'DELETE /api/invites/:id': { ...onOne, id: 'withdrawInvite', summary: 'Withdraw the invite of a user', answers: DONE },
    'POST /api/invites/accept': {
      ...{ id: 'acceptInvite', tag, summary: 'Set a first password' },
      body: {
        schema: acceptance.schema,
        examples: [
          {
            summary: 'Accept',
            value: { token: 'what-stands-behind-the-hash-of-the-link', password: 'choose-a-long-sentence-of-your-own' },
          },
        ],
      },
      answers: valueAnswer('Who may sign in now', Type.Object({ username: Type.String() })),
      refusals: [404],
    },
  },
};
