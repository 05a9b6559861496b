/** The name that a server knows a node by, unless its settings say another: the same at each start. */
export function clientIdOf({
  settings,
  punchline = 'punchline',
  id,
}: {
  readonly settings: { readonly client_id?: string | undefined };
  readonly punchline?: string;
  readonly id: string;
}): string {
  return settings.client_id ?? `reef-${punchline}-${id}`;
}
