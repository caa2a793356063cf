/** A weight of more than nothing (RFC 9110 §12.4.2); what is no weight is none. */
const WEIGHT = /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;
const NO_WEIGHT = /^q=0(?:\.0{0,3})?$/i;

/**
 * Whether a client takes answers in this coding (RFC 9110 §12.5.3): it names the coding, or else `*`, with a weight above 0. Without the
 * header it takes whatever there is, but nothing is compressed for it, as nginx has it.
 */
export function acceptsCoding(values: readonly string[], coding: string): boolean {
  let byStar = false;
  for (const item of values.join(',').split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const lowerCaseName = name.toLowerCase();
    if (lowerCaseName === coding) return isWanted(parameters);
    if (lowerCaseName === '*') byStar = isWanted(parameters);
  }
  return byStar;
}

function isWanted(parameters: readonly string[]): boolean {
  return parameters.every((parameter) => WEIGHT.test(parameter) && !NO_WEIGHT.test(parameter));
}
