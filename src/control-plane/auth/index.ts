export { ADMIN_KEY_SPACE, authenticateAdminKey, isAdminKey } from './admin-key.ts';
export { authenticateToken, type Caller } from './authenticate-token.ts';
export { hashPassword, MAX_PASSWORD_CHARACTERS } from './password.ts';
export { randomAdminKey, randomId, randomPassword, randomToken } from './random-text.ts';
export { checkGivenToken, createApiToken, describeToken, expiryAfterDays, hashToken } from './tokens.ts';
export { resetPassword } from './users.ts';
