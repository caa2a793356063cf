/** Where the text that a reference stands for is kept. */
export type SecretReference =
  /** A variable in the environment of each gateway instance; with a key, a field of the JSON object that it holds. */
  | { readonly kind: 'environment'; readonly name: string; readonly key: string | undefined }
  /** A field of a secret that a secret provider knows. `provider` is the provider's id, e.g. `vault/1`. */
  | { readonly kind: 'secret'; readonly provider: string; readonly name: string; readonly key: string };

export type ReferenceParse =
  | { readonly ok: true; readonly reference: SecretReference }
  /** `problem` holds nothing of the text. */
  | { readonly ok: false; readonly problem: string };

/** Secret managers that references may name. */
export const SECRET_MANAGERS = ['vault', 'aws', 'gcp', 'kubernetes'] as const;

export type SecretManager = (typeof SECRET_MANAGERS)[number];

const PREFIX = /^\$(secret|env):\/\//i;
const ENVIRONMENT = /^([\x21-\x2e\x30-\x3c\x3e-\x7e]{1,256})(?:\/(.+))?$/;
const PROVIDER_ID = /^[a-zA-Z0-9-_.]{1,256}$/;
const MAX_CHARACTERS = 2048;
const ENVIRONMENT_FORM = 'a reference to an environment variable has the form $env://NAME or $env://NAME/key';
const SECRET_FORM = 'a secret reference has the form $secret://manager/provider/name/key';

/**
 * Whether a text stands for a secret that is kept elsewhere, well formed or not. It must never be used as the secret itself: everybody can
 * guess it.
 */
export function isSecretReference(text: string): boolean {
  return text.startsWith('$') && PREFIX.test(text);
}

/**
 * Reads `$env://NAME[/key]` (in any case, as in APISIX) or `$secret://manager/provider/name/key`. Like APISIX's managers it takes what
 * follows the last slash for the key, so that names may have slashes.
 */
export function parseSecretReference(text: string): ReferenceParse {
  const prefix = PREFIX.exec(text);
  if (prefix === null) return refused(SECRET_FORM);
  const isEnvironment = prefix[1]?.toLowerCase() === 'env';
  const rest = text.slice(prefix[0].length);
  if (text.length > MAX_CHARACTERS || hasControls(rest)) return refused(isEnvironment ? ENVIRONMENT_FORM : SECRET_FORM);
  if (isEnvironment) return parseEnvironment(rest);
  return prefix[1] === 'secret' ? parseManaged(rest) : refused(SECRET_FORM);
}

function parseEnvironment(rest: string): ReferenceParse {
  const [, name, key] = ENVIRONMENT.exec(rest) ?? [];
  return name === undefined ? refused(ENVIRONMENT_FORM) : { ok: true, reference: { kind: 'environment', name, key } };
}

function parseManaged(rest: string): ReferenceParse {
  const [manager = '', provider = '', ...path] = rest.split('/');
  const key = path.pop() ?? '';
  if (!isManager(manager)) return refused(`the manager of a secret reference is one of ${SECRET_MANAGERS.join(', ')}`);
  // Dots would lead out of what the provider's prefix allows.
  const isPlain = path.length > 0 && path.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  if (!PROVIDER_ID.test(provider) || !isPlain || key === '') return refused(SECRET_FORM);
  if (manager === 'kubernetes' && path.length !== 2) {
    return refused('a reference to a secret of Kubernetes has the form $secret://kubernetes/provider/namespace/name/key');
  }
  return { ok: true, reference: { kind: 'secret', provider: `${manager}/${provider}`, name: path.join('/'), key } };
}

function isManager(text: string): text is SecretManager {
  return (SECRET_MANAGERS as readonly string[]).includes(text);
}

function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function refused(problem: string): ReferenceParse {
  return { ok: false, problem };
}
