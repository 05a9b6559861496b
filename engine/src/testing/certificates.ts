/** Certificates for tests: Node signs, but makes no X.509, so the few structures that TLS wants are put together here. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface CertificateOptions {
  readonly name: string;
  /** Who signs; without it, it signs itself. */
  readonly issuer?: Certificate & { readonly name: string };
  /** True: it may sign others. */
  readonly authority?: boolean;
  /** Names and IPv4 addresses that it is good for. Default: localhost and 127.0.0.1. */
  readonly hosts?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
}

const DAY_MS = 86_400_000;
const ECDSA_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

export function makeCertificate({ name, issuer, authority = false, hosts, from, to }: CertificateOptions): Certificate & {
  readonly name: string;
} {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = issuer ? createPrivateKey(issuer.key) : privateKey;
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    ECDSA_SHA256,
    commonName(issuer?.name ?? name),
    sequence(time(from ?? new Date(Date.now() - DAY_MS)), time(to ?? new Date(Date.now() + 30 * DAY_MS))),
    commonName(name),
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    der(
      0xa3,
      sequence(basicConstraints(authority), ...(authority ? [] : [alternativeNames(hosts ?? ['localhost', '127.0.0.1'])])),
    ),
  );
  const signature = sign('sha256', body, { key: signer, dsaEncoding: 'der' });
  const whole = sequence(body, ECDSA_SHA256, der(0x03, Buffer.concat([Buffer.of(0), signature])));
  return { name, certificate: pem('CERTIFICATE', whole), key: keyPem(privateKey) };
}

function keyPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }) as string;
}

function basicConstraints(authority: boolean): Buffer {
  const constraints = sequence(...(authority ? [der(0x01, Buffer.of(0xff))] : []));
  return sequence(oid(0x55, 0x1d, 0x13), der(0x01, Buffer.of(0xff)), der(0x04, constraints));
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) => {
    const address = /^\d+\.\d+\.\d+\.\d+$/.test(host);
    return der(address ? 0x87 : 0x82, address ? Buffer.from(host.split('.').map(Number)) : Buffer.from(host));
  });
  return sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(...names)));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(name)))));
}

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
}

function oid(...bytes: number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
