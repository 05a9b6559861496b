import { pointerIssue } from '../../codecs/json-pointer.ts';
import { accessSettings, checkAccess } from '../../net/client-access.ts';
import { headerIssue, urlIssue } from '../../net/url-issue.ts';
import { choice, flag, group, integer, list, map, number, type Settings, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';

const page = {
  type: choice(
    ['link', 'cursor', 'offset', 'number'],
    'How the next page is asked for. `link`: by the header `Link` with `rel="next"`; `cursor`: with what stands in the answer; `offset`: with the number of rows before it; `number`: with its number.',
  ),
  parameter: text('The parameter of the query that says which page. Default `cursor`, `offset` or `page`.', { optional: true }),
  cursor: text(
    'For `cursor`: where it stands in the answer, a JSON pointer such as `/meta/next`. Without a value there is no next page.',
    {
      optional: true,
    },
  ),
  keep: flag(
    'For `cursor` and `offset`. True: the next poll goes on behind the last page, also after a restart, as feeds want it that only grow. False: each poll begins with the first page.',
    { default: false },
  ),
  start: integer('For `offset` and `number`: that of the first page. Default 0 and 1.', { optional: true, min: 0 }),
  size: integer('Rows of a page: one with fewer is the last. Without it the last is one without rows.', {
    optional: true,
    min: 1,
    unit: 'rows',
  }),
  size_parameter: text('The parameter of the query that asks for `size` rows.', { optional: true }),
  most_pages: integer('Pages of one poll at most; what is left comes with the next poll, or, without `keep`, not at all.', {
    default: 1000,
    min: 1,
  }),
};

export type PageSettings = Settings<typeof page>;

const request = {
  url: text('What is asked for.'),
  name: text('What it is called in messages and in the checkpoint. Default the URL without its query.', { optional: true }),
  method: choice(['GET', 'POST'], 'The method.', { default: 'GET' }),
  headers: map(text('Value of the header.'), 'Further headers. Who asks stands in `auth`, not here.', { default: {} }),
  body: text('What is sent, for POST.', { optional: true }),
  rows: text(
    'For JSON: where the rows stand in the answer, a JSON pointer such as `/data/items`, to an array of objects or one object. Empty: the answer is that.',
    { default: '' },
  ),
  table: text('The `out` with this table gets the rows.', { optional: true }),
  page: group(page, 'How further pages are asked for. Without it there is one.', { optional: true }),
};

export type RequestSettings = Settings<typeof request>;

export const settings = {
  requests: list(group(request, 'A request.'), 'What is asked for. Each is polled by itself, never twice at once.', { min: 1 }),
  interval_secs: number('Time from one poll to the next. A BatchPunchline polls once.', {
    default: 60,
    min: 0.05,
    unit: 'seconds',
  }),
  jitter: number('Part of the interval by which a poll may come earlier, at random, so that many do not ask at once.', {
    default: 0.1,
    min: 0,
    max: 1,
  }),
  requests_per_sec: number('Requests at most, of all together; pages count. Without it there is no limit.', {
    optional: true,
    min: 0.001,
  }),
  max_body_bytes: integer('The longest answer that is taken, behind its compression.', {
    default: 16 * 1024 * 1024,
    min: 1,
    max: 256 * 1024 * 1024,
    unit: 'bytes',
  }),
  response_timeout_secs: number('An answer must be there within this time.', { default: 30, min: 0.05, unit: 'seconds' }),
  ...accessSettings,
};

export type PollerSettings = Settings<typeof settings>;

export function nameOf({ name, url }: RequestSettings): string {
  return name ?? url.replace(/[?#].*$/s, '');
}

export function checkSettings(given: PollerSettings): SettingIssue[] {
  const issues = checkAccess(
    given,
    given.requests.map(({ url }) => url),
  );
  const names = new Set<string>();
  given.requests.forEach((each, at) => {
    const wrong = (setting: keyof RequestSettings, message: string): void => {
      issues.push({ path: ['requests', at, setting], message });
    };
    const url = urlIssue(each.url);
    if (url !== undefined) wrong('url', url);
    if (names.has(nameOf(each))) wrong('name', `"${nameOf(each)}" is that of another request, expected one of its own`);
    names.add(nameOf(each));
    const rows = pointerIssue(each.rows);
    if (rows !== undefined) wrong('rows', rows);
    if (each.body !== undefined && each.method === 'GET') wrong('body', 'has no meaning with method "GET"');
    for (const [name, value] of Object.entries(each.headers)) {
      const message = /^authorization$/i.test(name) ? 'would show a secret, expected it in "auth"' : headerIssue(name, value);
      if (message !== undefined) issues.push({ path: ['requests', at, 'headers', name], message });
    }
    if (each.page)
      for (const { name, message } of pageIssues(each.page)) issues.push({ path: ['requests', at, 'page', name], message });
  });
  return issues;
}

function pageIssues({
  type,
  parameter,
  cursor,
  keep,
  start,
  size,
  size_parameter,
}: PageSettings): { name: string; message: string }[] {
  const issues: { name: string; message: string }[] = [];
  const meaningless = (name: string): unknown => issues.push({ name, message: `has no meaning with type "${type}"` });
  if (type === 'cursor' && cursor === undefined)
    issues.push({ name: 'cursor', message: 'is missing, expected it with type "cursor"' });
  if (type !== 'cursor' && cursor !== undefined) meaningless('cursor');
  if (type === 'link' && parameter !== undefined) meaningless('parameter');
  if (keep && (type === 'link' || type === 'number')) meaningless('keep');
  if (start !== undefined && (type === 'link' || type === 'cursor')) meaningless('start');
  if (size_parameter !== undefined && size === undefined)
    issues.push({ name: 'size', message: 'is missing, expected it beside "size_parameter"' });
  const wrong = cursor === undefined ? undefined : pointerIssue(cursor);
  if (wrong !== undefined) issues.push({ name: 'cursor', message: wrong });
  return issues;
}
