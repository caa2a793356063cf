export { type Configuration, readConfiguration, type StreamListenerSetting } from './configuration.ts';
export { type SecretSettings, takeSecretSettings } from './secret-settings.ts';
export { environmentName, type Setting, type Verb } from './setting.ts';
export { SETTINGS } from './settings.ts';
