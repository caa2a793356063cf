export { authenticateToken, type Caller } from './authenticate-token.ts';
export { hashPassword, MAX_PASSWORD_CHARACTERS } from './password.ts';
export { randomId, randomPassword, randomToken } from './random-text.ts';
export { type CreateApiTokenOptions, checkGivenToken, createApiToken, describeToken, expiryAfterDays } from './tokens.ts';
export { type ResetPasswordOptions, resetPassword } from './users.ts';
