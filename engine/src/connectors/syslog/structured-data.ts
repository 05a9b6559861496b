/** `{"id":{"name":"value"}}` as the elements `[id name="value"]` of RFC 5424; `-` where it is nothing of the kind. */
export function structuredData(json: string): string {
  if (json === '' || json === '-') return '-';
  // What is written so already.
  if (json.startsWith('[') && json.endsWith(']') && !json.startsWith('[{')) return json;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return '-';
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return '-';
  const elements = Object.entries(parsed).map(([id, parameters]) => {
    const entries = typeof parameters === 'object' && parameters !== null ? Object.entries(parameters) : [];
    return `[${[name(id), ...entries.map(([key, value]) => `${name(key)}="${escaped(value)}"`)].join(' ')}]`;
  });
  return elements.join('') || '-';
}

function name(text: string): string {
  return text.replace(/[^!#-<>-\\^-~]/gu, '_').slice(0, 32) || '_';
}

function escaped(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/["\\\]]/g, '\\$&');
}
