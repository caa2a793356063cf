import { SECRET_SETTINGS } from './secret-settings.ts';
import { environmentName, type Setting } from './setting.ts';
import { MAIN_SETTINGS } from './settings.ts';

/** The table of settings in Markdown, as the README shows it between its markers; limits and time-outs have a page of their own. */
export function configurationTable(): string {
  const rows = (MAIN_SETTINGS as readonly Setting[]).map((setting) => {
    const fallback = setting.defaultText === undefined ? '' : `\`${setting.defaultText}\``;
    return `| \`--${setting.name}\` | \`${environmentName(setting)}\` | ${fallback} | ${setting.meaning} |`;
  });
  const secrets = SECRET_SETTINGS.map(({ name, meaning }) => `| | \`${name}\` or \`${name}_FILE\` | | ${meaning} |`);
  return ['| Flag | Environment | Default | Meaning |', '| --- | --- | --- | --- |', ...rows, ...secrets].join('\n');
}
