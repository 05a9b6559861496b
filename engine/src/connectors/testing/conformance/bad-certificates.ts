import { type Certificate, makeCertificate } from '../../../testing/certificates.ts';

/** An authority, a server's certificate that is right, and those that must be refused. */
export interface ServerCertificates {
  readonly authority: Certificate;
  readonly right: Certificate;
  readonly wrong: Readonly<Record<'expired' | 'of another name' | 'signed by itself', Certificate>>;
}

export function serverCertificates(): ServerCertificates {
  const authority = makeCertificate({ name: 'suite authority', authority: true });
  const dayMs = 86_400_000;
  return {
    authority,
    right: makeCertificate({ name: 'right', issuer: authority }),
    wrong: {
      expired: makeCertificate({
        name: 'expired',
        issuer: authority,
        from: new Date(Date.now() - 9 * dayMs),
        to: new Date(Date.now() - dayMs),
      }),
      'of another name': makeCertificate({ name: 'other', issuer: authority, hosts: ['other.example'] }),
      'signed by itself': makeCertificate({ name: 'self' }),
    },
  };
}
