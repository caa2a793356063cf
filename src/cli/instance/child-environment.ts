type Environment = Readonly<Record<string, string | undefined>>;

/** Names that no child needs from its environment: settings travel over the channel, databases belong to the control plane. */
const WITHHELD = /^(PORTCULLIS_|PG[A-Z]|DATABASE_URL$|REDIS_URL$|NODE_CHANNEL_|NODE_UNIQUE_ID$)/;
/** Node.js speaks to its own children by these: no setting opens them. */
const OF_NODE = /^(NODE_CHANNEL_|NODE_UNIQUE_ID$)/;

/**
 * What a child inherits of the supervisor's environment: `openedNames` although they are withheld, and all that is not. `unlessSaid` is for it
 * alone, where the environment does not say otherwise.
 */
export function childEnvironment(
  environment: Environment,
  openedNames: readonly string[] = [],
  unlessSaid: Environment = {},
): Record<string, string | undefined> {
  const opened = new Set(openedNames.filter((name) => !OF_NODE.test(name)));
  const inherited = Object.entries(environment).filter(([name]) => opened.has(name) || !WITHHELD.test(name));
  return { ...unlessSaid, ...Object.fromEntries(inherited) };
}
