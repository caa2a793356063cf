const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** From then on nginx writes the whole year. */
const LAST_SHORT_YEAR = 2037;
/** The end of the year 9999: years have no more digits in a cookie. */
const LAST_MS = 253_402_300_799_000;

/** A time as nginx writes it into cookies, e.g. `Thu, 18-Nov-27 11:27:35 GMT` (read by RFC 6265 §5.1.1); from 1970 to 9999. */
export function cookieDate(timeMs: number): string {
  const date = new Date(Math.max(0, Math.min(timeMs, LAST_MS)));
  const year = date.getUTCFullYear();
  const shown = year > LAST_SHORT_YEAR ? `${year}` : twoDigits(year % 100);
  const day = `${DAYS[date.getUTCDay()]}, ${twoDigits(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}-${shown}`;
  return `${day} ${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}:${twoDigits(date.getUTCSeconds())} GMT`;
}

function twoDigits(value: number): string {
  return `${value}`.padStart(2, '0');
}
