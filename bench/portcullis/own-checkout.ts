import { fileURLToPath } from 'node:url';

/** The checkout that this program belongs to. */
export const OWN_CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
