/** What the user of the test brokers shows, as references and as what they stand for. */
import { KAFKA_USER } from '../../../testing/servers/kafka.ts';

/** Secrets stand in the environment. */
export const secret = (variable: string): string => `\${${variable}}`;
export const sasl = (mechanism: string, variable = 'RIGHT') => ({
  mechanism,
  username: KAFKA_USER.name,
  password: secret(variable),
});
export const secrets = (): Record<string, string> => ({ RIGHT: KAFKA_USER.password, WRONG: 'wrong', TOKEN: bearer() });
export const bearer = (): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: KAFKA_USER.name, iat: now, exp: now + 3600 })}.`;
};
