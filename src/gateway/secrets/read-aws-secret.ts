import { askForSecret } from './ask-for-secret.ts';
import { signedAwsHeaders } from './aws-signature.ts';
import { contentOfText } from './secret-content.ts';
import { SecretError } from './secret-error.ts';
import { type ManagerSurroundings, optionalField, type ReadSecret, requiredField } from './secret-provider.ts';

const DEFAULT_REGION = 'us-east-1';
const NOT_FOUND = /^(?:.*#)?ResourceNotFoundException(?::.*)?$/;

/** AWS Secrets Manager: the current version of a secret whose text is a JSON object. */
export function awsReader({ calls, nowMs }: ManagerSurroundings): ReadSecret {
  return async (configuration, name) => {
    const region = optionalField(configuration, 'region') ?? DEFAULT_REGION;
    const endpoint = optionalField(configuration, 'endpoint_url') ?? `https://secretsmanager.${region}.amazonaws.com`;
    if (!URL.canParse(endpoint)) throw new SecretError('failed', 'the endpoint of the provider is no URL');
    // As in APISIX, a path in it does not count.
    const { origin, host } = new URL(endpoint);
    const body = JSON.stringify({ SecretId: name, VersionStage: 'AWSCURRENT' });
    const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'secretsmanager.GetSecretValue' };
    const credentials = {
      accessKeyId: requiredField(configuration, 'access_key_id'),
      secretAccessKey: requiredField(configuration, 'secret_access_key'),
      sessionToken: optionalField(configuration, 'session_token'),
    };
    const scope = { region, service: 'secretsmanager', nowMs: nowMs() };
    const signed = signedAwsHeaders({ method: 'POST', host, headers, body }, credentials, scope);
    const answer = await askForSecret(calls, { method: 'POST', url: `${origin}/`, headers: signed, body });
    if (answer.status !== 200) {
      const isGone = answer.status === 400 && NOT_FOUND.test(optionalField(answer.body(), '__type') ?? '');
      throw new SecretError(isGone ? 'gone' : 'failed', `AWS Secrets Manager answered ${answer.status}`);
    }
    return contentOfText(requiredField(answer.body(), 'SecretString'));
  };
}
