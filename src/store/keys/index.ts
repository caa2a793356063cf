export { type AddedKey, addKey } from './add-key.ts';
export type { ChangeKeysOptions } from './change-keys.ts';
export type { PlaneKeys, StoreKeys } from './key-store.ts';
export { type ReEncrypted, type ReEncryptionListener, reEncrypt } from './re-encrypt.ts';
export { retireKey } from './retire-key.ts';
export { type Rotation, rotateKey } from './rotate-key.ts';
export { type KeySurvey, type KeyUse, surveyKeys } from './survey-keys.ts';
