/** The hashes of RFC 7518, as node:crypto names them. */
export type JwtHash = 'sha256' | 'sha384' | 'sha512';

/** How one `alg` of a JSON Web Token signs. */
export type JwtAlgorithm =
  | { readonly kind: 'hmac'; readonly hash: JwtHash }
  | { readonly kind: 'rsa'; readonly hash: JwtHash }
  | { readonly kind: 'rsa-pss'; readonly hash: JwtHash }
  | { readonly kind: 'ecdsa'; readonly hash: JwtHash; readonly curve: string; readonly curveName: string; readonly signatureBytes: number }
  | { readonly kind: 'eddsa' };

const P256 = { kind: 'ecdsa', hash: 'sha256', curve: 'prime256v1', curveName: 'P-256', signatureBytes: 64 } as const;
const P384 = { kind: 'ecdsa', hash: 'sha384', curve: 'secp384r1', curveName: 'P-384', signatureBytes: 96 } as const;
const P521 = { kind: 'ecdsa', hash: 'sha512', curve: 'secp521r1', curveName: 'P-521', signatureBytes: 132 } as const;

/** Every `alg` that a credential may have (RFC 7518 §3.1, RFC 8037 §3.1). `none` is not among them and never will be. */
export const JWT_ALGORITHMS: ReadonlyMap<string, JwtAlgorithm> = new Map<string, JwtAlgorithm>([
  ['HS256', { kind: 'hmac', hash: 'sha256' }],
  ['HS384', { kind: 'hmac', hash: 'sha384' }],
  ['HS512', { kind: 'hmac', hash: 'sha512' }],
  ['RS256', { kind: 'rsa', hash: 'sha256' }],
  ['RS384', { kind: 'rsa', hash: 'sha384' }],
  ['RS512', { kind: 'rsa', hash: 'sha512' }],
  ['ES256', P256],
  ['ES384', P384],
  ['ES512', P521],
  ['PS256', { kind: 'rsa-pss', hash: 'sha256' }],
  ['PS384', { kind: 'rsa-pss', hash: 'sha384' }],
  ['PS512', { kind: 'rsa-pss', hash: 'sha512' }],
  ['EdDSA', { kind: 'eddsa' }],
]);

/** The algorithm of a credential that names none. */
export const DEFAULT_JWT_ALGORITHM = 'HS256';
