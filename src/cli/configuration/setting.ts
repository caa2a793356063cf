/** The roles a setting has a meaning for; `start` runs all of them. */
export type Verb = 'start' | 'control-plane' | 'gateway' | 'demo-upstream';

/** How a setting's text is read. Seconds may have a fraction; lists (hosts, listeners, networks, names, control planes) are separated by commas. */
export type SettingType =
  | 'port'
  | 'count'
  | 'number'
  | 'seconds'
  | 'flag'
  | 'path'
  | 'text'
  | 'hosts'
  | 'listeners'
  | 'networks'
  | 'names'
  | 'level'
  | 'control-planes';

/**
 * One row of the configuration table. The flag is `--name`, the key in the file is `name`, the environment variable is
 * `PORTCULLIS_NAME`. Flags win over the environment, the environment over the file.
 */
export interface Setting {
  readonly name: string;
  readonly type: SettingType;
  /** As it stands in the table; undefined where there is none. */
  readonly defaultText: string | undefined;
  readonly meaning: string;
  readonly verbs: readonly Verb[];
  /** Bounds of a number or of seconds. */
  readonly least?: number;
  readonly most?: number;
}

/** `admin-port` → `PORTCULLIS_ADMIN_PORT`. */
export function environmentName(setting: Pick<Setting, 'name'>): string {
  return `PORTCULLIS_${setting.name.toUpperCase().replaceAll('-', '_')}`;
}
