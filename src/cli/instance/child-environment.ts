/** Names that no child needs from its environment: settings travel over the channel, databases belong to the control plane. */
const WITHHELD = /^(PORTCULLIS_|PG[A-Z]|DATABASE_URL$|REDIS_URL$|NODE_CHANNEL_|NODE_UNIQUE_ID$)/;

/** What a child inherits of the supervisor's environment. */
export function childEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !WITHHELD.test(name)));
}
