import type { ConnectionOptions } from 'node:tls';
import { type Certificate, makeCertificate } from '../../../testing/certificates.ts';

/** An authority, a server's certificate that is right, and those that must be refused. */
export interface ServerCertificates {
  readonly authority: Certificate;
  readonly right: Certificate;
  readonly wrong: Readonly<Record<'expired' | 'of another name' | 'signed by itself', Certificate>>;
}

const dayMs = 86_400_000;
const past = (): { from: Date; to: Date } => ({ from: new Date(Date.now() - 9 * dayMs), to: new Date(Date.now() - dayMs) });
const future = (): { from: Date; to: Date } => ({ from: new Date(Date.now() + dayMs), to: new Date(Date.now() + 9 * dayMs) });

export function serverCertificates(): ServerCertificates {
  const authority = makeCertificate({ name: 'suite authority', authority: true });
  return {
    authority,
    right: makeCertificate({ name: 'right', issuer: authority }),
    wrong: {
      expired: makeCertificate({ name: 'expired', issuer: authority, ...past() }),
      'of another name': makeCertificate({ name: 'other', issuer: authority, hosts: ['other.example'] }),
      'signed by itself': makeCertificate({ name: 'self' }),
    },
  };
}

/** A server, a client that is right, and clients that must be refused, with what is then said of them. */
export interface ClientCertificates {
  readonly authority: Certificate;
  readonly server: Certificate;
  readonly right: Certificate;
  readonly wrong: Readonly<Record<string, { readonly certificate: ConnectionOptions; readonly expected: RegExp }>>;
}

export function clientCertificates(): ClientCertificates {
  const authority = makeCertificate({ name: 'suite authority', authority: true });
  const shown = ({ certificate, key }: Certificate): ConnectionOptions => ({ cert: certificate, key });
  const client = (options: object): ConnectionOptions =>
    shown(makeCertificate({ name: 'client', issuer: authority, ...options }));
  const other = makeCertificate({ name: 'other authority', authority: true });
  // Whoever only takes the name of the right one.
  const impostor = makeCertificate({ name: 'suite authority', authority: true });
  return {
    authority,
    server: makeCertificate({ name: 'server', issuer: authority }),
    right: makeCertificate({ name: 'client', issuer: authority }),
    wrong: {
      'that shows no certificate': { certificate: {}, expected: /it shows no certificate/ },
      'whose certificate has expired': { certificate: client(past()), expected: /its certificate has expired/ },
      'whose certificate is not valid yet': { certificate: client(future()), expected: /its certificate is not valid yet/ },
      'whose certificate is of another authority': {
        certificate: client({ issuer: other }),
        expected: /its certificate is of no authority that is known/,
      },
      'whose certificate is of an authority of the same name': {
        certificate: client({ issuer: impostor }),
        expected: /its certificate is of no authority that is known/,
      },
      'whose certificate is signed by itself': {
        certificate: shown(makeCertificate({ name: 'self' })),
        expected: /its certificate is signed by itself/,
      },
    },
  };
}
