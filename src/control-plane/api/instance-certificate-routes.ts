import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { PortcullisError } from '../../errors/index.ts';
import { randomId } from '../auth/index.ts';
import { createInstanceCertificate } from '../create-instance-certificate.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';

const generate = promisify(generateKeyPair);

/**
 * `POST /api/gateway_groups/{id}/dp_client_certificates`: a certificate with its key for one gateway that is to join the group, as API7 has it.
 * Both are in this answer and kept nowhere; whoever has them gets all that gateways of the group get. A body is not looked at: clients send
 * none, `{}`, and worse.
 */
export function instanceCertificateRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/gateway_groups/:id/dp_client_certificates',
      permission: 'gateway:CreateGatewayInstance',
      handle: (request) => certify(context, request),
    },
  ];
}

async function certify({ store, clock, random }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  if ((await store.getGroup(groupId)) === undefined)
    throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  const { publicKey, privateKey } = await generate('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const instanceId = randomId(random);
  const { address } = request;
  const naming = { groupId, instanceId, publicKey };
  const { certificate, authority, expiresAtMs } = await createInstanceCertificate({
    ...{ store, clock, address, author: authorOf(request) },
    ...naming,
  });
  return {
    body: {
      value: {
        ...{ id: instanceId, gateway_group_id: groupId },
        ...{ certificate, private_key: privateKey, ca_certificate: authority },
        expiry: Math.floor(expiresAtMs / 1000),
        identity: { instanceId, groupId, certificate, privateKey, authority, expiresAtMs },
      },
    },
  };
}
