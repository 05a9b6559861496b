/** Times as headers of syslog have them; what a row says, or else the time at which it is sent. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$/;
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

export function rfc5424Time(text: string, now: Date): string {
  return rfc3339.test(text) ? text : timeOf(text, now).toISOString();
}

/** In UTC: the zone does not stand there. */
export function rfc3164Time(text: string, now: Date): string {
  const time = timeOf(text, now);
  const clock = time.toISOString().slice(11, 19);
  return `${months[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2, ' ')} ${clock}`;
}

/** ISO, or seconds or milliseconds since 1970. */
function timeOf(text: string, now: Date): Date {
  if (text === '') return now;
  const number = Number(text);
  const time = new Date(Number.isNaN(number) ? text : number < 1e11 ? number * 1000 : number);
  const year = time.getUTCFullYear();
  return year >= 0 && year <= 9999 ? time : now;
}
