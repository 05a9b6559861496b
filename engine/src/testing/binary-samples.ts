/** Bytes that are no text, and look like what is read otherwise: none may be changed on the way. */
export function binarySamples(): Buffer[] {
  return [
    Buffer.from([0x00, 0xff, 0x0a, 0x0d, 0x0a, 0xfe]),
    Buffer.from('\n'),
    Buffer.alloc(0),
    Buffer.from([0xef, 0xbb, 0xbf, 0x0a]),
    Buffer.from('{"not":"read"}\n'),
    Buffer.from([0xc3, 0x28]),
    Buffer.from(Array.from({ length: 100_001 }, (_, n) => (n * 7) & 255)),
  ];
}
