import { openHttpAccess } from '../../net/client-access.ts';
import { type Source, type SourceContext, source } from '../../spec/source.ts';
import { HttpPoller } from './http-poller.ts';
import { Pace } from './pace.ts';
import { probeRequests } from './probe.ts';
import { checkSettings, type PollerSettings, settings } from './settings.ts';

export default source({
  summary: 'Asks HTTP servers again and again, and takes the rows of their answers.',
  settings,
  check: checkSettings,
  codecs: ['json', 'line', 'csv'],
  delivery:
    'At least once what an answer holds: the state of a poll (its cursor, its ETag) is saved when all rows of it are delivered, and after a kill what was not is asked for again. What a server has no more by then is gone.',
  security:
    'It asks the servers that `requests` name, whose certificates are checked with `https:`, and no others: a link to the next page that leads elsewhere is refused. Tokens and passwords are secrets; with `http:` they stand readable on the way.',
  examples: [
    {
      title: 'The rows of an answer, once a minute',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: in\nkind: source\ntype: http_poller\nsettings:\n  requests: [{ url: https://api.example/v1/intensity, rows: /data }]\n  interval_secs: 60\n  auth: { type: bearer, token: "${API_TOKEN}" }\nout: [{ id: next }]\n',
      needs: 'a server',
    },
    {
      title: 'A feed that grows, by its cursor',
      yaml: 'id: in\nkind: source\ntype: http_poller\nsettings:\n  requests:\n    - url: https://api.example/v1/events\n      name: events\n      rows: /items\n      page: { type: cursor, cursor: /next, parameter: after, keep: true }\n  interval_secs: 5\n  requests_per_sec: 2\nout: [{ id: next }]\n',
      needs: 'a server',
    },
  ],
  tables: ({ requests }) => [
    ...new Set(requests.map((request) => tableOf(request, requests)).filter((table) => table !== undefined)),
  ],
  probe: probeRequests,
  open: openPoller,
});

/** Beside requests with a table, those without one go to the outs without one. */
function tableOf({ table }: PollerSettings['requests'][number], all: PollerSettings['requests']): string | undefined {
  return table ?? (all.some((other) => other.table !== undefined) ? '' : undefined);
}

async function openPoller({
  id,
  settings: given,
  codec,
  folder,
  punchlineKind,
  log,
  hindered,
}: SourceContext<typeof settings>): Promise<Source> {
  const access = await openHttpAccess({
    settings: given,
    responseTimeoutMs: given.response_timeout_secs * 1000,
    folder,
    subject: `source "${id}"`,
    log,
  });
  const pace = new Pace(given.requests_per_sec);
  const once = punchlineKind === 'BatchPunchline';
  const targets = given.requests.map((request) => ({
    id,
    request,
    table: tableOf(request, given.requests),
    settings: given,
    codec,
    access,
    pace,
    once,
    log,
    hindered,
  }));
  return new HttpPoller(access, targets);
}
