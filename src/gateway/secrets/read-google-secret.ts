import { readFile, stat } from 'node:fs/promises';
import type { JsonObject } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';
import { askForSecret, refusedBy } from './ask-for-secret.ts';
import { GoogleAccessTokens } from './google-access-tokens.ts';
import { contentOfText, parseObject } from './secret-content.ts';
import { SecretError } from './secret-error.ts';
import {
  escapedPath,
  type ManagerSurroundings,
  optionalField,
  type ReadSecret,
  requiredField,
  withoutLastSlash,
} from './secret-provider.ts';

const DEFAULT_ENTRIES_URI = 'https://secretmanager.googleapis.com/v1/';
const MAX_FILE_BYTES = 64 * 1024;

/** Google's Secret Manager: the latest version of a secret whose text is a JSON object. */
export function googleReader(surroundings: ManagerSurroundings): ReadSecret {
  const tokens = new GoogleAccessTokens(surroundings);
  return async (configuration, name) => {
    const account = await accountOf(configuration);
    const verifyTls = configuration.ssl_verify !== false;
    const token = await tokens.tokenOf(account, verifyTls);
    const base = withoutLastSlash(optionalField(account, 'entries_uri') ?? DEFAULT_ENTRIES_URI);
    const path = escapedPath('projects', requiredField(account, 'project_id'), 'secrets', name);
    const answer = await askForSecret(surroundings.calls, {
      method: 'GET',
      url: `${base}/${path}/versions/latest:access`,
      headers: { Authorization: `Bearer ${token}`, Accept: 'application/json' },
      verifyTls,
    });
    if (answer.status !== 200) throw refusedBy("Google's Secret Manager", answer.status);
    const { payload } = answer.body();
    if (!isJsonObject(payload)) throw new SecretError('failed', "the answer of Google's Secret Manager holds no payload");
    return contentOfText(Buffer.from(requiredField(payload, 'data'), 'base64').toString());
  };
}

/** The account in the provider itself, or in the file on this gateway that it names. */
async function accountOf({ auth_config, auth_file }: JsonObject): Promise<JsonObject> {
  if (isJsonObject(auth_config)) return auth_config;
  if (typeof auth_file !== 'string') throw new SecretError('failed', 'the provider names no account');
  return parseObject(await textOfFile(auth_file), 'the file of the account is not a JSON object');
}

async function textOfFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_FILE_BYTES) return await readFile(file, 'utf8');
  } catch {
    throw new SecretError('failed', 'the file of the account cannot be read');
  }
  throw new SecretError('failed', 'the file of the account is too large');
}
