/** Which variables of a request's body a plugin's configuration may ask for, as bits. */
export const BODY_USE = {
  none: 0,
  /** `post_arg_<name>`, `post_arg.<path>` */
  arguments: 1,
  /** `graphql_name`, `graphql_operation`, `graphql_root_fields` */
  graphql: 2,
} as const;

/** Found by name in any text of the values: a variable may stand in conditions, in templates and in keys of counters alike. */
export function bodyUseOf(values: unknown): number {
  const text = JSON.stringify(values) ?? '';
  return (text.includes('post_arg') ? BODY_USE.arguments : 0) | (text.includes('graphql_') ? BODY_USE.graphql : 0);
}
