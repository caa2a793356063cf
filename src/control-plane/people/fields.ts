import { describingFields, Type } from '../../schema/index.ts';
import { MAX_PASSWORD_CHARACTERS } from '../auth/index.ts';

/** As at the sign-in of API7: 1 to 128 characters. */
export const passwordField = Type.String({ minLength: 1, maxLength: MAX_PASSWORD_CHARACTERS });

/** Printable, without a colon (RFC 7617 allows none) and without space at either end. Reserved names are refused. */
export const usernameField = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^(?!(?:__proto__|constructor|prototype)$)[^\\s:\\p{C}](?:[^:\\p{C}\\p{Zl}\\p{Zp}]*[^\\s:\\p{C}])?$',
});

/** A token's name, as long as API7's. */
export const tokenNameField = Type.String({ minLength: 1, maxLength: 40, pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$' });

/** Unix seconds; 0: never. */
export const expiresAtField = Type.Integer({ minimum: 0, maximum: 253_402_300_799 });

/** Ids of roles or permission policies. */
export const idsField = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 100 });

/** What people tell of themselves. */
export const profileFields = {
  name: Type.Optional(Type.String({ maxLength: 256 })),
  email: Type.Optional(Type.String({ maxLength: 320 })),
} as const;

/** Description and labels, as every resource has them. */
export const describing = describingFields;
