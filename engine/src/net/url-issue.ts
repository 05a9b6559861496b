/** What settings may say of servers: URLs and headers. */
/** What is wrong with the URL of a server, to be read after the name of the setting; `undefined`: nothing. */
export function urlIssue(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return `is "${text}", expected a URL such as https://host:8080/path`;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `is "${text}", expected http:// or https://`;
  if (url.username !== '' || url.password !== '') return 'holds a user name or password, expected them in "auth"';
  if (url.hash !== '') return `is "${text}": what follows "#" is never sent, expected a URL without it`;
  return undefined;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What is wrong with a header that is to be sent, to be read after its name; `undefined`: nothing. */
export function headerIssue(name: string, value: string): string | undefined {
  if (!token.test(name)) return 'is no name of a header, expected letters, digits and "-"';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be sent.
  if (/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(value))
    return 'holds characters that a header cannot, expected Latin-1 in one line';
  if (/^(content-length|transfer-encoding|host|connection)$/i.test(name))
    return 'is set by the client itself, expected another header';
  return undefined;
}
