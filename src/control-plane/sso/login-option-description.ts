import { Type } from '../../schema/index.ts';
import { type ApiDescription, schemaRef } from '../openapi/index.ts';
import { DONE, listOf, madeId, secondsField, valueAnswer } from '../people/described-answers.ts';
import { validateLoginOption } from './login-option.ts';

const tag = 'Sign-in';
const option = valueAnswer('The login option', schemaRef('StoredLoginOption'), { hasVersion: true });
const onOne = { tag, path: madeId('The id of a login option') };
const changing = { headers: ['If-Match'] as const, refusals: [404, 409, 412] as const };
const OPTION = {
  name: 'company',
  provider: 'oidc',
  issuer: 'https://id.example.com',
  client_id: 'portcullis',
  client_secret: 'what-the-provider-gave',
  public_url: 'https://gateway.example.com:7443',
};
const text = Type.String();

/** What the document says of login options and of signing in at an identity provider. */
export const LOGIN_OPTION_DESCRIPTION: ApiDescription = {
  schemas: {
    LoginOption: validateLoginOption.schema,
    StoredLoginOption: {
      allOf: [
        schemaRef('LoginOption'),
        Type.Object({
          id: text,
          client_secret: Type.String({ description: 'A mask; sent back, it leaves the secret as it is' }),
          redirect_uri: Type.String({ description: 'To be registered at the provider' }),
          login_url: Type.String({ description: 'Where a browser begins' }),
          created_at: secondsField('When it was made'),
          updated_at: secondsField('When it was last changed'),
        }),
      ],
    },
  },
  operations: {
    'GET /api/login_options': { id: 'listLoginOptions', tag, summary: 'List login options', answers: listOf('StoredLoginOption') },
    'POST /api/login_options': {
      ...{ id: 'createLoginOption', tag, summary: 'Let users sign in at an identity provider (OpenID Connect)' },
      description: 'Only for super admins: who names the provider decides who anybody is.',
      body: { schema: schemaRef('LoginOption'), examples: [{ summary: 'Name a provider', value: OPTION }] },
      answers: option,
      refusals: [409],
    },
    'GET /api/login_options/:id': { ...onOne, id: 'getLoginOption', summary: 'Read a login option', answers: option, refusals: [404] },
    'PUT /api/login_options/:id': {
      ...{ ...onOne, ...changing, id: 'putLoginOption', summary: 'Replace a login option as a whole' },
      body: { schema: schemaRef('LoginOption'), examples: [{ summary: 'Switch it off', value: { ...OPTION, enabled: false } }] },
      answers: option,
    },
    'DELETE /api/login_options/:id': {
      ...{ ...onOne, ...changing, id: 'deleteLoginOption', summary: 'Delete a login option with the users whom it let in', answers: DONE },
    },
    'GET /api/sign_in_options': {
      ...{ id: 'listSignInOptions', tag, summary: 'List where one may sign in' },
      answers: {
        200: {
          description: 'What a sign-in page offers',
          schema: Type.Object({
            list: Type.Array(Type.Object({ id: text, name: text, provider: text, login_path: text })),
            total: Type.Integer({ minimum: 0 }),
          }),
        },
      },
    },
    'GET /api/oidc/:id/login': {
      ...{ ...onOne, id: 'beginSignIn', summary: 'Send a browser to the identity provider' },
      answers: { 303: { description: 'To the provider' } },
      refusals: [404, 502],
    },
    'GET /api/oidc/callback': {
      ...{ id: 'completeSignIn', tag, summary: 'Take back a browser that comes from the identity provider' },
      query: [
        { name: 'code', description: 'From the provider', schema: text },
        { name: 'state', description: 'From the provider', schema: text },
      ],
      answers: { 303: { description: 'Signed in: the session cookie is set' } },
      refusals: [401, 404, 502],
    },
  },
};
