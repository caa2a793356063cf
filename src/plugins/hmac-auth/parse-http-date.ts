const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** The three forms of RFC 9110 §5.6.7, of which clients send the first. */
const FORMS: readonly RegExp[] = [
  /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d) GMT$/,
  /^[A-Z][a-z]{5,8}, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d) GMT$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d) (?<year>\d{4})$/,
];

/** Seconds since 1970 of a date in HTTP's form; undefined for everything else. The name of the day is not checked, as in nginx. */
export function parseHttpDate(text: string): number | undefined {
  for (const form of FORMS) {
    const groups = form.exec(text)?.groups;
    if (groups !== undefined) return secondsOf(groups);
  }
  return undefined;
}

function secondsOf(groups: Readonly<Record<string, string | undefined>>): number | undefined {
  const number = (name: string): number => Number(groups[name] ?? Number.NaN);
  const monthIndex = MONTHS.indexOf(groups.month ?? '-');
  const [day, hour, minute, second] = [number('day'), number('hour'), number('minute'), number('second')];
  if (monthIndex % 3 !== 0 || hour > 23 || minute > 59 || second > 59) return undefined;
  const milliseconds = Date.UTC(fullYear(number('year')), monthIndex / 3, day, hour, minute, second);
  // A day that the month does not have would have become one of the next month.
  return new Date(milliseconds).getUTCDate() === day ? milliseconds / 1000 : undefined;
}

/** Two digits as nginx reads them. */
function fullYear(year: number): number {
  if (year >= 100) return year;
  return year < 70 ? 2000 + year : 1900 + year;
}
