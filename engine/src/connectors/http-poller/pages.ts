/** Which page comes after another one. A page is known by the path and query that ask for it. */
import { pointedText } from '../../codecs/json-pointer.ts';
import { ReefError } from '../../errors.ts';
import type { PageSettings } from './settings.ts';

export interface Page {
  /** Path and query. */
  readonly target: string;
  /** What asks for it where it is not a link: a cursor, an offset, a number. */
  readonly place: string | undefined;
}

/** What is looked at of an answer. */
export interface PageAnswer {
  readonly body: Buffer;
  readonly rows: number;
  /** Value of the header `Link`. */
  readonly link: string | undefined;
}

const parameters = { cursor: 'cursor', offset: 'offset', number: 'page' } as const;

export class Pages {
  readonly #url: URL;
  readonly #settings: PageSettings | undefined;

  constructor(url: string, settings: PageSettings | undefined) {
    this.#url = new URL(url);
    this.#settings = settings;
  }

  /** `kept`: the place at which an earlier poll has ended. */
  first(kept: string | undefined): Page {
    const { type, start, keep } = this.#settings ?? {};
    const usual = type === 'offset' ? String(start ?? 0) : type === 'number' ? String(start ?? 1) : undefined;
    return this.#at((keep ? kept : undefined) ?? usual);
  }

  /** `undefined`: that was the last one. Throws a `ReefError` where a link leads to another server. */
  next({ place, target }: Page, { body, rows, link }: PageAnswer): Page | undefined {
    if (!this.#settings) return undefined;
    const { type, cursor, size } = this.#settings;
    const last = rows === 0 || (size !== undefined && rows < size);
    switch (type) {
      case 'link':
        return this.#linked(target, link);
      case 'cursor': {
        const found = pointedText(body, cursor!);
        return found === undefined || found === '' || found === place ? undefined : this.#at(found);
      }
      case 'offset':
        return last ? undefined : this.#at(String(Number(place) + rows));
      case 'number':
        return last ? undefined : this.#at(String(Number(place) + 1));
    }
  }

  /** Where the next poll goes on, once this page is the last one. */
  kept(page: Page, { rows }: PageAnswer): string | undefined {
    const { keep, type } = this.#settings ?? {};
    if (!keep) return undefined;
    return type === 'offset' ? String(Number(page.place) + rows) : page.place;
  }

  #at(place: string | undefined): Page {
    const url = new URL(this.#url);
    const { type, parameter, size, size_parameter } = this.#settings ?? {};
    if (place !== undefined && type && type !== 'link') url.searchParams.set(parameter ?? parameters[type], place);
    if (size_parameter !== undefined) url.searchParams.set(size_parameter, String(size));
    return { target: `${url.pathname}${url.search}`, place };
  }

  #linked(target: string, link: string | undefined): Page | undefined {
    const next = nextLink(link ?? '');
    if (next === undefined) return undefined;
    const url = URL.parse(next, new URL(target, this.#url));
    // Credentials are for the server that was named.
    if (url?.origin !== this.#url.origin)
      throw new ReefError('io', `its next page is "${next}", expected one of the same server`);
    const found = `${url.pathname}${url.search}`;
    return found === target ? undefined : { target: found, place: undefined };
  }
}

/** The target with `rel="next"` in a header `Link` (RFC 8288). */
export function nextLink(header: string): string | undefined {
  for (const [, target, parameters = ''] of header.matchAll(
    /<([^>]*)>((?:\s*;\s*[^,;"=]+(?:=(?:"(?:[^"\\]|\\.)*"|[^,;"]*))?)*)/g,
  )) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters);
    if ((rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/).includes('next')) return target;
  }
  return undefined;
}
