export { authenticateToken, type Caller } from './authenticate-token.ts';
export { hashPassword, MAX_PASSWORD_CHARACTERS } from './password.ts';
export { randomId, randomPassword, randomToken } from './random-text.ts';
export { checkGivenToken, createApiToken, describeToken, expiryAfterDays } from './tokens.ts';
export { resetPassword } from './users.ts';
