/** What servers say: reason codes of MQTT 5, return codes of 3.1.1, and which of them a message will not survive. */
const reasons: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client identifier not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  141: 'keep alive timeout',
  142: 'session taken over: another client uses the same client_id',
  143: 'topic filter invalid',
  144: 'topic name invalid',
  145: 'packet identifier in use',
  146: 'packet identifier not found',
  147: 'receive maximum exceeded',
  148: 'topic alias invalid',
  149: 'packet too large',
  150: 'message rate too high',
  151: 'quota exceeded',
  152: 'administrative action',
  153: 'payload format invalid',
  154: 'retain not supported',
  155: 'QoS not supported',
  156: 'use another server',
  157: 'server moved',
  158: 'shared subscriptions not supported',
  159: 'connection rate exceeded',
  160: 'maximum connect time',
  161: 'subscription identifiers not supported',
  162: 'wildcard subscriptions not supported',
};

const returnCodes: Readonly<Record<number, string>> = {
  1: 'unsupported protocol version',
  2: 'client identifier not valid',
  3: 'server unavailable',
  4: 'bad user name or password',
  5: 'not authorized',
};

/** `135, not authorized`. */
export function reasonText(code: number, said?: string): string {
  const known = reasons[code] ?? returnCodes[code];
  return [String(code), known, said].filter((part) => part !== undefined && part !== '').join(', ');
}

/** A message that is refused with one of these is refused every time: not authorized for its topic, or what it is made of. */
const permanent = new Set([135, 144, 149, 153, 154, 155]);

export function isPermanent(code: number): boolean {
  return permanent.has(code);
}

/** A filter that is refused with one of these is refused every time. */
const permanentForFilters = new Set([143, 158, 161, 162]);

export function isPermanentForFilter(code: number): boolean {
  return permanentForFilters.has(code);
}
