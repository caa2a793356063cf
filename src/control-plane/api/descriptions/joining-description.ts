import { type TSchema, Type } from '../../../schema/index.ts';
import { type ApiDescription, type PathParameter, schemaRef } from '../../openapi/index.ts';
import { newJoinToken } from '../join-token-routes.ts';
import { INSTANCE_CERTIFICATE_DESCRIPTION } from './instance-certificate-description.ts';
import { KIND_TEXTS } from './kind-texts.ts';

const { tag } = KIND_TEXTS.gateway_group;
const seconds = (description: string): TSchema => Type.Integer({ minimum: 0, description: `${description}, in Unix seconds` });
const secondsOrNull = (description: string): TSchema =>
  Type.Unsafe<number | null>({ type: 'integer', nullable: true, description: `${description}, in Unix seconds; null: never` });
const textOrNull = (description: string): TSchema => Type.Unsafe<string | null>({ type: 'string', nullable: true, description });

const tokenFields = {
  id: Type.String(),
  gateway_group_id: Type.String(),
  name: Type.String(),
  status: Type.Unsafe<string>({ type: 'string', enum: ['usable', 'used_up', 'expired', 'revoked'] }),
  max_uses: Type.Integer({ minimum: 1, description: 'How many gateways may join by it' }),
  uses: Type.Integer({ minimum: 0, description: 'How many have' }),
  last_used_at: secondsOrNull('When one last did'),
  created_at: seconds('When it was made'),
  expires_at: seconds('When it ends'),
  revoked_at: secondsOrNull('When it was revoked'),
  created_by: Type.String(),
};
const command = Type.String();

const { path: groupPath = {} } = INSTANCE_CERTIFICATE_DESCRIPTION.operations['POST /api/gateway_groups/:id/dp_client_certificates'] ?? {};
const tokenPath: Readonly<Record<string, PathParameter>> = {
  ...groupPath,
  token_id: {
    description: 'The id of a join token',
    schema: Type.String({ minLength: 1, maxLength: 256 }),
    example: '2f0b1a52-6f53-4f0e-8f6e-0c7a6d1c9b11',
  },
};
const instancePath: Readonly<Record<string, PathParameter>> = {
  ...groupPath,
  instance_id: {
    description: 'The id of a gateway instance',
    schema: Type.String({ minLength: 1, maxLength: 256 }),
    example: '7d3c1f0a-4b52-8a7e-9a55-0f6f3f0c9b11',
  },
};
const DONE = { 200: { description: 'It is done', schema: Type.Object({}), example: {} } };

function listOf(schema: string) {
  const list = Type.Array(schemaRef(schema));
  return { 200: { description: 'All of the group', schema: Type.Object({ list, total: Type.Integer({ minimum: 0 }) }) } };
}

/** What the document says of join tokens and of the certificates of instances. */
export const JOINING_DESCRIPTION: ApiDescription = {
  schemas: {
    JoinToken: Type.Object(tokenFields),
    NewJoinToken: Type.Object({
      ...tokenFields,
      token: Type.String({ description: 'For `--join-token-file`; shown here and nowhere again' }),
      token_plain_text: Type.String({ description: 'The same, as API7 calls it' }),
      authority_pin: Type.String({ description: 'SHA-256 of the public key of the authority that the token names, in base64url' }),
      commands: Type.Optional(Type.Object({ node: command, systemd: command, docker: command, compose: command, kubernetes: command })),
    }),
    InstanceCertificates: Type.Object({
      id: Type.String(),
      gateway_group_id: Type.String(),
      hostname: Type.String({ description: 'What it called its machine when it joined' }),
      join_token_id: textOrNull('By which token it joined; null when by none'),
      created_at: seconds('When it got its first certificate'),
      revoked_at: secondsOrNull('When it was revoked'),
      revoked_by: textOrNull('By whom'),
      expires_at: secondsOrNull('When its latest certificate ends'),
      certificates: Type.Array(
        Type.Object({
          serial: Type.String({ description: 'In hexadecimal' }),
          issued_at: seconds('When it was issued'),
          expires_at: seconds('When it ends'),
          authority_pin: Type.String({ description: 'Of the authority that signed it' }),
        }),
      ),
    }),
  },
  operations: {
    'POST /api/gateway_groups/:id/instance_token': {
      ...{ id: 'createJoinToken', tag, summary: 'Make a token by which a gateway joins a group' },
      description:
        'The token is in this answer and kept nowhere. It holds for a day and one gateway unless `expires_in` (seconds) and `max_uses` say otherwise. `commands` are ready to be pasted into a shell. A body may be left out.',
      path: groupPath,
      query: [
        {
          name: 'only_token',
          description: '`true`: without the commands',
          schema: Type.Unsafe<string>({ type: 'string', enum: ['true', 'false'] }),
        },
      ],
      headers: ['X-Change-Reason'],
      body: {
        schema: newJoinToken.schema,
        examples: [{ summary: 'For ten gateways within a week', value: { name: 'edge', expires_in: 604_800, max_uses: 10 } }],
      },
      answers: { 200: { description: 'The token with its value', schema: Type.Object({ value: schemaRef('NewJoinToken') }) } },
      refusals: [404, 409],
    },
    'GET /api/gateway_groups/:id/instance_tokens': {
      ...{ id: 'listJoinTokens', tag, summary: 'List the join tokens of a group', path: groupPath },
      ...{ answers: listOf('JoinToken'), refusals: [404] },
    },
    'GET /api/gateway_groups/:id/instance_tokens/:token_id': {
      ...{ id: 'getJoinToken', tag, summary: 'Read a join token', path: tokenPath },
      answers: { 200: { description: 'The token, without its value', schema: Type.Object({ value: schemaRef('JoinToken') }) } },
      refusals: [404],
    },
    'DELETE /api/gateway_groups/:id/instance_tokens/:token_id': {
      ...{ id: 'revokeJoinToken', tag, summary: 'Revoke a join token; who has joined by it stays' },
      ...{ path: tokenPath, headers: ['X-Change-Reason'], answers: DONE, refusals: [404] },
    },
    'GET /api/gateway_groups/:id/instance_certificates': {
      ...{ id: 'listInstanceCertificates', tag, summary: 'List the instances of a group that were given certificates', path: groupPath },
      ...{ answers: listOf('InstanceCertificates'), refusals: [404] },
    },
    'DELETE /api/gateway_groups/:id/instance_certificates/:instance_id': {
      ...{ id: 'revokeInstance', tag, summary: 'Revoke an instance: it is disconnected and cannot come back' },
      description: 'All its certificates are refused from now on, for sync connections and for renewal. It keeps what it has received.',
      ...{ path: instancePath, headers: ['X-Change-Reason'], answers: DONE, refusals: [404] },
    },
  },
};
